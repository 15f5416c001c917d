"""Run the diff over the whole plan and write down one action per record and timeline entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, assert_never

from fsseg.fold.event_fields import EventFieldValues
from fsseg.mapping.catalog import Catalog
from fsseg.match.deal_finder import deal_name
from fsseg.match.one_record import comes_back
from fsseg.match.remote_record import HELD_BY, silent
from fsseg.plan.added_up import not_counted, with_sums
from fsseg.plan.converted import Left
from fsseg.plan.creation import Creation, create_new_people, required_of_people
from fsseg.plan.defaults import Defaults
from fsseg.plan.diff import Change, Create, Fields, Skipped, Unchanged, Update, diff, field_of, rounded, same
from fsseg.plan.existing import hold_back
from fsseg.plan.latest_wins import Newest, newest
from fsseg.plan.united import united
from fsseg.processes import Processes
from fsseg.state.actions import Action, Code, Mode, Status
from fsseg.state.decided_rows import (
    KINDS,
    converting_leads,
    decide_entries,
    undecided,
    write_decisions,
)
from fsseg.state.fingerprint import fingerprint, fingerprint_keys, value_fingerprint
from fsseg.state.ledger import History, Ledger, history_of
from fsseg.state.plan_store import Around, Record, Store, encode


@dataclass(frozen=True)
class Deciding:
    """What deciding needs. `offline`: nothing was read, and who is only pointed at by timeline entries is known."""

    store: Store
    catalog: Catalog
    ledger: Ledger
    processes: Processes
    create_missing: bool = False
    offline: bool = False
    strict: bool = False
    """Whether a value that Freshsales can't hold is sent all the same, so that the record is refused."""
    defaults: Defaults | None = None
    existing: Mode = Mode.UPDATE
    """What happens to records that are there already."""
    convert_leads: bool = False
    added_up: frozenset[str] = frozenset()
    """The fields in which events are counted or added up."""

    @cached_property
    def creation(self) -> Creation:
        """How new records are filled."""
        return Creation(self.catalog, self.defaults, self.strict, required_of_people(self.catalog))

    @cached_property
    def left(self) -> Left:
        """What leads that become contacts leave to new records."""
        left = Left(self.catalog)
        for person, lead in converting_leads(self.store) if self.convert_leads else ():
            left.add(person, lead)
        return left


class Context(NamedTuple):
    """What a page of records points at: people of deals by id, accounts by name, deliveries by fingerprint key."""

    people: dict[int, Around]
    accounts: dict[str, Around]
    histories: dict[int, History]
    not_stored: dict[int, dict[str, int]]
    not_counted: dict[int, EventFieldValues]
    """By id of the record, what those of its events make that no run has counted or added up before."""


class Decision(NamedTuple):
    """The columns of a record that deciding sets. `times` is None where they stay."""

    action: str | None
    fields: Fields
    status: str
    code: str | None
    warnings: list[Any]
    account: int | None
    times: dict[str, int] | None = None


class Comparison(NamedTuple):
    """What is to change of a record, and the links to add to it. `times` is None where they stay."""

    change: Change
    links: Fields
    warnings: list[Any]
    times: dict[str, int] | None


def decide(work: Deciding, advance: Callable[[int], None] = lambda count: None) -> None:
    """Set `action`, `fields` and `status` of every record, accounts before who points at them, then of the entries.

    `advance` is told how many records were decided on since.
    """
    with work.store.hurried():
        for kind in KINDS:
            if kind == "person":
                create_new_people(work.store, work.creation, work.processes, advance)
            for page in undecided(work.store, kind):
                write_decisions(work.store, *_rows(work, page))
                advance(len(page))
    with work.store.transaction():
        decide_entries(work.store)


def _rows(work: Deciding, page: list[Record]) -> tuple[list[tuple[Any, ...]], list[tuple[str, int]]]:
    """What is decided of a page of records, as `write_decisions` takes it."""
    context = _context(work, page)
    decisions = [(record, _pointed_at(work, record) or decision(work, record, context)) for record in page]
    rows = [
        (made.action, encode(made.fields), made.status, made.code, encode(made.warnings), made.account, record.id)
        for record, made in decisions
    ]
    return rows, [(encode(made.times), one.id) for one, made in decisions if made.times not in (None, one.times)]


