"""Undo: a plan that puts back what a run changed, where nobody has changed it since."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fsseg.freshsales.reader import Reader
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.coerce import BAD, coercer
from fsseg.mapping.fields import Field
from fsseg.plan.commit import delivered_since
from fsseg.plan.content import places
from fsseg.plan.diff import field_of, rounded, same
from fsseg.plan.existing import Existing, addresses
from fsseg.plan.finder import LookupFinder, fetch
from fsseg.plan.ledger import History, Ledger
from fsseg.plan.people import REFERENCE
from fsseg.plan.store import Entry, Record, Store, encode

LINKS = "$links"
"""In `desired`: the account ids that a contact shall keep, told outright."""

DROPPED = "$dropped"
"""In `desired`: the address that a contact shall lose."""

CONFLICT: dict[str, Any] = {"action": "conflict", "status": "failed", "code": "conflict"}


DONE = "status = 'done' AND action IN ('create', 'update')"
"""Which rows a run has written."""


def reverse(
    original: Store,
    store: Store,
    reader: Reader,
    catalog: Catalog,
    ledger: Ledger,
    tick: Callable[[int], None],
    *,
    delete_created: bool,
) -> None:
    """Fill `store` with the way back from the run in `original`; what it has done of it already stays.

    An updated record gets its before-values back; a created one is `unchanged` (only listed), or `delete` with
    `delete_created`. What no longer holds what the run wrote, or what another run has delivered to since, is a
    `conflict`. `tick` is told of each record compared. Raises the client's errors.
    """
    settled = {id for (id,) in store.db.execute("SELECT id FROM record WHERE status != 'planned' AND action != ?",
                                                (REFERENCE,))}  # fmt: skip
    for record in original.records(DONE):
        if record.id in settled:
            continue
        current = _current(reader, record)
        row = CONFLICT
        if current is None and record.action == "create":
            row = {"action": "unchanged", "status": "done"}
        elif current is not None and record.action == "update":
            row = (
                CONFLICT
                if _is_overtaken(original, ledger, record, current)
                else _way_back(original, catalog, record, current)
            )
        elif current is not None:
            row = _created(catalog, record, current, delete_created)
            if row["action"] == "delete" and _is_used(original, ledger, record, current):
                row = CONFLICT
        with store.transaction():
            if record.parent:
                _refer(store, original, record.parent)
            _insert(store, record, current, row)
        tick(1)
    settled = {id for (id,) in store.db.execute("SELECT id FROM entry WHERE status != 'planned'")}
    for entry in original.entries(f"head IS NULL AND {DONE}"):
        if entry.id in settled:
            continue
        with store.transaction():
            _insert_entry(store, original, entry, delete_created)
    store.index()


def _is_overtaken(original: Store, ledger: Ledger, record: Record, current: Existing) -> bool:
    """Whether a later run has delivered a field of this record with a later time."""
    times = _history(original, ledger, record, current).times
    return any(times.get(name, 0) > time for name, time in record.times.items() if name in record.fields)


def _is_used(original: Store, ledger: Ledger, record: Record, current: Existing) -> bool:
    """Whether another run has put something onto this record since."""
    (committed,) = original.db.execute("SELECT committed FROM record WHERE id = ?", (record.id,)).fetchone()
    return delivered_since(original, committed, _history(original, ledger, record, current).generation)


def _history(original: Store, ledger: Ledger, record: Record, current: Existing) -> History:
    """What any run delivered of it; the id may only be known now, since bulk doesn't tell it."""
    parent = original.record(record.parent).remote_id if record.parent else None
    return ledger.history(places(record.kind, str(record.entity), int(current["id"]), record.match_key, parent))


def _current(reader: Reader, record: Record) -> Existing | None:
    assert record.entity
    if record.remote_id is not None:
        return fetch(reader, record.entity, record.remote_id)
    found = [one for _, one in LookupFinder(reader).find((record.entity,), record.key)]
    return fetch(reader, record.entity, int(found[0]["id"])) if len(found) == 1 else None


def _way_back(original: Store, catalog: Catalog, record: Record, current: Existing) -> dict[str, Any]:
    assert record.entity
    fields: dict[str, list[Any]] = {}
    desired: dict[str, Any] = {}
    for name, (before, after) in record.fields.items():
        if name == "entity":
            return CONFLICT
        elif name == "sales_accounts":
            has, kept = _kept_links(record, current, set(after) - set(before))
            if len(kept) < len(has):
                fields[name] = [[one.get("name") for one in has], [one.get("name") for one in kept]]
                desired[LINKS] = [{"id": one["id"], "is_primary": bool(one.get("is_primary"))} for one in kept]
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
                desired[DROPPED] = after
    if not fields:
        return {"action": "unchanged", "status": "done"}
    return {"action": "update", "fields": fields, "desired": desired}


def _as_written(value: Any, field: Field | None) -> Any:
    """A value as it is to be written: money is read as text."""
    fit = BAD if value is None or field is None or field.type not in ("number", "decimal") else coercer(field)(value)
    return value if fit is BAD else fit


def _kept_links(
    record: Record, current: Existing, added: set[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The accounts that a contact has, and those of them that the run did not add."""
    had = {one["id"] for one in (record.existing or {}).get("sales_accounts") or []}
    has = current.get("sales_accounts") or []
    return has, [one for one in has if one["id"] in had or one.get("name") not in added]


def _holds(name: str, current: Existing, after: Any, field: Any) -> bool:
    if name == "email":
        return str(after).casefold() in addresses(current)
    return same(current.get(name), after, field) or rounded(current.get(name), after, field)


def _created(catalog: Catalog, record: Record, current: Existing, delete: bool) -> dict[str, Any]:
    assert record.entity
    if not delete:
        return {
            "action": "unchanged",
            "status": "done",
            "warnings": ["created"],
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
        " (id, key, person, position, hash, time, email, payload, action, remote_id, status)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (entry.id, entry.key, entry.person, entry.position, entry.hash, entry.time, entry.email, encode(entry.payload),
         "delete" if able else "unchanged", entry.remote_id, "planned" if able else "done"),
    )  # fmt: skip
