"""What matching and deciding find out of records and timeline entries, written down."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from fsseg.freshsales.names import Entity
from fsseg.state.actions import Action, Code, Status
from fsseg.state.plan_store import Record, Store
from fsseg.state.row_status import add_warnings

PAGE = 5_000
"""Event keys that are held in memory at a time."""

DECIDED = ("action", "fields", "status", "code", "warnings", "account")
"""The columns of a record that deciding sets."""

AS_TOLD = "times = coalesce(told_times, times), told_times = NULL"
"""The SQL that gives a record that is to be decided on again the event times of all that is wanted of it."""

_ROOM = ("room",)
"""The column that has kept room for them; see `fold_store.ROOM`."""

KINDS = ("account", "person", "deal")
"""What is decided first stands first: a person points at accounts, a deal at both."""


class NewPerson(NamedTuple):
    """Somebody whom Freshsales doesn't hold; `desired` and `companies` are JSON."""

    id: int
    entity: Entity
    key: str
    asks_contact: int
    desired: str
    companies: str


_NEW = "kind = 'person' AND action IS NULL AND existing IS NULL"


def new_people(store: Store, size: int, ids: range | None = None) -> Iterator[list[NewPerson]]:
    """All new people who are still to be decided on, so many at a time; of these ids, if some are given."""
    last, end = (ids.start - 1, ids.stop - 1) if ids else (-1, 2**63 - 1)
    while True:
        rows = store.db.execute(
            f"SELECT {', '.join(NewPerson._fields)} FROM record NOT INDEXED WHERE id > ? AND id <= ? AND {_NEW}"
            " ORDER BY id LIMIT ?",
            (last, end, size),
        )
        page = [NewPerson._make(row) for row in rows]
        if not page:
            return
        last = page[-1].id
        yield page


def new_people_ids(store: Store, size: int) -> list[range]:
    """From which id to which one so many new people stand each, who are still to be decided on."""
    ids = array("q", (id for (id,) in store.db.execute(f"SELECT id FROM record NOT INDEXED WHERE {_NEW} ORDER BY id")))
    return [range(page[0], page[-1] + 1) for page in (ids[at : at + size] for at in range(0, len(ids), size))]


def create_people(store: Store, rows: Iterable[tuple[str, int]], warnings: Iterable[tuple[str, int]] = ()) -> None:
    """People to create, with the JSON of their fields, and what is to be warned of."""
    with store.transaction():
        add_warnings(store, warnings)
        created = ((fields, Action.CREATE, 1, id) for fields, id in rows)
        store.update_records(("fields", "action", "matched"), created, _ROOM)


def undecided(store: Store, kind: str) -> Iterator[list[Record]]:
    """The records of a kind that are still to be decided on, a page at a time."""
    return store.pages("kind = ? AND (action IS NULL OR action = ?)", (kind, Action.REFERENCE))


def converting_leads(store: Store) -> Iterator[tuple[int, dict[str, Any]]]:
    """The people who are leads and become contacts, with what the lead holds."""
    return ((record.id, record.existing or {}) for record in store.records("converts IS NOT NULL"))


def write_decisions(store: Store, rows: Iterable[tuple[Any, ...]], times: Iterable[tuple[str, int]]) -> None:
    """Set what was decided: the columns of `DECIDED`, and event times where some are not wanted any more; ids last."""
    with store.transaction():
        store.update_records(DECIDED, rows, _ROOM)
        keep_told = "UPDATE record SET told_times = coalesce(told_times, times), times = ? WHERE id = ?"
        store.db.executemany(keep_told, times)


def decide_entries(store: Store) -> None:
    """What belongs to nobody is rejected, what follows a conflict fails with it, the rest is to be created."""
    failed = f"status = '{Status.FAILED}'"
    undecided = f"action IS NULL OR action = '{Action.UNCHANGED}'"
    if not store.db.execute(f"SELECT EXISTS (SELECT 1 FROM entry WHERE {undecided})").fetchone()[0]:
        return
    for statement in (
        f"UPDATE entry SET action = '{Action.SKIPPED}', {failed}, code = '{Code.ANONYMOUS}'"
        " WHERE person IS NULL AND key >= '?' AND key < '@'",
        f"UPDATE entry SET action = '{Action.SKIPPED}', {failed}, code = '{Code.UNKNOWN_PERSON}'"
        " WHERE action IS NULL AND (person IS NULL"
        f" OR person IN (SELECT id FROM record WHERE code = '{Code.UNKNOWN_PERSON}'))",
        f"UPDATE entry SET action = '{Action.CONFLICT}', {failed},"
        " code = (SELECT code FROM record WHERE id = entry.person)"
        f" WHERE action IS NULL AND person IN (SELECT id FROM record WHERE action = '{Action.CONFLICT}')",
        f"UPDATE entry SET status = iif(action IS NULL, status, '{Status.DONE}'),"
        f" action = coalesce(action, '{Action.CREATE}') WHERE {undecided}",
    ):
        store.db.execute(statement)


def index_entries(store: Store) -> None:
    """Make entries quick to find by their event keys."""
    store.db.execute("CREATE INDEX IF NOT EXISTS entry_hash ON entry (hash)")


def known_with_entries(store: Store, via: str) -> list[tuple[Entity, int]]:
    """Who of the people that Freshsales holds has entries that go this way: entity and id in Freshsales."""
    return store.db.execute(
        "SELECT DISTINCT r.entity, r.remote_id FROM entry e JOIN record r ON r.id = e.person"
        " WHERE e.action IS NULL AND r.remote_id IS NOT NULL AND json_extract(e.payload, '$.via') = ?",
        (via,),
    ).fetchall()


def keys_of_readable_entries(store: Store) -> Iterator[list[int]]:
    """The event keys of the undecided entries that can be read back, by pages."""
    rows = store.db.execute(
        "SELECT hash FROM entry WHERE action IS NULL AND json_extract(payload, '$.via') != 'tracking'"
    )
    keys = array("q", (key for (key,) in rows))
    for at in range(0, len(keys), PAGE):
        yield list(keys[at : at + PAGE])


def mark_entries(store: Store, ids: Iterable[tuple[int | None, int]]) -> None:
    """These entries, given by id in Freshsales, where that is known, and event key, are there already."""
    with store.transaction() as db:
        db.executemany(
            f"UPDATE entry SET action = '{Action.UNCHANGED}', remote_id = ? WHERE hash = ? AND action IS NULL", ids
        )