def _context(work: Deciding, page: list[Record]) -> Context:
    people = work.store.around(record.parent for record in page)
    names = (name for record in page for name in record.companies)
    keys = [key for record in page if record.existing is not None for key in keys_of(record, people)]
    return Context(
        people, work.store.accounts(names), work.ledger.rows(keys), work.ledger.not_stored(keys),
        not_counted(work.store, work.ledger, [record for record in page if _adds_up(work, record)]),
    )  # fmt: skip


def _adds_up(work: Deciding, record: Record) -> bool:
    return record.existing is not None and not work.added_up.isdisjoint(record.desired)


def _pointed_at(work: Deciding, record: Record) -> Decision | None:
    """Who is only pointed at, or only told of by group calls, is looked up, and made only where that is asked for.

    Who is there is tied to the accounts that group calls tell of.
    """
    is_told = record.existing is not None and (record.desired or record.companies)
    if record.action != Action.REFERENCE or is_told or (work.create_missing and record.existing is None):
        return None
    known = work.offline or record.existing is not None
    code = None if known else Code.UNKNOWN_PERSON
    return Decision(record.action, record.fields, Status.DONE, code, record.warnings, record.account)


def decision(work: Deciding, record: Record, context: Context) -> Decision:
    """What is to be done with this record, and why."""
    account = record.account
    links: Fields = {}
    if record.parent is not None:
        parent = context.people[record.parent]
        if parent.action == Action.CONFLICT:
            return Decision(Action.CONFLICT, record.fields, Status.FAILED, parent.code, record.warnings, account)
        links, account = _deal_links(work, context, record, parent)
    elif record.entity == "contact":
        links = _account_links(context, record)
    change, links, warnings, times = (
        _creation(work, record, links) if record.existing is None else _update(work, record, context, links)
    )
    match change:
        case Create(fields):
            return Decision(Action.CREATE, fields | links, record.status, record.code, warnings, account, times)
        case Update(fields):
            return Decision(Action.UPDATE, fields | links, record.status, record.code, warnings, account, times)
        case Unchanged():
            return Decision(Action.UNCHANGED, record.fields, Status.DONE, record.code, warnings, account, times)
        case Skipped(missing):
            named = ", ".join(f"{record.entity}.{name}" for name in missing)
            warnings = [*warnings, f"{Code.INCOMPLETE}: {named}"]
            return Decision(Action.SKIPPED, record.fields, Status.DONE, Code.INCOMPLETE, warnings, account, times)
    assert_never(change)


def _creation(work: Deciding, record: Record, links: Fields) -> Comparison:
    """What a record that isn't there is made with."""
    name = deal_name(record) if record.kind == "deal" else record.match_key
    desired = work.left.complete(record.kind, record.parent, name, record.desired)
    wanted, warnings = work.creation.fitted(record.entity, desired, record.warnings)
    if record.kind == "person":
        wanted = work.creation.person(record.entity, record.key, wanted, asks_contact=bool(record.asks_contact))
        warnings = warnings + work.creation.lacking(record.entity, wanted)
    elif work.defaults:
        wanted = work.defaults.fill(record.entity, wanted)
    return Comparison(diff(work.catalog, record.entity, wanted, None), links, warnings, None)


def _update(work: Deciding, record: Record, context: Context, links: Fields) -> Comparison:
    """What is to change of a record that is there: what is newer, can be stored, and may be written over."""
    existing, warnings = record.existing or {}, record.warnings
    history = history_of(context.histories, keys_of(record, context.people))
    desired, times, older = newest(record.desired, record.times, history.times, existing)
    if _adds_up(work, record):
        newer = Newest(desired, times, older)
        (desired, times, older), beyond = with_sums(
            newer, work.added_up, record, context.not_counted[record.id], history
        )
        warnings = warnings + beyond
    desired, warnings = work.creation.fitted(record.entity, united(desired, existing), warnings)
    warnings = warnings + [f"{Code.OLDER}: {name}" for name in older if not _holds(work.catalog, record, name)]
    desired, warnings = _storable(record, desired, context, warnings)
    change, links = _compare(work, record, history, desired, links)
    if work.existing is not Mode.UPDATE and isinstance(change, Update):
        held = hold_back(work.existing, change.fields, links, times, existing)
        change, links = Update(held.fields) if held.fields or held.links else Unchanged(), held.links
        warnings = warnings + [f"{Code.KEPT}: {name}" for name in held.kept]
        times = {name: time for name, time in times.items() if name not in held.kept}
    return Comparison(change, links, warnings, times)


