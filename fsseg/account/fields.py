"""What an account's records can hold: fields and types, read anew in every online run and kept for offline ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import Struct, field

from fsseg.freshsales.errors import Forbidden, NotFound
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Reader
from fsseg.mapping.catalog import SELECTOR_OF, Catalog, Edition
from fsseg.state.private_file import write_text

_KEPT = "fields.json"
"""The file in which they are kept."""
ALWAYS = ("owners", "sales_activity_types")
"""Selectors whose rows tell more than any field's choices: an owner's e-mail, which activity types there are."""


class AccountFields(Struct):
    """The catalog, and what this key may not read: entities and selectors, with Freshsales' refusal."""

    catalog: Catalog
    forbidden: dict[str, Forbidden] = field(default_factory=dict)


def read_fields(reader: Reader, edition: Edition) -> AccountFields:
    """Ask for the fields of every entity, then for the selectors whose choices the fields leave out.

    What the key may not read is noted, not raised: a run that doesn't need it must not fail for it. Raises
    `Unauthorized` and everything else. From then on the reader has records tell the ids that these fields hold.
    """
    entities: tuple[Entity, ...] = (
        ("contact", "account", "deal") if edition == "suite" else ("lead", "contact", "account", "deal")
    )
    forbidden: dict[str, Forbidden] = {}
    fields: dict[str, list[dict[str, Any]]] = {}
    for entity in entities:
        try:
            fields[entity] = reader.fields(entity)
            reader.reveal(entity, (str(row.get("name")) for row in fields[entity]))
        except Forbidden as error:
            forbidden[entity] = error
    bare = {
        SELECTOR_OF[row["name"]]
        for rows in fields.values()
        for row in rows
        if row.get("name") in SELECTOR_OF and not row.get("choices")
    }
    selectors: dict[str, list[dict[str, Any]]] = {}
    for name in sorted({*ALWAYS, *bare}):
        try:
            selectors[name] = reader.selector(name)
        except (Forbidden, NotFound) as error:
            if isinstance(error, Forbidden):
                forbidden[name] = error
    return AccountFields(Catalog.from_api(edition, fields, selectors), forbidden)


def last_read(folder: Path) -> Catalog | None:
    """The fields that the last online run read, if they are kept in this folder of the account."""
    try:
        return Catalog.from_json((folder / _KEPT).read_bytes())
    except (OSError, ValueError, KeyError):
        return None


def cached_fields(folder: Path, edition: Edition) -> Catalog:
    """The fields that the last online run read, else the standard ones of the edition."""
    found = last_read(folder)
    return Catalog.standard(edition) if found is None else found


def cache_fields(folder: Path, catalog: Catalog) -> None:
    """Keep the account's fields for offline runs."""
    write_text(folder / _KEPT, catalog.to_json().decode())
