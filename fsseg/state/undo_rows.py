"""The rows of a run that an undo looks at, and those that it plans."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from msgspec import Struct

from fsseg.freshsales.names import Entity
from fsseg.state.actions import IS_WRITE, TABLES, Action, Code, Status, is_any
from fsseg.state.plan_store import Entry, Record, Store, encode

NEVER = sys.maxsize
"""Stands for a generation of the ledger that never comes."""

_WRITTEN = f"status = '{Status.DONE}' AND {IS_WRITE}"
_MAYBE_WRITTEN = (
    f"claimed_at IS NOT NULL AND {is_any('status', Status.PLANNED, Status.SENT, Status.UNKNOWN)}"
    f" AND (action = '{Action.UPDATE}' OR (action = '{Action.CREATE}' AND remote_id IS NOT NULL))"
)
"""What may have been written when the process ended: what Freshsales holds now tells."""
_TO_COMPARE = f"({_WRITTEN}) OR ({_MAYBE_WRITTEN})"


class WayBack(Struct, frozen=True):
    """What an undo does with a row: the columns that it plans."""

    action: Action
    status: Status = Status.PLANNED
    code: Code | None = None
    warnings: tuple[Code, ...] = ()
    fields: dict[str, list[Any]] = {}
    links: list[dict[str, Any]] | None = None
    dropped: str | None = None
    message: str | None = None
    http_status: int | None = None


def records_to_compare(original: Store) -> Iterator[Record]:
    """The records that the run has written, or may have."""
    return original.records(_TO_COMPARE)


def count_records_to_compare(original: Store) -> int:
    """How many records `records_to_compare` gives."""
    return original.count("record", _TO_COMPARE)


def unnamed_records(original: Store) -> dict[Entity, tuple[int, datetime]]:
    """How many of these there are of each kind whose ids are not known, and when the first of them was sent."""
    rows = original.db.execute(
        f"SELECT entity, count(*), min(claimed_at) FROM record WHERE ({_TO_COMPARE}) AND remote_id IS NULL"
        " AND claimed_at IS NOT NULL GROUP BY entity"
    )
    return {entity: (count, datetime.fromisoformat(since)) for entity, count, since in rows}


def updated_records(original: Store) -> Iterator[Record]:
    """The records that were there, and that the run has changed."""
    return original.records(f"status = '{Status.DONE}' AND action = '{Action.UPDATE}'")


def written_entries(original: Store) -> Iterator[Entry]:
    """The timeline entries that the run has made."""
    return original.entries(f"head IS NULL AND {_WRITTEN}")


def generation_of(original: Store, record: Record) -> int:
    """The ledger's generation once it was told of this record; beyond all of them where it never was."""
    (committed,) = original.db.execute("SELECT committed FROM record WHERE id = ?", (record.id,)).fetchone()
    return NEVER if committed is None else int(committed)


def forget_planned(undo: Store) -> None:
    """Plan the undo anew but for what it has done; another one may have done by now what was planned."""
    for table in TABLES:
        undo.db.execute(f"DELETE FROM {table} WHERE status = '{Status.PLANNED}'")


def ids_of_records(undo: Store) -> set[int]:
    """The records that the undo has dealt with already."""
    return {id for (id,) in undo.db.execute(f"SELECT id FROM record WHERE action != '{Action.REFERENCE}'")}


def ids_of_entries(undo: Store) -> set[int]:
    """The timeline entries that the undo has dealt with already."""
    return {id for (id,) in undo.db.execute("SELECT id FROM entry")}


def add_record(undo: Store, record: Record, current: dict[str, Any] | None, way: WayBack) -> None:
    """Plan what is to be done with a record of the run, which holds `current` now."""
    columns = {
        "id": record.id, "kind": record.kind, "entity": record.entity, "key": record.key, "match_key": record.match_key,
        "parent": record.parent, "account": record.account, "by_email": record.by_email, "keys": encode(record.keys),
        "existing": None if current is None else encode(current),
        "remote_id": current["id"] if current else record.remote_id,
        "action": way.action, "status": way.status, "code": way.code,
        "message": way.message, "http_status": way.http_status, "warnings": encode(way.warnings),
        "fields": encode(way.fields), "matched": True,
        "links": None if way.links is None else encode(way.links), "dropped": way.dropped,
    }  # fmt: skip
    marks = ", ".join("?" * len(columns))
    undo.db.execute(f"INSERT OR REPLACE INTO record ({', '.join(columns)}) VALUES ({marks})", tuple(columns.values()))


def add_reference(undo: Store, original: Store, id: int) -> None:
    """Let the person be there whom a deal or an entry belongs to, though nothing of it was written."""
    if not undo.count("record", "id = ?", (id,)):
        person = original.record(id)
        known = {"id": person.remote_id} if person.remote_id else None
        add_record(undo, person, known, WayBack(Action.REFERENCE, Status.DONE))


def add_entry(undo: Store, entry: Entry, way: WayBack) -> None:
    """Plan what is to be done with a timeline entry of the run."""
    undo.db.execute(
        "INSERT OR REPLACE INTO entry"
        " (id, key, person, position, hash, time, email, payload, action, remote_id, status, code)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (entry.id, entry.key, entry.person, entry.position, entry.hash, entry.time, entry.email, encode(entry.payload),
         way.action, entry.remote_id, way.status, way.code),
    )  # fmt: skip
