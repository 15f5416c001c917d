"""Traits of a person that the user's rules put into its company or its deal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fsseg.mapping.rules import Nested


def nest(traits: Mapping[str, Any], nested: Mapping[str, Nested]) -> Mapping[str, Any]:
    """The traits with those that have such a rule in the company or deal; what these say there themselves gives way."""
    moved: dict[str, Any] = {}
    for trait, (part, member) in nested.items():
        outer, dot, inner = trait.partition(".")
        holder = traits.get(outer)
        if trait in traits:
            value, left = traits[trait], {name: value for name, value in (moved or traits).items() if name != trait}
        elif dot and isinstance(holder, dict) and inner in holder:
            others = {name: value for name, value in holder.items() if name != inner}
            value, left = holder[inner], {**(moved or traits), outer: others}
        else:
            continue
        own = left.get(part)
        if isinstance(own, list):
            own = own[0] if own else None
        own = {"name": own} if isinstance(own, str) else own if isinstance(own, dict) else {}
        moved = {**left, part: {**own, member: value}}
    return moved or traits
