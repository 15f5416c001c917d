"""The rows that changes.jsonl is written from: what became of each record and timeline entry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from fsseg.freshsales.names import Entity
from fsseg.state.actions import Action
from fsseg.state.plan_store import Store


class Decided(NamedTuple):
    """What became of a record; `fields` and `warnings` are JSON.

    `exists`: it was there before; `person` is the key of the person whose deal it is.
    """

    id: int
    action: str
    entity: Entity
    key: str
    remote_id: int | None
    fields: str
    warnings: str
    status: str
    code: str | None
    message: str | None
    exists: int
    person: str | None


def ids_by_entity(store: Store) -> dict[Entity, range]:
    """The ids of all records by entity, and those of timeline entries, from the first to the last."""
    rows = store.db.execute(
        "SELECT entity, min(id), max(id) FROM record GROUP BY entity"
        # Asked for both at once, SQLite would go through all of them.
        " UNION ALL SELECT 'timeline', (SELECT min(id) FROM entry), (SELECT max(id) FROM entry)"
    )
    return {entity: range(first, last + 1) for entity, first, last in rows if entity and first is not None}


def decided_records(store: Store, entity: Entity, ids: range) -> Iterator[Decided]:
    """What became of the records of this entity with these ids, by id, but of those that were only looked up."""
    told = {
        "exists": "existing IS NOT NULL",
        "person": "(SELECT p.key FROM record p WHERE p.id = record.parent)",
    }
    rows = store.db.execute(
        f"SELECT {', '.join(told.get(name, name) for name in Decided._fields)} FROM record"
        " WHERE id BETWEEN ? AND ? AND entity = ? AND (matched OR kind != 'person') AND action IS NOT ?"
        " ORDER BY id",
        (ids.start, ids.stop - 1, entity, Action.REFERENCE),
    )
    return map(Decided._make, rows)


def existing_of(store: Store, id: int) -> dict[str, Any]:
    """What this record was before."""
    (text,) = store.db.execute("SELECT existing FROM record WHERE id = ?", (id,)).fetchone()
    return dict(orjson.loads(text or "{}"))


def timeline_rows(
    store: Store, ids: range
) -> Iterator[tuple[str | None, str, int | None, str, bytes, str | None, str]]:
    """The timeline entries with these ids."""
    return store.db.execute(
        "SELECT e.action, e.status, e.remote_id, e.time, e.payload, e.code,"
        " coalesce(p.key, nullif(e.email, ''), substr(coalesce(e.key, '?'), 2))"
        " FROM entry e LEFT JOIN record p ON p.id = e.person WHERE e.head IS NULL AND e.id BETWEEN ? AND ?"
        " ORDER BY e.id",
        (ids.start, ids.stop - 1),
    )
