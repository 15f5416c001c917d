"""Whether an account has what imports need: permissions, fields, activity types, stages. Only reads, few requests."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Literal, NamedTuple

from msgspec import Struct, field

from fsseg.account.fields import read_fields
from fsseg.figures import counted
from fsseg.freshsales.errors import BadAnswer, Forbidden, Refused, Unauthorized
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Reader
from fsseg.freshsales.views import view_of_all
from fsseg.mapping.catalog import EMAILS, LEAD_STAGE, Catalog, Edition
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.mistakes import MappingError
from fsseg.mapping.rules import Rules
from fsseg.mapping.warning_counter import WarningCounter

State = Literal["ok", "missing", "forbidden", "refused"]
"""`missing`: to be created or enabled; `forbidden`: the same, a permission; `refused`: nothing goes without it."""

NOBODY = "nobody@example.com"
"""Looked up to see whether looking up is allowed."""


ALWAYS_THERE = frozenset({*EMAILS, "name"})
"""Fields without which nobody and nothing is made."""

ABOUT = {"lead": "people", "contact": "people", "account": "companies", "deal": "deals"}
NOUNS: dict[Entity, str] = {"lead": "leads", "contact": "contacts", "account": "accounts", "deal": "deals"}


class Finding(NamedTuple):
    """One thing that was looked at. `detail` says what was found, `hint` what to do where it isn't `ok`."""

    name: str
    state: State
    detail: str = ""
    hint: str = ""


class Checkup(Struct):
    """What a check has found. `catalog` is None where the credentials were refused."""

    findings: list[Finding] = field(default_factory=list)
    catalog: Catalog | None = None
    track: str = ""
    page: str = ""

    @property
    def worst(self) -> State:
        """The worst state of all findings, which is that of the account."""
        states = {finding.state for finding in self.findings}
        order: tuple[State, ...] = ("refused", "forbidden", "missing")
        return next((state for state in order if state in states), "ok")


Defaulted = Mapping[str, Collection[str]]
"""The fields that the settings have defaults for, by entity."""


def check(reader: Reader, edition: Edition, rules: Rules, defaulted: Defaulted) -> Checkup:
    """Look at everything. Raises `FreshsalesError` where the account can't be looked at; refusals are findings."""
    found = Checkup()
    try:
        known = read_fields(reader, edition)
    except Unauthorized as error:
        found.findings.append(Finding("credentials", "refused", str(error), error.hint))
        return found
    catalog = found.catalog = known.catalog
    found.findings.append(Finding("credentials", "ok", "the API token is accepted"))
    for entity in NOUNS:
        if catalog.fields(entity):
            found.findings += _entity(reader, catalog, entity, known.forbidden.get(entity), defaulted)
    found.findings += _reads(reader, catalog, known.forbidden)
    found.findings += _mapping(catalog, rules)
    found.findings += _stages(catalog)
    _timeline(found, catalog, rules)
    return found


def _entity(
    reader: Reader, catalog: Catalog, entity: Entity, forbidden: Forbidden | None, defaulted: Defaulted
) -> Iterator[Finding]:
    fields = catalog.fields(entity).values()
    needed = entity in catalog.people
    if forbidden:
        yield _refusal(f"{entity} fields", forbidden, needed, f"events about {ABOUT[entity]} need it")
    else:
        custom = sum(one.custom for one in fields)
        required = [one.name for one in catalog.required(entity)]
        detail = f"{counted(len(fields), 'field')}, {custom} custom" + _listed("; required: ", required)
        needy = [name for name in required if name not in ALWAYS_THERE and name not in defaulted.get(entity, ())]
        yield Finding(f"{entity} fields", "ok", detail + _listed("; in every event or under [defaults]: ", needy))
    yield _attempt(f"{entity} views", lambda: _viewed(reader, entity), False, f"matching many {NOUNS[entity]} by pages")


def _listed(introduction: str, names: list[str]) -> str:
    return introduction + ", ".join(names) if names else ""


def _viewed(reader: Reader, entity: Entity) -> str:
    view = view_of_all(reader, entity)
    if view is None:
        raise Refused("no view of all of them is known: name its id in the settings, under [freshsales.views]")
    total = reader.rows(entity, view).total
    return "" if total is None else counted(total, entity)


