"""What a plan is about to do, in the numbers that somebody wants to see before saying yes."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from fsseg.state.actions import IS_EMPTIED, TABLES, Action, Code, EventOutcome, Status
from fsseg.state.plan_store import Store

MOST_NAMES = 20
"""Event names that an overview holds: pages may have a name each."""

# The entities are named for the index on record, which begins with them.
_TO_CREATE = f"action = '{Action.CREATE}' AND status = '{Status.PLANNED}'"
_TO_UPDATE = f"action = '{Action.UPDATE}' AND status = '{Status.PLANNED}'"
_UPDATES = f"entity IN ('lead', 'contact', 'account', 'deal') AND {_TO_UPDATE}"
_ENTRIES = f"head IS NULL AND {_TO_CREATE}"
_NOT_SENT = f"action = '{Action.SKIPPED}' AND status = '{Status.FAILED}'"
_FIELDS = (
    "SELECT entity, key, count(*), sum(emptied)"
    f" FROM (SELECT r.entity, f.key, {IS_EMPTIED} AS emptied FROM record r, json_each(r.fields) f WHERE {_UPDATES})"
    " GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
)
_NAMES = (
    "SELECT name, count(*), sum(count(*)) OVER (), count(*) OVER () FROM"
    # SQLite reads JSON of 1,000 levels only, and events may go deeper.
    " (SELECT CASE WHEN json_valid(payload) THEN json_extract(payload, '$.name') ELSE '?' END AS name"
    f" FROM (SELECT CAST(payload AS TEXT) AS payload FROM entry WHERE {_ENTRIES}))"
    f" GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_NAMES}"
)
_REJECTED = (
    f"SELECT coalesce(code, '{EventOutcome.FAILED}'), count(*) FROM ("
    f"SELECT code, position FROM entry WHERE {_NOT_SENT} UNION"
    " SELECT r.code, json_extract(s.value, '$[0]') FROM record r, json_each(r.sources) s WHERE r.id IN"
    # An index answers this without reading the records, which are large.
    f" (SELECT id FROM record WHERE {_NOT_SENT}))"
    # Events of nobody count as skipped, here as in the run's summary.
    f" WHERE code IS NOT '{Code.ANONYMOUS}' GROUP BY 1"
)


class Overview(NamedTuple):
    """What is still to be pushed of a plan, and what will not be; what is most frequent comes first."""

    creates: dict[str, int]
    """Records by entity."""
    updates: dict[str, int]
    """Records by entity."""
    touched: dict[tuple[str, str], int]
    """Records to update by entity and field."""
    cleared: dict[tuple[str, str], int]
    """Records to update whose field will be empty, by entity and field."""
    entries: dict[str, int]
    """Timeline entries by event name; of many names the most frequent ones."""
    entry_count: int
    """All timeline entries."""
    entry_names: int
    """How many event names there are."""
    conflicts: dict[str, int]
    """Records and timeline entries that are left alone, by entity."""
    rejected: dict[str, int]
    """Events by reason code."""
    requests: int | None
    """Still to go, where they were forecast."""
    seconds: float | None
    """Still to go, where they were forecast."""
    is_most: bool = False
    """Whether it may well take fewer requests."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to push."""
        return not (self.creates or self.updates or self.entry_count)


def overview(store: Store) -> Overview:
    """Count what the plan in `store` would do."""
    fields = store.db.execute(_FIELDS).fetchall()
    names = store.db.execute(_NAMES).fetchall()
    cleared = sorted((row for row in fields if row[3]), key=lambda row: (-row[3], row[1], row[0]))
    forecast = store.meta.forecast
    return Overview(
        creates=_by_entity(store, _TO_CREATE),
        updates=_by_entity(store, _TO_UPDATE),
        touched={(entity, field): count for entity, field, count, _ in fields},
        cleared={(entity, field): count for entity, field, _, count in cleared},
        entries={name: count for name, count, _, _ in names},
        entry_count=names[0][2] if names else 0,
        entry_names=names[0][3] if names else 0,
        conflicts=_conflicts(store),
        rejected=_rejected(store),
        requests=max(forecast.requests - int(store.meta.requests.get("total", 0)), 0) if forecast else None,
        seconds=forecast.seconds if forecast else None,
        is_most=bool(forecast and forecast.is_most),
    )


class Undoing(NamedTuple):
    """What an undo is about to do, in records and timeline entries."""

    run: str
    """The run that is undone."""
    put_back: int
    delete: int
    left: int
    """What the run has created, and keeps."""


def undoing(store: Store) -> Undoing:
    """Count what the undo planned in `store` would do."""

    def count(where: str) -> int:
        return sum(store.count(table, where) for table in TABLES)

    return Undoing(
        run=str(store.meta.undoes),
        put_back=count(_TO_UPDATE),
        delete=count(f"action = '{Action.DELETE}' AND status = '{Status.PLANNED}'"),
        left=count(f"code = '{Code.CREATED}'"),
    )


def _by_entity(store: Store, where: str) -> dict[str, int]:
    return dict(
        store.db.execute(f"SELECT entity, count(*) FROM record WHERE {where} GROUP BY 1 ORDER BY 2 DESC, 1").fetchall()
    )


def _conflicts(store: Store) -> dict[str, int]:
    conflict = f"action = '{Action.CONFLICT}'"
    entries = store.count("entry", f"{conflict} AND head IS NULL")
    return _by_entity(store, conflict) | ({"timeline": entries} if entries else {})


def _rejected(store: Store) -> dict[str, int]:
    counts = Counter[str]()
    for outcome, code, count in store.meta.counts.reasons:
        if outcome in (EventOutcome.REJECTED, EventOutcome.FAILED):
            counts[code] += count
    for code, count in store.db.execute(_REJECTED):
        counts[code] += count
    return dict(counts.most_common())
