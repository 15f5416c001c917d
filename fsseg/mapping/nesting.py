"""Traits of a person that the user's rules put into its company or its deal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fsseg.mapping.coerce import BAD
from fsseg.mapping.paths import MISSING, without
from fsseg.mapping.rules import Nested


def nest(traits: Mapping[str, Any], nested: Mapping[str, Nested]) -> Mapping[str, Any]:
    """The traits with those that have such a rule in the company or deal; what these say there themselves gives way."""
    moved: Mapping[str, Any] = traits
    for part, member, rule in nested.values():
        value = rule.read(traits)
        if value is MISSING:
            continue
        for path in rule.taken:
            moved = without(moved, path)
        if rule.convert is not None and value is not None and (converted := rule.convert(value)) is not BAD:
            value = converted
        own = moved.get(part)
        if isinstance(own, list):
            own = own[0] if own else None
        own = {"name": own} if isinstance(own, str) else own if isinstance(own, dict) else {}
        moved = {**moved, part: {**own, member: value}}
    return moved
