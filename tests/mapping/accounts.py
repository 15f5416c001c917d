"""A classic and a suite account as their metadata shows them, and events to map onto them."""

from __future__ import annotations

from typing import Any

from fsseg.mapping import standard
from fsseg.mapping.catalog import Catalog, Edition
from fsseg.mapping.intents import MISFIT, Cells, Mapped, PersonIntent
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.rules import Rules
from fsseg.mapping.warning_counter import WarningCounter
from fsseg.segment.envelope import normalise, typed
from fsseg.segment.event import Event


def custom(name: str, type: str = "text", choices: tuple[str, ...] = ()) -> dict[str, Any]:
    listed = [{"id": 900 + n, "value": text, "position": n} for n, text in enumerate(choices, 1)]
    return {"name": name, "label": name, "type": type, "default": False, "choices": listed}


PERSON = [
    custom("cf_alternate_number"),
    custom("cf_region"),
    custom("cf_seats", "number"),
    custom("cf_plan", "dropdown", ("Free", "Pro", "Enterprise")),
    custom("cf_interests", "multi_select_dropdown", ("Sales", "Support", "Data")),
    custom("cf_power_user", "checkbox"),
    custom("cf_birthday", "date"),
    custom("cf_last_login", "date_time"),
    custom("cf_no-go_truck_types"),
    {"name": "last_seen", "label": "Last seen", "type": "date", "default": True},
    {"name": "created_at", "label": "Created at", "type": "date", "default": True},
]
SELECTORS: dict[str, list[dict[str, Any]]] = {
    "owners": [
        {"id": 11, "display_name": "Robin Doe", "email": "robin@acme.example", "is_active": True},
        {"id": 12, "display_name": "Sam Poe", "email": "sam@acme.example", "is_active": False},
    ],
    "lead_sources": [{"id": 21, "name": "Web"}, {"id": 22, "name": "Referral"}],
    "industry_types": [{"id": 31, "name": "Logistics"}],
    "lifecycle_stages": [{"id": 41, "name": "Lead"}, {"id": 42, "name": "Customer"}],
    "sales_activity_types": [
        {"id": 51, "name": "Segment event"},
        {"id": 52, "name": "Page view"},
        {"id": 53, "name": "Trial Started"},
        {"id": 54, "name": "Chat", "is_default": True},
        {"id": 55, "name": "Demo Held", "is_outcome_mandatory": True},
        {"id": 56, "name": "Deal won"},
    ],
}


def catalog(
    edition: Edition = "classic",
    *,
    lead: tuple[dict[str, Any], ...] = (),
    contact: tuple[dict[str, Any], ...] = (),
    **selectors: list[dict[str, Any]],
) -> Catalog:
    fields = {entity: list(rows) for entity, rows in standard.FIELDS[edition].items()}
    for entity, more in (("lead", lead), ("contact", contact)):
        if entity in fields:
            fields[entity] += [*PERSON, *more]
    fields["account"].append(custom("cf_tier"))
    return Catalog.from_api(edition, fields, SELECTORS | selectors)


def event(type: str = "identify", /, time: str = "2025-03-04T09:15:02.598", **message: Any) -> Event:
    whole = {"type": type, "messageId": "m-1", **message}
    return Event(0, 1, type, time, typed(normalise(whole)), whole)


def identify(traits: dict[str, Any], /, **message: Any) -> Event:
    return event("identify", **{"userId": "u-1", "traits": traits} | message)


def mapper(account: Catalog | None = None, warnings: WarningCounter | None = None, **rules: Any) -> Mapper:
    return Mapper(account or catalog(), Rules(**rules), WarningCounter() if warnings is None else warnings)


def person(mapped: Mapped) -> Cells:
    """The person's own cells, less the e-mail that every test would have to repeat, and what didn't fit."""
    assert isinstance(mapped, PersonIntent), mapped
    return {cell: value for cell, value in mapped.parts[""].items() if cell != "email" and not cell.startswith(MISFIT)}


def cells_of(
    traits: dict[str, Any], account: Catalog | None = None, warnings: WarningCounter | None = None, **rules: Any
) -> Cells:
    return person(mapper(account, warnings, **rules).map(identify({"email": "ada@acme.example", **traits})))
