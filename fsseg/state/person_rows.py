"""What a plan holds of one person: the records, the timeline entries, and at which positions their events stand."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from orjson import dumps

from fsseg.state.actions import Action, Status
from fsseg.state.plan_store import Record, Store

MOST_ENTRIES = 2_000

_NAMED = (
    "kind = 'person' AND (lower(key) = ? OR match_key = ? OR CAST(remote_id AS TEXT) = ?"
    " OR EXISTS (SELECT 1 FROM json_each(keys) WHERE lower(value) IN ('#' || ?, '@' || ?)))"
)


class EntryRow(NamedTuple):
    """A timeline entry by the position of its event, and how it stands."""

    position: int
    action: str | None
    status: str
    code: str | None
    message: str | None
    remote_id: int | None


def records_of(store: Store, person: str) -> list[Record]:
    """The person's own records and their deals; `person` is an e-mail, a userId or an id in Freshsales."""
    name = person.strip().removeprefix("#").casefold()
    people = list(store.records(_NAMED, (name,) * _NAMED.count("?")))
    deals = [deal for each in people for deal in store.records("parent = ?", (each.id,))]
    return [*people, *deals]


def accounts_of(store: Store, records: Collection[Record]) -> list[Record]:
    """The accounts that these people and deals are to belong to."""
    names = dumps([*{name for record in records for name in record.companies}]).decode()
    return [*store.records("kind = 'account' AND match_key IN (SELECT value FROM json_each(?))", (names,))]


def positions_of(store: Store, person: Record) -> set[int]:
    """Where all events of a person's timeline stand."""
    return {position for (position,) in store.db.execute("SELECT position FROM entry WHERE person = ?", (person.id,))}


def entries_at(store: Store, positions: Collection[int]) -> list[EntryRow]:
    """The entries of events at these positions, whosever they are."""
    query = f"SELECT {', '.join(EntryRow._fields)} FROM entry WHERE position IN (SELECT value FROM json_each(?))"
    return [EntryRow._make(row) for row in store.db.execute(query, (dumps([*positions]).decode(),))]


def reject_codes(store: Store, positions: Collection[int]) -> dict[int, str]:
    """Why events at these positions were rejected before anything was planned of them."""
    query = "SELECT position, code FROM reject WHERE position IN (SELECT value FROM json_each(?))"
    return dict(store.db.execute(query, (dumps([*positions]).decode(),)))


def has_written(store: Store, records: Collection[Record]) -> bool:
    """Whether the run created or updated any of these records, or created a timeline entry of these people."""
    made = "SELECT 1 FROM entry WHERE person = ? AND action = ? AND status = ? LIMIT 1"
    return any(
        (record.action in (Action.CREATE, Action.UPDATE) and record.status == Status.DONE)
        or store.db.execute(made, (record.id, Action.CREATE, Status.DONE)).fetchone()
        for record in records
    )


def entries_of(store: Store, person: Record) -> list[EntryRow]:
    """The first entries of a person's timeline, by time."""
    columns = ", ".join(EntryRow._fields)
    rows = store.db.execute(
        f"SELECT {columns} FROM entry WHERE person = ? ORDER BY time, position LIMIT {MOST_ENTRIES}", (person.id,)
    )
    return [EntryRow._make(row) for row in rows]
