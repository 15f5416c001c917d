"""Adding up: every event read gets exactly one outcome, that of the worst off of the records it went into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import orjson

from fsseg.segment.event import POSITION_BITS
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


@dataclass
class Totals:
    """The outcomes of the events that went into the plan. `failures` is by position."""

    outcomes: Counter[EventOutcome] = field(default_factory=Counter)
    reasons: Counter[tuple[EventOutcome, str]] = field(default_factory=Counter)
    failures: dict[int, Failure] = field(default_factory=dict)
    ranks: dict[int, bytearray] = field(default_factory=dict)

    def outcome(self, position: int) -> EventOutcome | None:
        """What became of the event at this position; None where it never came into the plan."""
        return _BY_RANK[self.ranks[position >> POSITION_BITS][position & ((1 << POSITION_BITS) - 1)]]

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
    for plain, rows in _plain_entries(store, dry_run):
        _mark(totals.ranks, plain, rows)
    mask = (1 << POSITION_BITS) - 1
    undo = store.meta.undoes is not None
    for positions, outcome, failure in _rows(store, dry_run):
        rank = RANK[outcome]
        if undo and failure is not None:
            totals.reasons[outcome, failure.code] += 1
        for position in positions:
            ranks, at = totals.ranks.get(position >> POSITION_BITS, NO_EVENTS), position & mask
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


def _mark(ranks: dict[int, bytearray], rank: int, positions: Iterable[tuple[int]]) -> None:
    """Give the events at these positions this rank, unless they have a higher one."""
    mask, number, of_input = (1 << POSITION_BITS) - 1, -1, NO_EVENTS
    for (position,) in positions:
        if position >> POSITION_BITS != number:
            number = position >> POSITION_BITS
            of_input = ranks.get(number, NO_EVENTS)
        at = position & mask
        if at < len(of_input) and rank > of_input[at]:
            of_input[at] = rank


def _plain_entries(store: Store, dry_run: bool) -> Iterator[tuple[int, Iterable[tuple[int]]]]:
    """The positions of entries of which there is nothing to explain, and the rank of their outcome."""
    for kind in _kinds(store):
        outcome = _outcome(*kind, dry_run)
        if outcome not in _EXPLAINED:
            yield RANK[outcome], store.db.execute(f"SELECT position FROM entry e WHERE {_SAME}", kind)


def _kinds(store: Store) -> list[tuple[str | None, str, str | None]]:
    """Each action, status and code that entries have."""
    return store.db.execute("SELECT DISTINCT action, status, code FROM entry WHERE head IS NULL").fetchall()


_SAME = "e.head IS NULL AND e.action IS ? AND e.status = ? AND e.code IS ?"


def _rows(store: Store, dry_run: bool) -> Iterator[tuple[Iterable[int], EventOutcome, Failure | None]]:
    records = store.db.execute(
        "SELECT sources, action, status, code, message, http_status, key FROM record WHERE action IS NOT ?",
        (Action.REFERENCE,),
    )
    for sources, action, status, code, *words in records:
        outcome = _outcome(action, status, code, dry_run)
        yield [source[0] for source in orjson.loads(sources)], outcome, _failure(outcome, code, *words)
    yield from _explained_entries(store, dry_run)
    rolled_up = store.db.execute(
        f"SELECT e.position, h.action, h.status, h.code, h.message, h.http_status, {_WHOSE}"
        f" FROM entry e JOIN entry h ON h.id = e.head {_PERSON} WHERE e.head IS NOT NULL"
    )
    for position, action, status, code, *words in rolled_up:
        outcome = _outcome(action, status, code, dry_run)
        yield [position], outcome, _failure(outcome, code, *words)


def _explained_entries(store: Store, dry_run: bool) -> Iterator[tuple[Iterable[int], EventOutcome, Failure | None]]:
    """Entries that stand for themselves, and of which there is something to explain."""
    for kind in _kinds(store):
        outcome = _outcome(*kind, dry_run)
        if outcome in _EXPLAINED:
            rows = store.db.execute(
                f"SELECT e.position, e.message, e.http_status, {_WHOSE} FROM entry e {_PERSON} WHERE {_SAME}", kind
            )
            for position, *words in rows:
                yield [position], outcome, _failure(outcome, kind[2], *words)


_WHOSE = "coalesce(p.key, e.email, substr(e.key, 2))"
_PERSON = "LEFT JOIN record p ON p.id = e.person"


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
