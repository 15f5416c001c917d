"""Undo: a plan that puts back what a run changed, where nobody has changed it since."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from fsseg.freshsales.reader import Reader
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.field_types import wire
from fsseg.mapping.fields import Field
from fsseg.match.finders import LookupFinder, fetch
from fsseg.match.remote_record import Existing, addresses
from fsseg.plan.diff import field_of, rounded, same
from fsseg.segment.email_key import email_key
from fsseg.state.deliveries import Told
from fsseg.state.fingerprint import places
from fsseg.state.ledger import History, Ledger
from fsseg.state.ledger_update import delivered_since
from fsseg.state.plan_store import REFERENCE, Entry, Record, Store, encode

CONFLICT: dict[str, Any] = {"action": "conflict", "status": "failed", "code": "conflict"}


CREATED = "created"
"""The warning of what the run has made, and keeps."""

NEVER = sys.maxsize

ToldAt = Callable[[set[int]], dict[int, list[Told]]]
"""What other runs have delivered of the records at these places."""

DONE = "status = 'done' AND action IN ('create', 'update')"
"""Which rows a run has written."""

SENT = (
    f"({DONE}) OR (claimed_at IS NOT NULL AND status IN ('planned', 'sent', 'unknown')"
    " AND (action = 'update' OR (action = 'create' AND remote_id IS NOT NULL)))"
)
"""Those, and the records that may have been written when the process ended: what they hold now tells."""


def reverse(
    original: Store,
    store: Store,
    reader: Reader,
    catalog: Catalog,
    ledger: Ledger,
    tick: Callable[[int], None],
    told: ToldAt,
    *,
    delete_created: bool,
) -> None:
    """Fill `store` with the way back from the run in `original`; what it has done of it already stays.

    An updated record gets its before-values back; a created one is `unchanged` (only listed), or `delete` with
    `delete_created`. What no longer holds what the run wrote, or what another run has delivered to since, is a
    `conflict`; `told` tells what other runs have delivered. `tick` is told of each record compared. Raises the client's
    errors.
    """
    with store.transaction() as db:  # another undo may have done by now what was planned
        for table in ("record", "entry"):
            db.execute(f"DELETE FROM {table} WHERE status = 'planned'")
    settled = {id for (id,) in store.db.execute("SELECT id FROM record WHERE action != ?", (REFERENCE,))}
    later = told(_touched_since(original, ledger))
    for record in original.records(SENT):
        if record.id in settled:
            continue
        current = _current(reader, record)
        row = CONFLICT
        if current is None and record.action == "create":
            row = {"action": "unchanged", "status": "done"}
        elif current is not None and record.action == "update":
            row = (
                CONFLICT
                if _is_overtaken(original, ledger, later, record, current)
                else _way_back(original, catalog, record, current)
            )
        elif current is not None:
            row = _created(catalog, record, current, delete_created)
            if row["action"] == "delete" and _is_used(original, ledger, record, int(current["id"])):
                row = CONFLICT
        with store.transaction():
            if record.parent:
                _refer(store, original, record.parent)
            _insert(store, record, current, row)
        tick(1)
    settled = {id for (id,) in store.db.execute("SELECT id FROM entry")}
    for entry in original.entries(f"head IS NULL AND {DONE}"):
        if entry.id in settled:
            continue
        with store.transaction():
            _insert_entry(store, original, entry, delete_created)
    store.index()


def _touched_since(original: Store, ledger: Ledger) -> set[int]:
    """The places of the updated records to which another run has delivered something since."""
    return {
        at
        for record in original.records("status = 'done' AND action = 'update'")
        if _is_used(original, ledger, record, record.remote_id)
        for at in _places(original, record, record.remote_id)
    }


def _is_overtaken(
    original: Store, ledger: Ledger, later: dict[int, list[Told]], record: Record, current: Existing
) -> bool:
    """Whether a later run has delivered a field of this record with a later time, or by an event of the same time."""
    id = int(current["id"])
    times = _history(original, ledger, record, id).times
    own, committed = {key for _, key in record.sources}, _committed(original, record)
    others = [
        one
        for at in _places(original, record, id)
        for one in later.get(at, ())
        if one.generation > committed and not one.events <= own
    ]
    return any(
        times.get(name, 0) > time or any(one.times.get(name) == time for one in others)
        for name, time in record.times.items()
        if name in record.fields
    )


def _is_used(original: Store, ledger: Ledger, record: Record, remote_id: int | None) -> bool:
    """Whether another run has put something onto this record since."""
    generation = _history(original, ledger, record, remote_id).generation
    return delivered_since(original, _committed(original, record), generation)


def _committed(original: Store, record: Record) -> int:
    """The ledger's generation once it was told of this record; beyond all of them where it never was."""
    (committed,) = original.db.execute("SELECT committed FROM record WHERE id = ?", (record.id,)).fetchone()
    return NEVER if committed is None else int(committed)