def _storable(
    record: Record, desired: dict[str, Any], context: Context, warnings: list[Any]
) -> tuple[dict[str, Any], list[Any]]:
    """What is desired but for what Freshsales has taken before and not stored, which is warned of again."""
    known: dict[str, int] = {}
    for key in keys_of(record, context.people):
        known |= context.not_stored.get(key, {})
    dropped = {name for name in desired.keys() & known.keys() if value_fingerprint(desired[name]) == known[name]}
    if not dropped:
        return desired, warnings
    told = [f"{Code.NOT_STORED}: {name} = {desired[name]}" for name in sorted(dropped)]
    return {name: value for name, value in desired.items() if name not in dropped}, warnings + told


def _holds(catalog: Catalog, record: Record, name: str) -> bool:
    """Whether the record has what is wanted of it already."""
    has = (record.existing or {}).get(name)
    return same(has, record.desired[name], field_of(catalog, record.entity, name))


def keys_of(record: Record, people: dict[int, Around]) -> list[int]:
    """The keys under which the ledger keeps what was delivered of the record that is there."""
    if record.converts is not None:
        return fingerprint_keys(record.kind, "lead", record.converts, record.match_key, None)
    parent = people[record.parent].remote_id if record.parent else None
    return fingerprint_keys(record.kind, record.entity, record.remote_id, record.match_key, parent)


def was_delivered(store: Store, ledger: Ledger, records: Sequence[Record]) -> bool:
    """Whether just what is wanted of one of these records that are there was delivered before."""
    people = store.around(record.parent for record in records)
    return any(
        ledger.history(keys_of(record, people)).fingerprint
        == fingerprint(record.kind, record.desired, record.companies)
        for record in records
        if record.existing is not None
    )


def _compare(
    work: Deciding, record: Record, history: History, desired: dict[str, Any], links: Fields
) -> tuple[Change, Fields]:
    """The change to make, and the links to add. What could not be read is taken to hold what was last delivered."""
    has = record.existing
    assert has is not None
    if record.converts is not None:
        links = {"entity": ["lead", "contact"], **links}
    unread = {name for name in (*desired, *links) if silent(has, HELD_BY.get(name, name))}
    if unread and _delivered(history, record):
        desired, links = ({name: values[name] for name in values if name not in unread} for values in (desired, links))
        unread = set()
    if comes_back(work.ledger, record, has):
        has = {**has, "emails": [has["email"]]}
    change = diff(work.catalog, record.entity, desired, has)
    if isinstance(change, Update) and _only_rounded(work.catalog, record.entity, change.fields):
        change = Unchanged() if _delivered(history, record) else change
    if unread and work.offline:
        differing = change.fields if isinstance(change, Update) else {}
        change = Update({**differing, **{name: [None, desired[name]] for name in desired if name in unread}})
    return Update({}) if links and isinstance(change, Unchanged) else change, links


def _only_rounded(catalog: Catalog, entity: str, fields: Fields) -> bool:
    """Whether all that differs is numbers which Freshsales may have rounded."""
    return all(rounded(before, after, field_of(catalog, entity, name)) for name, (before, after) in fields.items())


def _delivered(history: History, record: Record) -> bool:
    """Whether what is wanted of this record is just what was last delivered of it."""
    return record.converts is None and history.fingerprint == fingerprint(record.kind, record.desired, record.companies)


def _account_links(context: Context, record: Record) -> Fields:
    """The contact's accounts before and after: those it has stay, those told of are added in the order they were."""
    has = (record.existing or {}).get("sales_accounts") or []
    ids = {account.get("id") for account in has}  # names in a copy of the contact may be older than the accounts'
    before = [account.get("name") for account in has]
    accounts = (context.accounts.get(name) for name in record.companies)
    added = [account.key for account in accounts if account is not None and account.remote_id not in ids]
    return {"sales_accounts": [before, before + added]} if added else {}


def _deal_links(work: Deciding, context: Context, record: Record, parent: Around) -> tuple[Fields, int | None]:
    account = next((context.accounts[name] for name in record.companies if name in context.accounts), None)
    links: Fields = {}
    has = record.existing
    unknown = has is not None and silent(has, HELD_BY["sales_account"]) and not work.offline
    if account is not None and not unknown and not (has or {}).get("sales_account_id"):
        links["sales_account"] = [None, account.key]
    if has is None or has.get("contact_ids") == []:
        links["contacts"] = [[], [parent.key]]
    return links, account.id if account else None
