"""changes.jsonl: what was planned for every record and timeline entry, and what became of it, a line each."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any, NamedTuple

import orjson
from msgspec import Raw, Struct
from msgspec.json import Decoder

from fsseg.freshsales.names import Entity
from fsseg.match.remote_record import HELD_BY, silent
from fsseg.processes import Processes, ProcessLost
from fsseg.report.changes import Sample
from fsseg.report.model import ENTITIES
from fsseg.segment.json_codec import dumps, loads
from fsseg.state.actions import Action, Code, Status
from fsseg.state.misfits import Places
from fsseg.state.plan_store import Decided, Store
from fsseg.state.private_file import BUFFER, private
from fsseg.state.run_folder import Run

TIMELINE: Entity = "timeline"
Line = tuple[str | None, bytes, dict[str, Any]]
"""The action of a change, the line that tells it, and the fields that are to be counted."""


class Part(NamedTuple):
    """Some lines of the file: those of a kind of record, or of the timeline entries with these ids."""

    entity: Entity
    entries: range


class _Entry(Struct):
    """What is told of a timeline entry's payload, as the JSON that stands there."""

    name: Raw
    via: Raw


_WRITTEN = (Action.CREATE, Action.UPDATE)
_entry = Decoder(_Entry).decode
_RECORDS = [Part(entity, range(0)) for entity in ENTITIES if entity != TIMELINE]


class ChangesFile:
    """changes.jsonl, written anew: conflicts and unchanged records among it, first the records, then the timeline.

    Where there are several processes, they begin at once.
    """

    def __init__(self, run: Run, store: Store, processes: Processes) -> None:
        self._path = run.changes
        self._store = store
        self._parts: Iterator[tuple[str, Sample]] | None = None
        if processes.jobs > 1:
            ids = store.entry_ids()
            size = len(ids) // (4 * processes.jobs) + 1
            parts = [*_RECORDS, *(Part(TIMELINE, ids[at : at + size]) for at in range(0, len(ids), size))]
            tasks = ((str(store.path), str(processes.folder), part) for part in parts)
            self._parts = processes.results(_write_part, tasks)

    def finish(self) -> Sample:
        """The first changes, and how many there are, once the file is written."""
        try:
            return self._finish()
        except ProcessLost:
            self._parts = None
            return self._finish()

    def _finish(self) -> Sample:
        with open(self._path, "wb", buffering=BUFFER, opener=private) as file:
            if self._parts is None:
                return _write(file, self._store, [*_RECORDS, Part(TIMELINE, self._store.entry_ids())])
            sample = Sample()
            for path, some in self._parts:
                with open(path, "rb") as part:
                    os.unlink(path)
                    shutil.copyfileobj(part, file, BUFFER)
                sample.extend(some)
        return sample


def _write_part(task: tuple[str, str, Part]) -> tuple[str, Sample]:
    """Write a part of the file into another one; where that is."""
    plan, folder, part = task
    descriptor, path = tempfile.mkstemp(dir=folder)
    with closing(Store(Path(plan))) as store, open(descriptor, "wb", buffering=BUFFER) as file:
        return path, _write(file, store, [part])


def _write(file: IO[bytes], store: Store, parts: Iterable[Part]) -> Sample:
    sample = Sample()
    for part in parts:
        lines = _entry_lines(store, part.entries) if part.entity == TIMELINE else _record_lines(store, part.entity)
        for action, line, fields in lines:
            file.write(line)
            sample.add_line(part.entity, action, line, fields)
    return sample


def _record_lines(store: Store, entity: Entity) -> Iterator[Line]:
    places = Places(store)
    for row in store.decided(entity):
        fields = {} if row.fields == "{}" else _cells(store, row)
        yield row.action, _record_line(row, fields, places), fields if row.action in _WRITTEN else {}


def _entry_lines(store: Store, ids: range) -> Iterator[Line]:
    last_key, key_json = None, b""
    for action, id, time, payload, code, key in store.timeline(ids):
        if key != last_key:  # entries come person by person
            last_key, key_json = key, orjson.dumps(key)
        yield action, _entry_line(action, id, time, payload, code, key_json), {}


def _record_line(row: Decided, fields: dict[str, Any], places: Places) -> bytes:
    warnings = [] if row.warnings == "[]" else orjson.loads(row.warnings)
    change = {
        "action": row.action,
        "entity": row.entity,
        "key": row.key,
        "id": row.remote_id,
        "fields": fields,
        "warnings": [places.of(one) if isinstance(one, dict) else one for one in warnings] + _refusal(row),
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
    if row.action == Action.CONFLICT or (row.action == Action.SKIPPED and row.code == Code.SUPPRESSED):
        return [row.code] if row.code else []
    if row.status not in (Status.FAILED, Status.UNKNOWN) or not row.code:
        return []
    return [f"{row.code}: {row.message}" if row.message else row.code]
