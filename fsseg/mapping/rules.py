"""What the user can set about the mapping, and its mistakes, all told at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from fsseg.mapping.catalog import EMAILS, LEAD_COMPANY, LEAD_DEAL, Catalog
from fsseg.mapping.coerce import BAD
from fsseg.mapping.field_types import UNKNOWN, coercer, expectation
from fsseg.mapping.fields import Field
from fsseg.mapping.names import did_you_mean

_PARTS = {"company": "account", "deal": "deal"}
_TABLES = {
    "person": ("lead", "contact"),
    "lead": ("lead",),
    "contact": ("contact",),
    "account": ("account", LEAD_COMPANY),
    "deal": ("deal", LEAD_DEAL),
}


class MappingError(ValueError):
    """The user's mapping cannot be used. `mistakes` holds every one, each beginning with its path in the settings."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The user's settings as far as they concern the mapping; the defaults are those of `fsseg.settings`.

    `mapping` is the `[mapping]` table: `person`, `lead`, `contact`, `account` and `deal` hold
    `trait = "field"`, `trait = false` (silence), or `trait = {field = …, values = {…}}`, where `values` replaces a
    value by another before the field's type is applied; `{ignore = true}` silences as well. A dotted trait,
    `"address.street"`, is a member of an object; the field `company.name`, or `deal.amount`, of a person is a member of
    the company or deal. `event` holds `"Order Completed" = {type = …, title = …, ignore = …}`,
    where `type` names a sales activity type.
    """

    nulls: Literal["clear", "ignore"] = "clear"
    strict: bool = False
    mapping: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    via: Literal["auto", "sales_activity", "tracking", "note"] = "auto"
    event_type: str = "Segment event"
    page_type: str = "Page view"
    owner: str | None = None
    """Name, e-mail or id of the user who owns the sales activities."""
    application_token_set: bool = False
    offline: bool = False
    """Activity types are unknown and taken as available."""
    with_group: bool = False
    stitch_anonymous: bool = False
    only: frozenset[str] = frozenset()
    """Message types; none means all."""
    events: frozenset[str] = frozenset()
    """Names of track and page calls; none means all calls, some means these and nothing else."""
    since: str | None = None
    until: str | None = None
    """Times as `Event.time` has them; `since` inclusive, `until` exclusive."""
    suppress: frozenset[str] = frozenset()
    """userIds and e-mails, any case."""
    consent: tuple[str, ...] = ()
    """Consent categories that must all have been granted."""
    placeholder_ids: tuple[str, ...] = ()
    """Ids that name nobody, besides those that never do."""
    id_field: str | None = None
    """The person field that keeps the userId where that is a database id."""


class FieldRule(NamedTuple):
    """Where the user sends a trait; nowhere if `field` is None."""

    field: str | None
    values: Mapping[str, Any] | None = None


class EventRule(NamedTuple):
    """What the user says about one event name."""

    type: str | None = None
    title: str | None = None
    ignore: bool = False


class Nested(NamedTuple):
    """A trait that goes into the company or the deal, and the name that it has there."""

    part: str
    member: str


class Compiled(NamedTuple):
    """The mapping tables, checked: by table, by trait; and by event name. `nested` are traits of a person."""

    fields: dict[str, dict[str, FieldRule]]
    nested: dict[str, Nested]
    events: dict[str, EventRule]
    owner_id: int | None


def compile_rules(rules: Rules, catalog: Catalog) -> Compiled:
    """Check the rules against the account's fields. Raises `MappingError` with every mistake.

    `[mapping.lead]` means nothing on suite, where there are none, and is passed over.
    """
    mistakes: list[str] = []
    fields: dict[str, dict[str, FieldRule]] = {table: {} for table in _TABLES}
    nested: dict[str, Nested] = {}
    for table, entries in rules.mapping.items():
        if table == "event":
            continue
        if table not in _TABLES:
            mistakes.append(f"mapping.{table}: no such table; there are {', '.join(_TABLES)} and event")
        elif table != "lead" or "lead" in catalog.people:
            for trait, entry in entries.items():
                part = _nested(entry) if table == "person" else None
                rule = _field_rule(entry, table, catalog) if part is None else _nested_rule(part, catalog)
                if isinstance(rule, Nested):
                    nested[trait] = rule
                elif isinstance(rule, FieldRule):
                    fields[table][trait] = rule
                else:
                    mistakes.append(f"mapping.{table}.{trait}: {rule}")
    events: dict[str, EventRule] = {}
    for name, entry in rules.mapping.get("event", {}).items():
        event = _event_rule(entry)
        if isinstance(event, EventRule):
            events[name] = event
        else:
            mistakes.append(f"mapping.event.{name}: {event}")
    if rules.id_field and (fault := _field_fault(rules.id_field, "person", catalog)):
        mistakes.append(f"identity.id_field: {fault}")
    owner = _owner(rules.owner, catalog)
    if rules.owner and owner is None and not catalog.assumed:
        mistakes.append(f"timeline.owner: no user {rules.owner!r} in this Freshsales")
    if mistakes:
        raise MappingError(mistakes)
    return Compiled(fields, nested, events, owner)


def field_in(catalog: Catalog, entity: str, name: str) -> Field | None:
    """The writable field of that internal name; among assumed fields every custom one exists, its type unknown."""
    field = catalog.fields(entity).get(name)
    if field is None and catalog.assumed and name.startswith("cf_") and entity not in (LEAD_COMPANY, LEAD_DEAL):
        return Field(name, name, UNKNOWN.name, custom=True)
    return field if field and field.writable else None


def _nested(entry: object) -> Nested | None:
    field = entry.get("field") if isinstance(entry, Mapping) and entry.keys() == {"field"} else entry
    part, dot, member = field.partition(".") if isinstance(field, str) else ("", "", "")
    return Nested(part, member) if dot and part in _PARTS else None


def _nested_rule(nested: Nested, catalog: Catalog) -> Nested | str:
    fault = None if nested.member == "name" else _field_fault(nested.member, _PARTS[nested.part], catalog)
    return fault or nested


def _field_rule(entry: object, table: str, catalog: Catalog) -> FieldRule | str:
    """The rule, or what is wrong with it."""
    if entry is False:
        return FieldRule(None)
    given = entry if isinstance(entry, Mapping) else {"field": entry}
    if unknown := given.keys() - {"field", "values", "ignore"}:
        return f"unknown key {min(unknown)!r}; a rule has field, values, ignore"
    if given.get("ignore") is True:
        return FieldRule(None)
    field, values = given.get("field"), given.get("values")
    if not isinstance(field, str):
        return "names no field"
    if values is not None and not isinstance(values, Mapping):
        return "values is not a table"
    fault = _field_fault(field, table, catalog) or (values and _values_fault(field, values, table, catalog))
    return fault or FieldRule(field, values)


def _values_fault(name: str, values: Mapping[str, Any], table: str, catalog: Catalog) -> str | None:
    """What of the values fits the field nowhere; null clears, which fits any."""
    fields = [field for entity in _TABLES[table] if (field := field_in(catalog, entity, name))]
    coercers = [coercer(field) for field in fields]
    for text, meant in values.items():
        if coercers and meant is not None and all(coerce(meant) is BAD for coerce in coercers):
            return f"values.{text}: {meant!r} does not fit: {name} takes {expectation(fields[0])}"
    return None


def _event_rule(entry: object) -> EventRule | str:
    """The rule, or what is wrong with it."""
    if not isinstance(entry, Mapping):
        return "is not a table"
    if unknown := entry.keys() - set(EventRule._fields):
        return f"unknown key {min(unknown)!r}; a rule has {', '.join(EventRule._fields)}"
    if not all(isinstance(entry.get(key, ""), str) for key in ("type", "title")):
        return "type and title are text"
    if not isinstance(entry.get("ignore", False), bool):
        return "ignore is true or false"
    return EventRule(**entry)


def _field_fault(name: str, table: str, catalog: Catalog) -> str | None:
    if name in EMAILS and table in ("person", "lead", "contact"):
        return None
    entities = [entity for entity in _TABLES[table] if catalog.fields(entity)]
    if any(field_in(catalog, entity, name) for entity in entities):
        return None
    fields = {field.name: field.writable for entity in entities for field in catalog.fields(entity).values()}
    if name in fields:
        return f"{name} is kept by Freshsales itself and cannot be written"
    hint = did_you_mean(name, [field for field, writable in fields.items() if writable])
    return f"no field {name!r} in this Freshsales" + (f"; {hint}" if hint else "")


def _owner(owner: str | None, catalog: Catalog) -> int | None:
    for entity in (*catalog.people, "account", "deal"):
        if owner and isinstance(found := catalog.choice_id(entity, "owner_id", owner), int):
            return found
    return None
