"""Which field a refusal speaks of. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from fsseg.mapping.catalog import PARTS, Catalog
from fsseg.state.plan_store import Record

ESSENTIAL = frozenset({
    "email", "emails", "name", "sales_accounts", "contacts_added_list", "contacts_removed_list", "sales_account_id",
})  # fmt: skip
"""Attributes that make a record what it is: without them it is not sent."""

_TAKEN = re.compile(r"unique|already|taken|exist|uniek|eindeutig|bereits|vergeben|unic|únic|déjà|univoc", re.IGNORECASE)
"""Words of refusals that mean another record: written without the field, this one would be there twice."""


def means_another(message: str) -> bool:
    """Whether Freshsales' words seem to say that another record has the value."""
    return bool(_TAKEN.search(message))


def named_field(catalog: Catalog, record: Record, attributes: dict[str, Any], message: str) -> str | None:
    """The one of the attributes that Freshsales' words name, by its label or internal name; None if they name none.

    None, too, where they seem to say that another record has the value.
    """
    if means_another(message):
        return None
    return _named(catalog, record.entity, _names(record.entity, attributes), message)


def missing_field(catalog: Catalog, record: Record, attributes: dict[str, Any], message: str) -> str | None:
    """The field of which Freshsales' words want something, where the attributes lack it; None if they name none."""
    sent = set(_names(record.entity, attributes))
    lacking = [name for name, field in catalog.fields(record.entity).items() if field.writable and name not in sent]
    return _named(catalog, record.entity, lacking, message)


def wanted_field(catalog: Catalog, entity: str, message: str) -> str | None:
    """The field of an entity that Freshsales' words name."""
    writable = [name for name, field in catalog.fields(entity).items() if field.writable]
    return _named(catalog, entity, writable, message)


def _named(catalog: Catalog, entity: str, names: Iterable[str], message: str) -> str | None:
    text, found = message.casefold(), ("", "")
    for name in names:
        for word in _words(catalog, entity, name):
            if len(word) > len(found[0]) and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text):
                found = word, name
    return found[1] or None


def _names(entity: str, attributes: dict[str, Any]) -> Iterator[str]:
    for name, value in attributes.items():
        if name == "custom_field":
            yield from value
        elif entity == "lead" and name in PARTS and isinstance(value, dict):
            yield from (f"{name}.{inner}" for inner in value if inner != "name")
        elif name not in ESSENTIAL:
            yield name


def _words(catalog: Catalog, entity: str, name: str) -> Iterator[str]:
    part, dot, nested = name.partition(".")
    inner = nested if dot else name
    field = catalog.fields(f"{entity}.{part}" if dot else entity).get(inner)
    yield inner.casefold()
    yield inner.replace("_", " ").casefold()
    yield inner.removesuffix("_id").replace("_", " ").casefold()
    if field is not None:
        yield field.label.casefold()


def without(attributes: dict[str, Any], name: str) -> dict[str, Any]:
    """The attributes but for one field."""
    part, dot, nested = name.partition(".")
    fewer = {key: dict(value) if isinstance(value, dict) else value for key, value in attributes.items()}
    holder = fewer[part] if dot and part in fewer else fewer.get("custom_field", {}) if name not in fewer else fewer
    holder.pop(nested if dot and part in fewer else name, None)
    if not fewer.get("custom_field", True):
        del fewer["custom_field"]
    return fewer
