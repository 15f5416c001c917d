"""The rows of a plan that are to be pushed, in the order in which they go, and those that the push asks for again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import get_args

from fsseg.freshsales.names import Entity
from fsseg.freshsales.sizes import PAGE_SIZE
from fsseg.state.actions import IS_WRITE, NOT_SETTLED, Action, Status, is_any
from fsseg.state.plan_store import Entry, Record, Store

_TO_SEND = f"{IS_WRITE} AND {NOT_SETTLED}"
_TO_DELETE = f"action = '{Action.DELETE}' AND {NOT_SETTLED}"
_PLANNED_CREATE = f"action = '{Action.CREATE}' AND status = '{Status.PLANNED}'"
_WITHOUT_ID = f"action = '{Action.CREATE}' AND status = '{Status.DONE}' AND remote_id IS NULL"
"""Made in bulk, whose answers tell no ids."""


_LEFT = f"SELECT id FROM record WHERE {_TO_SEND}"
_FREE: dict[str, str] = {
    "contact": "companies = '[]'",
    "deal": f"parent NOT IN ({_LEFT}) AND coalesce(account, 0) NOT IN ({_LEFT})",
    "entry": f"person NOT IN ({_LEFT})",
}
"""What doesn't hang on anything that is still to be written."""


def index_queue(store: Store) -> None:
    """Make what is to be sent quick to find. Planning does without: it would have to keep the index up to date."""
    store.db.execute("CREATE INDEX IF NOT EXISTS record_push ON record (entity, status, action)")
    store.db.execute("CREATE INDEX IF NOT EXISTS entry_push ON entry (person, time, position)")


def _where(kind: str, *, partly: bool) -> str:
    return f"{_TO_SEND} AND {_FREE[kind]}" if partly else _TO_SEND


def count_records_to_send(store: Store, entity: Entity, *, partly: bool = False) -> int:
    """How many records are to be created or updated, those in flight among them.

    `partly`: only those that hang on nothing that is still to be written.
    """
    return store.count("record", f"entity = ? AND {_where(entity, partly=partly)}", (entity,))


def planned_records(store: Store, entity: Entity, *, partly: bool = False) -> Iterator[Record]:
    """The records to create or update of which nothing was sent yet."""
    return store.records(f"entity = ? AND {_where(entity, partly=partly)} AND status = ?", (entity, Status.PLANNED))


def records_in_flight(store: Store, entity: Entity) -> Iterator[Record]:
    """The records to create or update that were sent, and nobody knows what came of it."""
    return store.records(f"entity = ? AND {_TO_SEND} AND status = ?", (entity, Status.SENT))


def has_updates_in_flight(store: Store) -> bool:
    """Whether nobody knows what came of a change to a record that was there."""
    sent = f"{is_any('entity', *get_args(Entity))} AND {IS_WRITE} AND status = '{Status.SENT}'"
    found = store.db.execute(f"SELECT EXISTS (SELECT 1 FROM record WHERE {sent} AND remote_id IS NOT NULL)")
    return bool(found.fetchone()[0])


def deletions_in_flight(store: Store) -> Iterator[Record]:
    """The records whose deletion was sent, and nobody knows what came of it."""
    return store.records(f"{_TO_DELETE} AND status = ?", (Status.SENT,))


def count_entries_to_send(store: Store, *, partly: bool = False) -> int:
    """How many timeline entries are to be created, those in flight among them."""
    return store.count("entry", f"head IS NULL AND {_where('entry', partly=partly)}")


def planned_entries(store: Store, size: int, *, partly: bool = False) -> Iterator[Sequence[Entry]]:
    """The timeline entries still to be sent, so many at a time, each person's in the order of their times."""
    after: tuple[int, str, int] = (-1, "", -1)
    free = _FREE["entry"] if partly else "1"
    while True:
        ids = store.db.execute(
            "SELECT person, time, position, id FROM entry WHERE (person, time, position) > (?, ?, ?)"
            f" AND head IS NULL AND {_PLANNED_CREATE} AND {free} ORDER BY person, time, position LIMIT ?",
            (*after, size),
        ).fetchall()
        if not ids:
            return
        after = ids[-1][:3]
        rows = {row.id: row for row in store.entries(f"id IN ({','.join(str(row[3]) for row in ids)})")}
        yield [rows[row[3]] for row in ids]


def entries_in_flight(store: Store) -> list[Entry]:
    """The timeline entries that were sent, and nobody knows what came of it."""
    return list(store.entries(f"head IS NULL AND {_TO_SEND} AND status = ?", (Status.SENT,)))


def count_deletions(store: Store) -> int:
    """How many records and timeline entries are to be deleted."""
    return store.count("entry", _TO_DELETE) + store.count("record", _TO_DELETE)


def entries_to_delete(store: Store) -> Iterator[Entry]:
    """The timeline entries to delete."""
    return store.entries(_TO_DELETE)


def records_to_delete(store: Store, entity: Entity) -> Iterator[Record]:
    """The records to delete."""
    return store.records(f"entity = ? AND {_TO_DELETE}", (entity,))


def accounts_to_resolve(store: Store) -> Iterator[Record]:
    """The accounts made without telling their ids, where a contact or deal that points at them may follow."""
    if not store.count("record", f"entity IN ('contact', 'deal') AND {_TO_SEND}"):
        return iter(())
    return store.records(f"entity = 'account' AND {_WITHOUT_ID}")


def contacts_to_resolve(store: Store) -> Iterator[Record]:
    """The contacts made without telling their ids that have deals or timeline entries in this plan."""
    return store.records(
        f"entity = 'contact' AND {_WITHOUT_ID}"
        " AND (id IN (SELECT parent FROM record WHERE kind = 'deal')"
        f" OR id IN (SELECT person FROM entry WHERE action = '{Action.CREATE}'))"
    )


def planned_deal_names(store: Store) -> list[str]:
    """The name of each deal that is to be created."""
    return [record.key for record in store.records(f"entity = 'deal' AND {_PLANNED_CREATE}")]


def count_written(store: Store, entity: Entity) -> int:
    """How many records this plan has changed in Freshsales."""
    changed = f"entity = ? AND status = '{Status.DONE}' AND action != '{Action.UNCHANGED}'"
    return store.count("record", changed, (entity,))


def written_records(store: Store, entity: Entity, match_keys: Iterable[str], remote_ids: Iterable[int]) -> list[Record]:
    """Of the records with these match keys those that this plan has written; of deals, whose names say little, those
    with one of the ids, too.
    """
    keys, found = sorted(match_keys), dict[int, Record]()
    kind = entity if entity in ("account", "deal") else "person"
    for at in range(0, len(keys), PAGE_SIZE):
        page = keys[at : at + PAGE_SIZE]
        marks = ", ".join("?" * len(page))
        found |= {one.id: one for one in _written(store, entity, f"kind = ? AND match_key IN ({marks})", kind, *page)}
    if entity == "deal":
        ids = sorted(remote_ids)
        found |= {one.id: one for one in _written(store, entity, f"remote_id IN ({', '.join('?' * len(ids))})", *ids)}
    return list(found.values())


def _written(store: Store, entity: Entity, where: str, *values: str | int) -> Iterator[Record]:
    # By the index of what is to be sent, each page would go through all of the entity.
    return store.records(f"{where} AND +entity = ? AND {IS_WRITE} AND status = '{Status.DONE}'", (*values, entity))
