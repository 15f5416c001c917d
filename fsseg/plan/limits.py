"""What Freshsales can hold in a field, as far as that is known beforehand. Pure."""

from __future__ import annotations

import re
from typing import Any

from fsseg.mapping.catalog import Catalog
from fsseg.plan.diff import field_of
from fsseg.state.actions import Code

LONGEST = {"text": 255, "textarea": 8_000, "paragraph": 8_000}
"""Characters that a field of this type holds."""

LARGEST = 2**53 - 1
"""The largest number, either way."""

SHOWN = 80
"""Characters of a value that a warning tells."""

UNLIMITED = frozenset({"email", "name"})
"""Texts by which a record is found again, and which are sent as they are."""

_SHORTEST = min(LONGEST.values())
_WEBSITE = re.compile(r"(https?://)?([\w-]+\.)+\w{2,}(:\d+)?([/?#]\S*)?", re.IGNORECASE)


def fitted(catalog: Catalog, entity: str, desired: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is desired, cut to what can be held or left out, and what was desired of the fields that this changed."""
    changed: dict[str, Any] = {}
    cut: dict[str, str] = {}
    for name, value in desired.items():
        kind = type(value)
        if kind is str:
            if len(value) > _SHORTEST:
                longest = _longest(catalog, entity, name)
                if longest is not None and len(value) > longest:
                    cut[name], changed[name] = value[:longest], value
            elif name.endswith("website") and name.rpartition(".")[2] == "website" and not _WEBSITE.fullmatch(value):
                changed[name] = value
        elif (kind is int or kind is float) and abs(value) > LARGEST:
            changed[name] = value
    if not changed:
        return desired, changed
    return {name: value for name, value in desired.items() if name not in changed} | cut, changed


def left_out(name: str, value: Any) -> str:
    """The warning that a field doesn't hold all of this value."""
    return f"{Code.LEFT_OUT}: {name} = {str(value)[:SHOWN]}"


def _longest(catalog: Catalog, entity: str, name: str) -> int | None:
    field = None if name in UNLIMITED else field_of(catalog, entity, name)
    return None if field is None or field.choices is not None else LONGEST.get(field.type)