def _places(original: Store, record: Record, remote_id: int | None) -> list[int]:
    parent = original.record(record.parent).remote_id if record.parent else None
    return places(record.kind, str(record.entity), remote_id, record.match_key, parent)


def _history(original: Store, ledger: Ledger, record: Record, remote_id: int | None) -> History:
    """What any run delivered of it; the id may only be known now, since bulk doesn't tell it."""
    return ledger.history(_places(original, record, remote_id))


def _current(reader: Reader, record: Record) -> Existing | None:
    assert record.entity
    if record.remote_id is not None:
        return fetch(reader, record.entity, record.remote_id)
    found = [one for _, one in LookupFinder(reader).find((record.entity,), record.key)]
    return fetch(reader, record.entity, int(found[0]["id"])) if len(found) == 1 else None


def _way_back(original: Store, catalog: Catalog, record: Record, current: Existing) -> dict[str, Any]:
    assert record.entity
    fields: dict[str, list[Any]] = {}
    extra: dict[str, Any] = {}
    for name, (before, after) in record.fields.items():
        if name == "entity":
            return CONFLICT
        elif name == "sales_accounts":
            has, kept = _kept_links(record, current, set(after) - set(before))
            if len(kept) < len(has):
                fields[name] = [[one.get("name") for one in has], [one.get("name") for one in kept]]
                extra["links"] = [{"id": one["id"], "is_primary": bool(one.get("is_primary"))} for one in kept]
        elif name == "sales_account":
            linked = current.get("sales_account_id")
            if linked and record.account and linked == original.record(record.account).remote_id:
                fields["sales_account_id"] = [linked, before]
        elif name != "contacts":
            field = field_of(catalog, record.entity, name)
            if same(current.get(name), before, field):
                continue
            if not _holds(name, current, after, field):
                return CONFLICT
            fields[name] = [current.get(name), _as_written(before, field)]
            if name == "email":
                extra["dropped"] = after
    if not fields:
        return {"action": "unchanged", "status": "done"}
    return {"action": "update", "fields": fields} | extra


def _as_written(value: Any, field: Field | None) -> Any:
    """A value that was read, as it is to be written: money is read as text."""
    return wire(field, value)


def _kept_links(
    record: Record, current: Existing, added: set[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The accounts that a contact has, and those of them that the run did not add."""
    had = {one["id"] for one in (record.existing or {}).get("sales_accounts") or []}
    has = current.get("sales_accounts") or []
    return has, [one for one in has if one["id"] in had or one.get("name") not in added]


def _holds(name: str, current: Existing, after: Any, field: Any) -> bool:
    if name == "email":
        return email_key(str(after)) in addresses(current)
    return same(current.get(name), after, field) or rounded(current.get(name), after, field)


def _created(catalog: Catalog, record: Record, current: Existing, delete: bool) -> dict[str, Any]:
    assert record.entity
    if not delete:
        return {
            "action": "unchanged",
            "status": "done",
            "code": CREATED,
            "warnings": [CREATED],
        }
    for name, (_, after) in record.fields.items():
        known = name not in ("sales_accounts", "sales_account", "contacts", "entity") and name in current
        if known and not _holds(name, current, after, field_of(catalog, record.entity, name)):
            return CONFLICT
    return {"action": "delete"}


def _insert(store: Store, record: Record, current: Existing | None, row: dict[str, Any]) -> None:
    columns = {
        "id": record.id, "kind": record.kind, "entity": record.entity, "key": record.key, "match_key": record.match_key,
        "parent": record.parent, "account": record.account, "by_email": record.by_email, "keys": record.keys,
        "existing": current, "remote_id": current["id"] if current else record.remote_id,
    } | row  # fmt: skip
    values = [encode(value) if isinstance(value, dict | list) else value for value in columns.values()]
    marks = ", ".join("?" * len(columns))
    store.db.execute(f"INSERT OR REPLACE INTO record ({', '.join(columns)}) VALUES ({marks})", values)


def _refer(store: Store, original: Store, id: int) -> None:
    """Let the person be there whom a deal or an entry belongs to, though nothing of it was written."""
    if not store.count("record", "id = ?", (id,)):
        person = original.record(id)
        known = {"id": person.remote_id} if person.remote_id else None
        _insert(store, person, known, {"action": REFERENCE, "status": "done"})


def _insert_entry(store: Store, original: Store, entry: Entry, delete: bool) -> None:
    _refer(store, original, int(entry.person or 0))
    able = delete and entry.remote_id is not None
    store.db.execute(
        "INSERT OR REPLACE INTO entry"
        " (id, key, person, position, hash, time, email, payload, action, remote_id, status, code)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (entry.id, entry.key, entry.person, entry.position, entry.hash, entry.time, entry.email, encode(entry.payload),
         "delete" if able else "unchanged", entry.remote_id, "planned" if able else "done",
         None if delete else CREATED),
    )  # fmt: skip
