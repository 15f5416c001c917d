"""What the user can set about the mapping, and its mistakes, all told at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Literal, NamedTuple

from msgspec import Struct, field

from fsseg.mapping.catalog import EMAILS, LEAD_COMPANY, LEAD_DEAL, PARTS, Catalog
from fsseg.mapping.coerce import BAD
from fsseg.mapping.event_rule import ADDED_UP, EventRule, read_event_rule
from fsseg.mapping.field_rule import SILENT, FieldRule, read_field_rule
from fsseg.mapping.field_types import UNKNOWN, coercer, expectation, type_named
from fsseg.mapping.fields import Choice, Field
from fsseg.mapping.mistakes import MappingError, Mistake, Path
from fsseg.mapping.names import did_you_mean
from fsseg.mapping.paths import MISSING

_TABLES = {
    "person": ("lead", "contact"),
    "lead": ("lead",),
    "contact": ("contact",),
    "account": ("account", LEAD_COMPANY),
    "deal": ("deal", LEAD_DEAL),
}
_TYPES_OF = {table: ("identify", "group") if table == "account" else ("identify",) for table in _TABLES}
"""The calls whose traits a table is for."""


class Rules(Struct, frozen=True, kw_only=True):
    """The user's settings as far as they concern the mapping; the defaults are those of `fsseg.settings`.

    `mapping` is the `[mapping]` table: `person`, `lead`, `contact`, `account` and `deal` hold `trait = "field"`,
    `trait = false` (silence), or a table as `mapping.field_rule` has it. A dotted trait, `"address.street"`, is a
    member of an object; the field `company.name`, or `deal.amount`, of a person one of the company or deal. `event`
    holds a table for each name of track and page calls, as `mapping.event_rule` has it.
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
    inspecting: bool = False
    """Nobody looks for the records that values end in, so all are told that don't fit both leads and contacts."""
    deal_id_field: str | None = None
    """The deal field that tells deals apart, whatever they are called."""

    @property
    def all_must_fit(self) -> bool:
        """Whether a value has to fit both leads and contacts, whichever its person is."""
        return self.strict or self.inspecting


class Nested(NamedTuple):
    """A rule of a person that fills a field of the company or the deal: which of them, and the name it has there."""

    part: str
    member: str
    rule: FieldRule


class Compiled(NamedTuple):
    """The mapping tables, checked: by table, by trait; and by event name. `nested` are rules of a person."""

    fields: dict[str, dict[str, FieldRule]]
    nested: dict[str, Nested]
    events: dict[str, EventRule]
    owner_id: int | None


def compile_rules(rules: Rules, catalog: Catalog) -> Compiled:
    """Check the rules against the account's fields. Raises `MappingError` with every mistake.

    `[mapping.lead]` means nothing on suite, where there are none, and is passed over.
    """
    mistakes: list[Mistake] = []
    compiled = Compiled({table: {} for table in _TABLES}, {}, {}, _owner(rules.owner, catalog))
    for table, entries in rules.mapping.items():
        if table == "event":
            for name, entry in entries.items():
                compiled.events[name] = _event_rule(name, entry, catalog, mistakes)
        elif table not in _TABLES:
            known = (*_TABLES, "event")
            hint = did_you_mean(table, known) or f"there are {', '.join(known)}"
            mistakes.append(Mistake(("mapping", table), "there is no such table", hint))
        elif table != "lead" or "lead" in catalog.people:
            _read_table(table, entries, catalog, compiled, mistakes)
    mistakes += _disagreeing(compiled.events)
    if rules.id_field and (fault := _field_fault(rules.id_field, "person", catalog)):
        mistakes.append(Mistake(("identity", "id_field"), *fault))
    if rules.deal_id_field and (fault := _field_fault(rules.deal_id_field, "deal", catalog)):
        mistakes.append(Mistake(("identity", "deal_id_field"), *fault))
    if rules.owner and compiled.owner_id is None and not catalog.assumed:
        hint = did_you_mean(rules.owner, [choice.text for choice in _owners(catalog)])
        mistakes.append(Mistake(("timeline", "owner"), f"no user {rules.owner!r} in this Freshsales", hint))
    if mistakes:
        raise MappingError(mistakes)
    return compiled


def mistakes_of_form(mapping: Mapping[str, Mapping[str, Any]]) -> list[Mistake]:
    """What is wrong with the tables, whatever fields there are."""
    mistakes: list[Mistake] = []
    for table, entries in mapping.items():
        for name, entry in entries.items():
            read = read_event_rule if table == "event" else partial(read_field_rule, key=name)
            read(entry, path=("mapping", table, name), mistakes=mistakes)
    return mistakes


def _read_table(
    table: str, entries: Mapping[str, Any], catalog: Catalog, compiled: Compiled, mistakes: list[Mistake]
) -> None:
    for trait, entry in entries.items():
        path = ("mapping", table, trait)
        before = len(mistakes)
        rule = read_field_rule(entry, trait, path, mistakes)
        if rule.when.events or (rule.when.types and not any(map(rule.when.is_of, _TYPES_OF[table]))):
            hint = "rules for track and page calls stand under [mapping.event]"
            mistakes.append(Mistake((*path, "when"), "no such call is mapped here", hint))
        if rule.field is None or len(mistakes) > before:
            continue
        part, dot, member = rule.field.partition(".")
        if table == "person" and dot and part in PARTS:
            fault = None if member == "name" else _field_fault(member, PARTS[part], catalog)
            compiled.nested[trait] = Nested(part, member, rule)
        else:
            fault = _field_fault(rule.field, table, catalog)
            if not fault:
                _check_values(entry, rule, path, [*_fields(rule.field, table, catalog)], mistakes)
        if fault:
            mistakes.append(Mistake(path, *fault))
        compiled.fields[table] |= {} if trait in compiled.nested else {trait: rule}
    compiled.fields[table].update({trait: SILENT for trait, entry in entries.items() if _is_silent(entry)})


