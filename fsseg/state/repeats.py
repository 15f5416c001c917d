"""Events that were left out as they repeat others, of which only matching tells whether anybody has their people."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from fsseg.state.actions import Action, Code, EventOutcome
from fsseg.state.decided_rows import index_entries
from fsseg.state.ledger_format import signed, unsigned
from fsseg.state.plan_store import Store

IS_UNKNOWN = f"action = '{Action.REFERENCE}' AND matched AND existing IS NULL"
"""Of a record: of somebody whom entries point at, and nobody has."""

_UNKNOWN = f"SELECT id FROM record WHERE {IS_UNKNOWN}"


def keep_repeats(store: Store, repeats: Iterable[tuple[int, int]]) -> None:
    """Keep their positions and event keys, where some are only pointed at; transactions are the caller's."""
    pointed_at = f"SELECT 1 FROM record WHERE action = '{Action.REFERENCE}' LIMIT 1"
    if store.db.execute(pointed_at).fetchone():
        rows = ((position, signed(key)) for position, key in repeats)
        store.db.executemany("INSERT INTO repeat VALUES (?, ?)", rows)


def repeats_of_unknown(store: Store) -> dict[int, int]:
    """By position, the event keys of those whose originals are all of people whom nobody has."""
    if not store.count("repeat"):
        return {}
    index_entries(store)
    rows = store.db.execute(
        f"WITH unknown AS ({_UNKNOWN}) SELECT position, hash FROM repeat"
        " WHERE hash IN (SELECT hash FROM entry WHERE person IN unknown) AND NOT EXISTS"
        " (SELECT 1 FROM entry e WHERE e.hash = repeat.hash AND e.person IS NOT NULL AND e.person NOT IN unknown)"
    )
    return {position: unsigned(hash) for position, hash in rows}


def forget_repeats(store: Store, positions: Iterable[int]) -> None:
    """Nobody is to look at these again."""
    store.db.executemany("DELETE FROM repeat WHERE position = ?", ((position,) for position in positions))


def less_duplicates(store: Store, count: int) -> None:
    """So many events that were counted as duplicates were none."""
    counts, duplicate = store.meta.counts, (EventOutcome.SKIPPED, Code.DUPLICATE)
    left = [(*which, number - count * (tuple(which) == duplicate)) for *which, number in counts.reasons]
    store.meta.counts = replace(counts, reasons=[row for row in left if row[2]])
