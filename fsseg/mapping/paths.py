"""Paths into traits and properties: `plan`, `address.street`, `products.0.sku`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

MISSING: Final = object()
"""There is nothing at that path."""


def lookup(values: Mapping[str, Any], path: str) -> Any:
    """What stands at the path, or `MISSING`. A name that is spelled with its dots goes before the objects' members."""
    if path in values or "." not in path:
        return values.get(path, MISSING)
    found: Any = values
    for part in path.split("."):
        if isinstance(found, list) and part.isdecimal() and part.isascii() and len(part) < 10:
            index = int(part)
            found = found[index] if index < len(found) else MISSING
        else:
            found = found.get(part, MISSING) if isinstance(found, dict) else MISSING
    return found


def getter(path: str) -> Callable[[Mapping[str, Any]], Any]:
    """A function that looks one path up, quickly."""
    if "." in path:
        return lambda values: lookup(values, path)
    return lambda values: values.get(path, MISSING)


def without(values: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """The values less what stands at the path; they themselves stay as they are."""
    outer, dot, inner = path.partition(".")
    if path in values or not dot:
        return {name: value for name, value in values.items() if name != path}
    held = values.get(outer)
    return {**values, outer: without(held, inner)} if isinstance(held, dict) else values
