"""Adding up: every event read gets exactly one outcome, that of the worst off of the records it went into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from fsseg.segment.event import POSITION_BITS
from fsseg.state.plan_store import REFERENCE, Store

ORDER = ("", "skipped", "unchanged", "applied", "pending", "rejected", "failed")
"""Outcomes from the mildest to the gravest; an event that went into several records has the gravest of theirs."""

RANK = {name: rank for rank, name in enumerate(ORDER)}

FAILING = frozenset({"skipped", "rejected", "failed"})
"""Outcomes that have a reason."""

NO_EVENTS = bytearray()
"""An undo has records and entries, but no events of its own."""


class Failure(NamedTuple):
    """Why an event was skipped, rejected or failed after the map stage."""

    code: str
    message: str | None
    status: int | None


@dataclass
class Totals:
    """The outcomes of the events that went into the plan. `failures` is by position."""

    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: dict[int, Failure] = field(default_factory=dict)
    ranks: dict[int, bytearray] = field(default_factory=dict)

    def outcome(self, position: int) -> str:
        """What became of the event at this position; empty where it never came into the plan."""
        return ORDER[self.ranks[position >> POSITION_BITS][position & ((1 << POSITION_BITS) - 1)]]

    def delivered(self, position: int) -> bool:
        """Whether nothing of this event is left to do."""
        return self.outcome(position) in ("unchanged", "applied")


def add_up(store: Store, *, dry_run: bool) -> Totals:
    """The outcome of every planned event; an undo, which has none, gives reasons by record.

    In a dry run what is planned counts as applied.
    """
    totals = Totals(
        ranks={
            number: bytearray(events or 0) for number, events in store.db.execute("SELECT number, events FROM input")
        }
    )
    mask = (1 << POSITION_BITS) - 1
    undo = store.get("undoes") is not None
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
        for rank, name in enumerate(ORDER):
            if name and counted[rank]:
                totals.outcomes[name] += counted[rank]
    for position, failure in totals.failures.items():
        totals.reasons[totals.outcome(position), failure.code] += 1
    return totals


def _rows(store: Store, dry_run: bool) -> Iterator[tuple[Iterable[int], str, Failure | None]]:
    records = store.db.execute(
        "SELECT sources, action, status, code, message, http_status FROM record WHERE action IS NOT ?", (REFERENCE,)
    )
    for sources, action, status, code, message, http_status in records:
        outcome = _outcome(action, status, code, dry_run)
        yield [source[0] for source in orjson.loads(sources)], outcome, _failure(outcome, code, message, http_status)
    yield from _entries(store, dry_run)
    rolled_up = store.db.execute(
        "SELECT e.position, h.action, h.status, h.code, h.message, h.http_status"
        " FROM entry e JOIN entry h ON h.id = e.head WHERE e.head IS NOT NULL"
    )
    for position, action, status, code, message, http_status in rolled_up:
        outcome = _outcome(action, status, code, dry_run)
        yield [position], outcome, _failure(outcome, code, message, http_status)


def _entries(store: Store, dry_run: bool) -> Iterator[tuple[Iterable[int], str, Failure | None]]:
    """Entries that stand for themselves, together with all others of which the same has become."""
    kinds = store.db.execute("SELECT DISTINCT action, status, code FROM entry WHERE head IS NULL").fetchall()
    for action, status, code in kinds:
        outcome = _outcome(action, status, code, dry_run)
        rows = store.db.execute(
            "SELECT position, message, http_status FROM entry"
            " WHERE head IS NULL AND action IS ? AND status = ? AND code IS ?",
            (action, status, code),
        )
        if outcome in FAILING:
            for position, message, http_status in rows:
                yield [position], outcome, _failure(outcome, code, message, http_status)
        else:
            yield (position for position, _, _ in rows), outcome, None


def _failure(outcome: str, code: str | None, message: str | None, status: int | None) -> Failure | None:
    return Failure(code or outcome, message, status) if outcome in FAILING else None


def _outcome(action: str | None, status: str, code: str | None, dry_run: bool) -> str:
    match action, status:
        case (("create" | "update" | "delete"), ("done" | "undone")):
            return "applied"
        case (("create" | "update" | "delete"), ("failed" | "unknown")):
            return "failed"
        case (("create" | "update" | "delete"), _):
            return "applied" if dry_run else "pending"
        case "unchanged", _:
            return "unchanged"
        case "conflict", _:
            return "failed"
        case "skipped", "failed":
            return _failed_as(code or "")
        case "skipped", _:
            return "skipped"
    return "pending"


def _failed_as(code: str) -> str:
    return {"unknown_person": "rejected", "anonymous": "skipped"}.get(code, "failed")