def _reads(reader: Reader, catalog: Catalog, forbidden: dict[str, Forbidden]) -> Iterator[Finding]:
    people: list[Entity] = ["lead", "contact"] if "lead" in catalog.people else ["contact"]

    def look_up() -> str:
        reader.lookup(NOBODY, "email", people)
        return "by e-mail"

    def list_activities() -> str:
        total = reader.sales_activities().total
        return "" if total is None else f"{total:,} there"

    yield _attempt("lookup", look_up, True, "finding people")
    yield _attempt("sales activities", list_activities, False, "finding timeline entries again")
    for name, error in forbidden.items():
        if name not in NOUNS:
            purpose = (
                "track and page events" if name == "sales_activity_types" else f"fields that name one of the {name}"
            )
            yield _refusal(f"selector {name}", error, False, f"{purpose.replace('_', ' ')} need it")


def _attempt(name: str, act: Callable[[], str], needed: bool, purpose: str) -> Finding:
    why = f"{purpose} needs it"
    try:
        return Finding(name, "ok", act())
    except Forbidden as error:
        return _refusal(name, error, needed, why)
    except (Refused, BadAnswer) as error:
        return Finding(name, "refused" if needed else "missing", str(error), why)


def _refusal(name: str, error: Forbidden, needed: bool, why: str) -> Finding:
    hint = f"give the key's user this permission; {why}"
    return Finding(name, "refused" if needed else "forbidden", str(error), hint)


def mistaken(error: MappingError, hint: str) -> Iterator[Finding]:
    """Each setting that can't be used; `hint` says what to do where nothing better is known."""
    for mistake in error.mistakes:
        yield Finding(".".join(mistake.path), "missing", mistake.text, mistake.hint or hint)


def _mapping(catalog: Catalog, rules: Rules) -> Iterator[Finding]:
    try:
        Mapper(catalog, rules, WarningCounter())
    except MappingError as error:
        yield from mistaken(error, "create it in Freshsales, or correct the settings")
        return
    ruled = sum(len(table) for table in rules.mapping.values())
    if ruled or rules.id_field:
        yield Finding("mapping", "ok", f"every field of {counted(ruled, 'rule')} is there")


def _stages(catalog: Catalog) -> Iterator[Finding]:
    if catalog.edition == "suite":
        there = catalog.choice_id("contact", "lifecycle_stage_id", LEAD_STAGE) is not None
        hint = "" if there else "create it: new people are contacts in this stage"
        yield Finding(f"lifecycle stage {LEAD_STAGE}", "ok" if there else "missing", "" if there else "not there", hint)


def _timeline(found: Checkup, catalog: Catalog, rules: Rules) -> None:
    if rules.via in ("auto", "sales_activity"):
        events = rules.mapping.get("event", {}).items()
        mapped = {rule["type"]: name for name, rule in events if isinstance(rule, dict) and rule.get("type")}
        for name, event in mapped.items():
            found.findings.append(_type(catalog, name, f"{event!r} is mapped to it", spare=False))
        spare = rules.via == "auto" and rules.application_token_set
        for name, which in ((rules.event_type, "track events"), (rules.page_type, "page events")):
            found.findings.append(
                _type(catalog, name, f"{which} without a type of their own name need it", spare=spare)
            )
    elif rules.via == "tracking":
        there = rules.application_token_set
        hint = "" if there else "timeline.via is tracking: set FSSEG_APPLICATION_TOKEN"
        found.findings.append(
            Finding("application token", "ok" if there else "missing", "" if there else "not set", hint)
        )
    found.track, found.page = (_way(catalog, rules, name) for name in (rules.event_type, rules.page_type))


def _type(catalog: Catalog, name: str, purpose: str, *, spare: bool) -> Finding:
    kind = catalog.activity_types.get(name.strip().casefold())
    title = f"activity type {name}"
    if kind is None:
        detail = "not there; the tracking API is used instead" if spare else "not there"
        return Finding(title, "ok" if spare else "missing", detail, f"create it in the admin settings; {purpose}")
    if kind.outcome_mandatory:
        return Finding(title, "ok" if spare else "missing", "it demands an outcome", "make the outcome optional")
    return Finding(title, "ok")


def _way(catalog: Catalog, rules: Rules, name: str) -> str:
    kind = catalog.activity_types.get(name.strip().casefold())
    if rules.via in ("auto", "sales_activity") and kind and not kind.outcome_mandatory:
        return f"sales activities of the type {kind.name}"
    if rules.via in ("auto", "tracking") and rules.application_token_set:
        return "the tracking API"
    return "notes" if rules.via == "note" else "none: they would be rejected"
