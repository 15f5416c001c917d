"""changes.jsonl: what was planned for every record and timeline entry, and what became of it, a line each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from msgspec import Raw, Struct
from msgspec.json import Decoder

from fsseg.freshsales.names import Entity
from fsseg.match.remote_record import HELD_BY, silent
from fsseg.report.changes import Sample
from fsseg.report.model import ENTITIES
from fsseg.segment.json_codec import dumps, loads
from fsseg.state.actions import Action, Status
from fsseg.state.plan_store import Decided, Store
from fsseg.state.private_file import BUFFER, private
from fsseg.state.run_folder import Run

TIMELINE: Entity = "timeline"
RECORDS = tuple(entity for entity in ENTITIES if entity != TIMELINE)

Line = tuple[str, str | None, bytes]
"""Entity and action of a change, and the line that tells it."""


class _Entry(Struct):
    """What is told of a timeline entry's payload, as the JSON that stands there."""

    name: Raw
    via: Raw


_entry = Decoder(_Entry).decode


def write_changes(run: Run, store: Store) -> Sample:
    """Write changes.jsonl anew, and return the first changes and how many there are."""
    sample = Sample()
    with open(run.changes, "wb", buffering=BUFFER, opener=private) as file:
        for entity, action, line in change_lines(store):
            file.write(line)
            sample.add_line(entity, action, line)
    return sample


def change_lines(store: Store) -> Iterator[Line]:
    """The lines of changes.jsonl, conflicts and unchanged records among them: first the records, then the timeline."""
    for entity in RECORDS:
        for row in store.decided(entity):
            yield entity, row.action, _record_line(store, row)
    last_key, key_json = None, b""
    for action, id, time, payload, code, key in store.timeline():
        if key != last_key:  # entries come person by person
            last_key, key_json = key, orjson.dumps(key)
        yield TIMELINE, action, _entry_line(action, id, time, payload, code, key_json)


def _record_line(store: Store, row: Decided) -> bytes:
    change = {
        "action": row.action,
        "entity": row.entity,
        "key": row.key,
        "id": row.remote_id,
        "fields": {} if row.fields == "{}" else _cells(store, row),
        "warnings": orjson.loads(row.warnings) + _refusal(row),
    }
    return dumps(change, orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)


def _entry_line(
    action: str | None, id: int | None, time: str, payload: bytes, code: str | None, key_json: bytes
) -> bytes:
    """Put together from JSON that is there already: there are many times more entries than records."""
    fields = b"{}"
    if action == Action.CREATE:
        name, via = _shown(payload)
        fields = (
            b'{"title":{"before":null,"after":%b},"via":{"before":null,"after":%b},'
            b'"start_date":{"before":null,"after":"%bZ"}}'
        ) % (name, via, time.encode())
    return b'{"action":%b,"entity":"timeline","key":%b,"id":%b,"fields":%b,"warnings":%b}\n' % (
        b'"%b"' % action.encode() if action else b"null",
        key_json,
        b"%d" % id if id is not None else b"null",
        fields,
        orjson.dumps([code]) if code else b"[]",
    )


def _shown(payload: bytes) -> tuple[bytes, bytes]:
    """Name and way of an entry, as JSON."""
    try:
        entry = _entry(payload)
        return bytes(entry.name), bytes(entry.via)
    except RecursionError:  # properties nested too deep to be passed over
        whole = loads(payload)
        return dumps(whole["name"]), dumps(whole["via"])


def _cells(store: Store, row: Decided) -> dict[str, Any]:
    """What changes of each field; `before` is absent where the record is there, but the field could not be read."""
    fields = orjson.loads(row.fields)
    unsure = [name for name, (before, _) in fields.items() if before in (None, [])] if row.exists else []
    existing = store.existing(row.id) if unsure else {}
    unread = {name for name in unsure if silent(existing, HELD_BY.get(name, name))}
    return {
        name: {"after": after} if name in unread else {"before": before, "after": after}
        for name, (before, after) in fields.items()
    }


def _refusal(row: Decided) -> list[str]:
    """Why nothing of it was written, in Freshsales' words if there are any."""
    if row.action == Action.CONFLICT:
        return [row.code] if row.code else []
    if row.status not in (Status.FAILED, Status.UNKNOWN) or not row.code:
        return []
    return [f"{row.code}: {row.message}" if row.message else row.code]
