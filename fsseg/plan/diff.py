"""Diff: what is wanted against what there is, field by field, equal by the field's type. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from fsseg.mapping import field_types
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.fields import Field
from fsseg.match.remote_record import Existing, addresses
from fsseg.segment.email_key import email_key

Fields = dict[str, list[Any]]
"""Field name → [before, after]."""

LINK_FIELDS = ("sales_accounts", "sales_account", "contacts", "entity")
"""Changes of a record that are links to others; they travel as ids."""


class Create(Struct, frozen=True):
    """There is no such record yet; before is null everywhere."""

    fields: Fields


class Update(Struct, frozen=True):
    """The record is there, and these fields of it differ."""

    fields: Fields


class Unchanged(Struct, frozen=True):
    """The record holds all that is desired already."""


class Skipped(Struct, frozen=True):
    """Left out; `missing` are the fields that this Freshsales requires of a new record."""

    missing: tuple[str, ...]


Change = Create | Update | Unchanged | Skipped


def diff(catalog: Catalog, entity: str, desired: Mapping[str, Any], existing: Existing | None) -> Change:
    """The change that makes `existing` (None: there is no such record) hold what is `desired`."""
    if existing is None:
        fields: Fields = {name: [None, value] for name, value in desired.items() if value is not None}
        missing = () if entity in ("lead", "contact") else missing_fields(catalog, entity, fields)
        return Skipped(missing) if missing else Create(fields)
    has = addresses(existing)
    changed: Fields = {
        name: [existing.get(name), value]
        for name, value in desired.items()
        if not (name == "email" and email_key(str(value)) in has)
        and not same(existing.get(name), value, field_of(catalog, entity, name))
    }
    return Update(changed) if changed else Unchanged()


def missing_fields(catalog: Catalog, entity: str, fields: Mapping[str, Any]) -> tuple[str, ...]:
    """The required fields of `entity` that a new record would lack."""
    return tuple(field.name for field in catalog.required(entity) if field.name not in fields)


def field_of(catalog: Catalog, entity: str, name: str) -> Field | None:
    """The metadata of a wanted field; `company.name` is the name of a lead's company."""
    part, dot, nested = name.partition(".")
    if entity == "lead" and dot:
        return catalog.fields(f"lead.{part}").get(nested)
    return catalog.fields(entity).get(name)


def same(before: Any, after: Any, field: Field | None) -> bool:
    """Whether a field that reads `before` already holds `after`, as its type has it."""
    return field_types.equal(field, before, after)


def rounded(before: Any, after: Any, field: Field | None) -> bool:
    """Whether a field that reads `before` may hold `after`, as Freshsales may have rounded it."""
    return field_types.rounded(field, before, after)
