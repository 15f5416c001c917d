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


def _people(store: Store) -> Iterator[tuple[str, str, int, str | None]]:
    for keys, entity, remote_id, email in store.db.execute(
        "SELECT keys, entity, remote_id, key FROM record WHERE kind = 'person' AND status = 'done'"
        " AND remote_id IS NOT NULL AND entity IS NOT NULL"
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
