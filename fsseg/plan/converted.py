"""What a lead that becomes a contact leaves to its account and its deal. Pure."""

from __future__ import annotations

from typing import Any

from fsseg.freshsales.names import Entity
from fsseg.mapping.catalog import PARTS, Catalog
from fsseg.mapping.coerce import BAD
from fsseg.mapping.field_types import coercer
from fsseg.mapping.names import fold_name
from fsseg.match.remote_record import Existing


class Left:
    """What the leads hold of companies, by name, and of deals, by the person and the name; both folded."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._values: dict[tuple[str, int | None, str], dict[str, Any]] = {}

    def add(self, person: int, lead: Existing) -> None:
        """Take note of a lead that becomes a contact."""
        for part, entity in PARTS.items():
            name = fold_name(lead.get(f"{part}.name"))
            if name:
                key = (entity, person if entity == "deal" else None, name)
                self._values[key] = {**self._held(part, entity, lead), **self._values.get(key, {})}

    def complete(self, entity: str, person: int | None, match_key: str, desired: dict[str, Any]) -> dict[str, Any]:
        """What is desired of a new record, and what a lead holds of it beside."""
        return {**self._values.get((entity, person, match_key), {}), **desired}

    def _held(self, part: str, entity: Entity, lead: Existing) -> dict[str, Any]:
        fields = self._catalog.fields(entity)
        held = {}
        for name, value in lead.items():
            field = fields.get(name.removeprefix(f"{part}."))
            if name.startswith(f"{part}.") and value is not None and field is not None and field.writable:
                written = coercer(field)(value)
                if written is not BAD:
                    held[field.name] = written
        return held
