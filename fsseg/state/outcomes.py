"""Adding up: every event read gets exactly one outcome, that of the worst off of the records it went into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import NamedTuple

import orjson
from msgspec import Struct, field

from fsseg.segment.event import INDEX, POSITION_BITS
from fsseg.state.actions import Action, Code, EventOutcome, Status
from fsseg.state.plan_store import Store

_BY_RANK: tuple[EventOutcome | None, ...] = (None, *EventOutcome)
"""An event that went into several records has the gravest of their outcomes; one that went into none has none."""

RANK = {outcome: rank for rank, outcome in enumerate(_BY_RANK) if outcome is not None}
"""How grave each outcome is."""

# Named once: a member is looked up slowly, and there are as many rows as timeline entries.
_DELIVERED = frozenset({EventOutcome.UNCHANGED, EventOutcome.APPLIED})
_EXPLAINED = frozenset({EventOutcome.SKIPPED, EventOutcome.REJECTED, EventOutcome.FAILED})

NO_EVENTS = bytearray()
"""An undo has records and entries, but no events of its own."""


class Failure(NamedTuple):
    """Why an event was skipped, rejected or failed after the map stage."""

    code: str
    message: str | None
    status: int | None
    key: str | None
    """Whom or what the record or entry is of."""


class Totals(Struct):
    """The outcomes of the events that went into the plan. `failures` is by position."""

    outcomes: Counter[EventOutcome] = field(default_factory=Counter)
    reasons: Counter[tuple[EventOutcome, str]] = field(default_factory=Counter)
    failures: dict[int, Failure] = field(default_factory=dict)
    ranks: dict[int, bytearray] = field(default_factory=dict)
    records: Counter[tuple[str | None, str | None, str]] = field(default_factory=Counter)
    """Records, but people who were only looked up, and timeline entries: by entity, action and status."""

    def outcome(self, position: int) -> EventOutcome | None:
        """What became of the event at this position; None where it never came into the plan."""
        return _BY_RANK[self.ranks[position >> POSITION_BITS][position & INDEX]]

    def delivered(self, position: int) -> bool:
        """Whether nothing of this event is left to do."""
        return self.outcome(position) in _DELIVERED


def count_outcomes(store: Store, *, dry_run: bool) -> Totals:
    """The outcome of every planned event; an undo, which has none, gives reasons by record.

    In a dry run what is planned counts as applied.
    """
    totals = Totals(
        ranks={
            number: bytearray(events or 0) for number, events in store.db.execute("SELECT number, events FROM input")
        }
    )
    kinds = [*_record_kinds(store, totals.records, dry_run), *_entry_kinds(store, dry_run)]
    for kind in sorted(kinds, key=lambda kind: RANK[kind.outcome]):  # so that the gravest comes last, and stays
        if kind.outcome not in _EXPLAINED:
            rows = _mark(totals.ranks, RANK[kind.outcome], _positions(store, kind))
        elif kind.table == "entry":
            rows = store.count(kind.table, kind.where, kind.values)
        if kind.table == "entry":
            totals.records["timeline", kind.action, kind.status] += rows
    undo = store.meta.undoes is not None
    for positions, outcome, failure in _rows(store, kinds, dry_run):
        rank = RANK[outcome]
        if undo and failure is not None:
            totals.reasons[outcome, failure.code] += 1
        for position in positions:
            ranks, at = totals.ranks.get(position >> POSITION_BITS, NO_EVENTS), position & INDEX
            if at < len(ranks) and rank > ranks[at]:
                ranks[at] = rank
                totals.failures.pop(position, None)
                if failure is not None:
                    totals.failures[position] = failure
    for ranks in totals.ranks.values():
        counted = Counter(ranks)
        for outcome, rank in RANK.items():
            if counted[rank]:
                totals.outcomes[outcome] += counted[rank]
    for position, failure in totals.failures.items():
        if ended := totals.outcome(position):
            totals.reasons[ended, failure.code] += 1
    return totals


def _mark(ranks: dict[int, bytearray], rank: int, positions: Iterable[int]) -> int:
    """Give the events at these positions this rank, none of which has a higher one; how many positions there are."""
    mask, number, of_input = INDEX, -1, NO_EVENTS
    count = 0
    for count, position in enumerate(positions, 1):  # noqa: B007  # counted to the end
        if position >> POSITION_BITS != number:
            number = position >> POSITION_BITS
            of_input = ranks.get(number, NO_EVENTS)
        at = position & mask
        if at < len(of_input):
            of_input[at] = rank
    return count


class _Kind(NamedTuple):
    """An action, status and code that rows of a table have, what follows of it for their events, and which they are."""

    table: str
    action: str | None
    status: str
    code: str | None
    outcome: EventOutcome
    where: str
    values: tuple[str | None, ...]


def _record_kinds(store: Store, records: Counter[tuple[str | None, str | None, str]], dry_run: bool) -> list[_Kind]:
    """Every kind of records: there are few. The records are counted."""
    counted = f"action IS NOT '{Action.REFERENCE}'"
    found: dict[tuple[str | None, str, str | None], None] = {}
    for of, action, status, code, count in store.db.execute(
        f"SELECT entity, action, status, code, count(*) FROM record NOT INDEXED WHERE {counted} GROUP BY 1, 2, 3, 4"
    ):
        records[of, action, status] += count
        found[action, status, code] = None
    return _kinds("record", counted, [*found], dry_run)


def _entry_kinds(store: Store, dry_run: bool) -> list[_Kind]:
    """Every kind of timeline entries that stand for themselves. They are counted when their events are marked.

    That takes half as long as grouping them, of which there are many, in SQL.
    """
    counted = "head IS NULL"
    found = store.db.execute(f"SELECT DISTINCT action, status, code FROM entry WHERE {counted}").fetchall()
    return _kinds("entry", counted, found, dry_run)


def _kinds(table: str, counted: str, found: Sequence[tuple[str | None, str, str | None]], dry_run: bool) -> list[_Kind]:
    """These kinds of rows; where all are of one kind, none has to be looked at for what it is."""
    which = "" if len(found) == 1 else " AND action IS ? AND status = ? AND code IS ?"
    return [_Kind(table, *kind, _outcome(*kind, dry_run), f"{counted}{which}", kind if which else ()) for kind in found]


def _positions(store: Store, kind: _Kind) -> Iterator[int]:
    """The positions of the events of rows of this kind."""
    if kind.table == "entry":
        rows: Iterable[Sequence[int]] = store.db.execute(f"SELECT position FROM entry WHERE {kind.where}", kind.values)
    else:
        records = store.db.execute(f"SELECT sources FROM record WHERE {kind.where}", kind.values)
        rows = chain.from_iterable(orjson.loads(sources) for (sources,) in records)
    return map(itemgetter(0), rows)


def _rows(
    store: Store, kinds: list[_Kind], dry_run: bool
) -> Iterator[tuple[Iterable[int], EventOutcome, Failure | None]]:
    """What has to be explained, and what stands for several events at once."""
    for kind in kinds:
        if kind.outcome in _EXPLAINED:
            yield from _explained(store, kind)
    rolled_up = store.db.execute(
        f"SELECT e.position, h.action, h.status, h.code, h.message, h.http_status, {_WHOSE}"
        " FROM entry e JOIN entry h ON h.id = e.head WHERE e.head IS NOT NULL"
    )
    for position, action, status, code, *words in rolled_up:
        outcome = _outcome(action, status, code, dry_run)
        yield [position], outcome, _failure(outcome, code, *words)


def _explained(store: Store, kind: _Kind) -> Iterator[tuple[Iterable[int], EventOutcome, Failure | None]]:
    if kind.table == "record":
        query = f"SELECT sources, message, http_status, key FROM record WHERE {kind.where}"
        for sources, *words in store.db.execute(query, kind.values):
            positions = [position for position, _ in orjson.loads(sources)]
            yield positions, kind.outcome, _failure(kind.outcome, kind.code, *words)
    else:
        query = f"SELECT position, message, http_status, {_WHOSE} FROM entry e WHERE {kind.where}"
        for position, *words in store.db.execute(query, kind.values):
            yield [position], kind.outcome, _failure(kind.outcome, kind.code, *words)


_WHOSE = "coalesce((SELECT key FROM record WHERE id = e.person), e.email, substr(e.key, 2))"


def _failure(
    outcome: EventOutcome, code: str | None, message: str | None, status: int | None, key: str | None
) -> Failure | None:
    return Failure(code or outcome, message, status, key) if outcome in _EXPLAINED else None


_FAILED_AS: dict[str, EventOutcome] = {
    Code.UNKNOWN_PERSON: EventOutcome.REJECTED,
    Code.ANONYMOUS: EventOutcome.SKIPPED,
}


@cache  # few combinations, and as many rows as there are timeline entries
def _outcome(action: str | None, status: str, code: str | None, dry_run: bool) -> EventOutcome:
    match action, status:
        case ((Action.CREATE | Action.UPDATE | Action.DELETE), (Status.DONE | Status.UNDONE)):
            return EventOutcome.APPLIED
        case ((Action.CREATE | Action.UPDATE | Action.DELETE), (Status.FAILED | Status.UNKNOWN)):
            return EventOutcome.FAILED
        case ((Action.CREATE | Action.UPDATE | Action.DELETE), _):
            return EventOutcome.APPLIED if dry_run else EventOutcome.PENDING
        case Action.UNCHANGED, _:
            return EventOutcome.UNCHANGED
        case Action.CONFLICT, _:
            return EventOutcome.FAILED
        case Action.SKIPPED, Status.FAILED:
            return _FAILED_AS.get(code or "", EventOutcome.FAILED)
        case Action.SKIPPED, _:
            return EventOutcome.SKIPPED
    return EventOutcome.PENDING
