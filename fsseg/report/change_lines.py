"""The lines of changes.jsonl: what was planned for a record or timeline entry, and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
from msgspec import Raw, Struct, convert
from msgspec.json import Decoder

from fsseg.freshsales.names import Entity
from fsseg.mapping.entry_text import title_of
from fsseg.match.remote_record import HELD_BY, silent
from fsseg.report.changes import EventWay, Line, unwritten
from fsseg.segment.json_codec import dumps, loads
from fsseg.state.actions import Action, Code, EventOutcome, Status
from fsseg.state.change_rows import Decided, decided_records, existing_of, timeline_rows
from fsseg.state.misfits import Places
from fsseg.state.plan_store import Store


class _Entry(Struct):
    """What is told of a timeline entry's payload, as the JSON that stands there."""

    name: str
    via: str
    properties: Raw = Raw()
    type_id: int | None = None
    titled: bool = False
    count: int = 1


_CREATE = Action.CREATE  # a member is looked up slowly, and there are as many rows as timeline entries
_WRITTEN = (Action.CREATE, Action.UPDATE)
_entry = Decoder(_Entry).decode
_CREATED_ENTRY = (
    b'{"action":"create","entity":"timeline","key":%b,"id":%b,"fields":{"title":{"before":null,"after":%b},'
    b'"via":{"before":null,"after":%b},"start_date":{"before":null,"after":"%bZ"}},"warnings":%b}\n'
)
_OTHER_ENTRY = (
    b'{"action":%b,"entity":"timeline","key":%b,"id":%b,"fields":{},"title":%b,"start_date":"%bZ","warnings":%b}\n'
)
_NO_FIELDS: dict[str, Any] = {}


def record_lines(store: Store, entity: Entity, ids: range, dry_run: bool) -> Iterator[Line]:
    """The lines of records of this entity with these ids."""
    places = Places(store)
    for row in decided_records(store, entity, ids):
        fields = {} if row.fields == "{}" else _cells(store, row)
        left = unwritten(row.action, row.status, dry_run)
        yield row.action, _record_line(row, fields, places, left), {} if left or row.action not in _WRITTEN else fields


def entry_lines(store: Store, ids: range, dry_run: bool, made: Counter[EventWay]) -> Iterator[Line]:
    """The lines of timeline entries, put together from JSON; those that were made, or would be, are counted by event.

    There are many times more of them than of records, so each takes as few steps as can be.
    """
    dumps = orjson.dumps
    last_key, key_json = None, b""
    for action, status, id, time, payload, code, key in timeline_rows(store, ids):
        if key != last_key:  # entries come person by person
            last_key, key_json = key, dumps(key)
        left = unwritten(action, status, dry_run)
        event, title = _told(payload)
        remote_id = b"null" if id is None else b"%d" % id
        warnings = b"[]" if code is None and left is None else _warnings(code, left)
        if action == _CREATE:
            if left is None:
                made[event] += 1
            line = _CREATED_ENTRY % (key_json, remote_id, dumps(title), dumps(event[1]), time.encode(), warnings)
        else:
            line = _OTHER_ENTRY % (dumps(action), key_json, remote_id, dumps(title), time.encode(), warnings)
        yield action, line, _NO_FIELDS


def _warnings(code: str | None, left: EventOutcome | None) -> bytes:
    """An entry's warnings, and what became of it where it wasn't written."""
    return (orjson.dumps([code]) if code else b"[]") + (b',"outcome":"%b"' % left.encode() if left else b"")


def _record_line(row: Decided, fields: dict[str, Any], places: Places, left: EventOutcome | None) -> bytes:
    warnings = [] if row.warnings == "[]" else orjson.loads(row.warnings)
    change = {
        "action": row.action,
        "entity": row.entity,
        "key": row.key,
        "id": row.remote_id,
        "fields": fields,
        "warnings": [places.of(one) if isinstance(one, dict) else one for one in warnings] + _refusal(row),
        **({"outcome": left} if left else {}),
        **({"person": row.person} if row.person else {}),
    }
    return dumps(change, orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)


def _told(payload: bytes) -> tuple[EventWay, str]:
    """The event that an entry is made of, and the entry's title."""
    properties = None
    try:
        entry = _entry(payload)
    except RecursionError:  # properties nested too deep to be passed over
        whole = loads(payload)
        properties = whole.pop("properties")
        entry = convert(whole, _Entry)
    title = ""
    if entry.titled and entry.count == 1:
        title = title_of(entry.name, properties or loads(bytes(entry.properties)))
    return (entry.name, entry.via, entry.type_id), title or entry.name


def _cells(store: Store, row: Decided) -> dict[str, Any]:
    """What changes of each field; `before` is absent where the record is there, but the field could not be read."""
    fields = orjson.loads(row.fields)
    if not row.exists:
        return {name: {"before": before, "after": after} for name, (before, after) in fields.items()}
    unsure = [name for name, (before, _) in fields.items() if before in (None, [])]
    existing = existing_of(store, row.id) if unsure else {}
    unread = {name for name in unsure if silent(existing, HELD_BY.get(name, name))}
    return {
        name: {"after": after} if name in unread else {"before": before, "after": after}
        for name, (before, after) in fields.items()
    }


def _refusal(row: Decided) -> list[str]:
    """Why nothing of it was written, in Freshsales' words if there are any."""
    if row.action == Action.CONFLICT or (row.action == Action.SKIPPED and row.code == Code.SUPPRESSED):
        return [row.code] if row.code else []
    if row.status not in (Status.FAILED, Status.UNKNOWN) or not row.code:
        return []
    return [f"{row.code}: {row.message}" if row.message else row.code]