def _is_silent(entry: Any) -> bool:
    return entry is False or (isinstance(entry, Mapping) and entry.get("ignore") is True)


def _fields(name: str, table: str, catalog: Catalog) -> Iterator[Field]:
    yield from (field for entity in _TABLES[table] if (field := field_in(catalog, entity, name)))


def _check_values(entry: Any, rule: FieldRule, path: Path, fields: list[Field], mistakes: list[Mistake]) -> None:
    """Note what of a rule's constants fits the field nowhere; null clears, which fits any."""
    values = entry.get("values", {}) if isinstance(entry, Mapping) else {}
    given: dict[Path, Any] = {("values", str(text)): meant for text, meant in values.items()}
    if rule.convert is None or not values:
        given |= {(name,): value for name, value in (("value", rule.constant), ("default", rule.default))}
    coercers = [coercer(field) for field in fields]
    for where, value in given.items():
        if value is MISSING or value is None or not coercers:
            continue
        converted = value if where[0] == "values" or rule.convert is None else rule.convert(value)
        if converted is BAD or all(coerce(converted) is BAD for coerce in coercers):
            choices = [choice.text for choice in fields[0].choices or ()]
            hint = did_you_mean(str(value), choices) or f"{rule.field} takes {expectation(fields[0])}"
            mistakes.append(Mistake((*path, *where), f"{value!r} does not fit {rule.field}", hint))


def _event_rule(event: str, entry: Any, catalog: Catalog, mistakes: list[Mistake]) -> EventRule:
    path = ("mapping", "event", event)
    rule = read_event_rule(entry, path, mistakes)
    for name, told in rule.fields.items():
        where = (*path, "fields", name)
        fault = _field_fault(name, "person", catalog)
        found = [*_fields(name, "person", catalog)]
        if name in EMAILS:
            fault = ("a person's e-mail is not set by events", "")
        if fault:
            mistakes.append(Mistake(where, *fault))
        elif told.take in ADDED_UP and not all(type_named(one.type).takes_numbers for one in found):
            hint = "it takes a field that is a number"
            mistakes.append(Mistake(where, f"{name} is no number, so nothing can be added up in it", hint))
        else:
            given = entry["fields"][name]
            _check_values(given, told.rule, where, found, mistakes)
    return rule


def missing_types(catalog: Catalog, rules: Rules) -> Iterator[Mistake]:
    """The activity types that events are mapped to and this Freshsales doesn't have, or can't use for them."""
    if rules.via not in ("auto", "sales_activity"):
        return
    for event, entry in rules.mapping.get("event", {}).items():
        name = entry.get("type")
        kind = catalog.activity_types.get(name.strip().casefold()) if name else None
        path = ("mapping", "event", event, "type")
        if kind is not None and kind.outcome_mandatory:
            yield Mistake(
                path, f"the sales activity type {kind.name!r} demands an outcome", "make the outcome optional"
            )
        elif name and kind is None:
            hint = did_you_mean(name, [one.name for one in catalog.activity_types.values()])
            yield Mistake(path, f"there is no sales activity type {name!r}", hint or "create it in the admin settings")


def _disagreeing(events: Mapping[str, EventRule]) -> Iterator[Mistake]:
    """Fields that events of different names set in different ways, so that nobody could tell what they hold."""
    takes: dict[str, tuple[str, str]] = {}
    for event, rule in events.items():
        for name, told in rule.fields.items():
            take, other = takes.setdefault(name, (told.take, event))
            if take != told.take:
                hint = f"take the same, or another field: {other!r} has take = {take!r}"
                yield Mistake(("mapping", "event", event, "fields", name), f"events disagree on {name}", hint)


def field_in(catalog: Catalog, entity: str, name: str) -> Field | None:
    """The writable field of that internal name; among assumed fields every custom one exists, its type unknown."""
    field = catalog.fields(entity).get(name)
    if field is None and catalog.assumed and name.startswith("cf_") and entity not in (LEAD_COMPANY, LEAD_DEAL):
        return Field(name, name, UNKNOWN.name, custom=True)
    return field if field and field.writable else None


def _field_fault(name: str, table: str, catalog: Catalog) -> tuple[str, str] | None:
    """Why no such field can be written, and what to do; None where it can."""
    if name in EMAILS and table in ("person", "lead", "contact"):
        return None
    entities = [entity for entity in _TABLES[table] if catalog.fields(entity)]
    if any(field_in(catalog, entity, name) for entity in entities):
        return None
    fields = {field.name: field.writable for entity in entities for field in catalog.fields(entity).values()}
    if name in fields:
        return f"{name} is kept by Freshsales itself and cannot be written", ""
    hint = did_you_mean(name, [field for field, writable in fields.items() if writable])
    return f"no field {name!r} in this Freshsales", hint


def _owners(catalog: Catalog) -> Iterator[Choice]:
    for entity in (*catalog.people, "account", "deal"):
        if field := catalog.fields(entity).get("owner_id"):
            yield from field.choices or ()


def _owner(owner: str | None, catalog: Catalog) -> int | None:
    for entity in (*catalog.people, "account", "deal"):
        if owner and isinstance(found := catalog.choice_id(entity, "owner_id", owner), int):
            return found
    return None
