"""Remembering what was delivered, so that the next run of the same files has nothing to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain

import orjson

from fsseg.plan.content import content, places
from fsseg.plan.files import finished
from fsseg.plan.ledger import Ledger, Person, unsigned
from fsseg.plan.store import Store
from fsseg.plan.tally_up import Totals

REMEMBERED = "remembered"
"""Under this name the store keeps when its records were last remembered: later runs may have written them since."""

_PLACED = (
    "SELECT r.kind, r.entity, r.remote_id, r.match_key, p.remote_id, r.desired, r.sources"
    " FROM record r LEFT JOIN record p ON p.id = r.parent WHERE"
)


def unsettle(store: Store, ledger: Ledger) -> None:
    """Forget the contents of all records that are about to be written: until it is settled, nobody knows them."""
    _unsettle(store, ledger, "r.action IN ('create', 'update', 'delete') AND r.status IN ('planned', 'sent')")


def unsettle_written(original: Store, ledger: Ledger) -> None:
    """Forget the contents of all records that a run wrote, before it is undone."""
    _unsettle(original, ledger, "r.action IN ('create', 'update') AND r.status = 'done'")


def _unsettle(store: Store, ledger: Ledger, where: str) -> None:
    rows = store.db.execute(f"{_PLACED} {where}")
    ledger.forget_contents(place for row in rows for place in places(*row[:5]))


def remember(store: Store, ledger: Ledger, totals: Totals, run: str) -> None:
    """Write people, delivered events, contents and finished files of this run into the ledger. May be repeated."""
    now = datetime.now(UTC).isoformat()
    ledger.remember(_people(store), _events(store, totals), _contents(store, totals), finished(store, totals, run))
    store.put(REMEMBERED, now)


def forget(original: Store, undone: Store, ledger: Ledger, run: str) -> None:
    """Take back what an undo of `run` has undone, so that the same events can be imported again, and note it there.

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
    entries = undone.db.execute("SELECT id, hash FROM entry WHERE status = 'done' AND action = 'delete'").fetchall()
    ledger.forget(undone.db.execute(deleted), chain(keys, (unsigned(key) for _, key in entries)), run)
    with original.transaction() as db:
        db.executemany("UPDATE record SET status = 'undone' WHERE id = ?", ((id,) for id in ids))
        db.executemany("UPDATE entry SET status = 'undone' WHERE id = ?", ((id,) for id, _ in entries))


def _people(store: Store) -> Iterator[Person]:
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


def _contents(store: Store, totals: Totals) -> Iterator[tuple[int, int]]:
    """Place and content of every record that holds what was wanted of it, all that hangs on its events included."""
    for *row, desired, sources in store.db.execute(
        f"{_PLACED} r.status = 'done' AND r.action IN ('create', 'update', 'unchanged')"
        " AND coalesce(r.claimed_at, '') >= ?",
        (store.get(REMEMBERED, ""),),
    ):
        if all(totals.delivered(position) for position, _ in orjson.loads(sources)):
            for place in places(*row)[:1]:
                yield place, content(orjson.loads(desired))
