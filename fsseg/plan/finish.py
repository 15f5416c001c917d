"""Remembering what was delivered, so that the next run of the same files has nothing to do."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from fsseg.plan.ledger import Ledger, unsigned
from fsseg.plan.store import Store
from fsseg.plan.tally_up import Totals


def remember(store: Store, ledger: Ledger, totals: Totals) -> None:
    """Write people and delivered events of this run into the ledger. May be repeated."""
    ledger.remember(_people(store), _events(store, totals))


def forget(original: Store, undone: Store, ledger: Ledger) -> None:
    """Take back what an undo has undone, so that the same events can be imported again, and note it there.

    May be repeated.
    """
    gone = "status = 'done' AND action IN ('update', 'delete')"
    ids = {row[0] for row in undone.db.execute(f"SELECT id FROM record WHERE {gone}")}
    deleted = (
        "SELECT entity, remote_id FROM record WHERE status = 'done' AND action = 'delete' AND remote_id IS NOT NULL"
    )
    keys = (
        key
        for id, sources in original.db.execute("SELECT id, sources FROM record")
        if id in ids
        for _, key in orjson.loads(sources)
    )
    ledger.forget(undone.db.execute(deleted).fetchall(), keys)
    entries = undone.db.execute("SELECT id, hash FROM entry WHERE status = 'done' AND action = 'delete'").fetchall()
    ledger.forget((), (unsigned(key) for _, key in entries))
    with original.transaction() as db:
        db.executemany("UPDATE record SET status = 'undone' WHERE id = ?", ((id,) for id in ids))
        db.executemany("UPDATE entry SET status = 'undone' WHERE id = ?", ((id,) for id, _ in entries))


def _people(store: Store) -> Iterator[tuple[str, str, int | None, str | None]]:
    for keys, entity, remote_id, email in store.db.execute(
        "SELECT keys, entity, remote_id, key FROM record WHERE kind = 'person' AND status = 'done'"
        " AND entity IS NOT NULL AND action IS NOT 'reference'"
    ):
        for key in orjson.loads(keys):
            yield key, entity, remote_id, email


def _events(store: Store, totals: Totals) -> Iterator[int]:
    for (sources,) in store.db.execute("SELECT sources FROM record"):
        for position, key in orjson.loads(sources):
            if totals.delivered(position):
                yield key
    for position, key in store.db.execute("SELECT position, hash FROM entry"):
        if totals.delivered(position):
            yield unsigned(key)
