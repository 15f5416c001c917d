"""changes.jsonl: what was planned for every record and timeline entry, and what became of it, a line each."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

import orjson
from msgspec import Raw, Struct, convert
from msgspec.json import Decoder

from fsseg.freshsales.names import Entity
from fsseg.mapping.entry_text import title_of
from fsseg.match.remote_record import HELD_BY, silent
from fsseg.processes import Processes, ProcessLost
from fsseg.report.changes import EventWay, Line, Sample, unwritten
from fsseg.report.model import ENTITIES
from fsseg.report.packed import MOST_BYTES, Packed, Packer, pack
from fsseg.segment.json_codec import dumps, loads
from fsseg.state.actions import Action, Code, EventOutcome, Status
from fsseg.state.change_rows import Decided, decided_records, existing_of, ids_by_entity, timeline_rows
from fsseg.state.misfits import Places
from fsseg.state.plan_store import Store
from fsseg.state.private_file import BUFFER, private
from fsseg.state.run_folder import Run

TIMELINE: Entity = "timeline"


class Part(NamedTuple):
    """Some lines of the file: of records of a kind, or of timeline entries, those with these ids."""

    entity: Entity
    ids: range


class Written(NamedTuple):
    """What was written: the first changes of each kind, how many bytes there are, and the lines for a page, if any."""

    sample: Sample
    size: int
    packed: Packed | None


class Changes(NamedTuple):
    """The file, once it is written: the first changes of each kind, and the lines that a page holds."""

    sample: Sample
    packed: Packed


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
_A_PART = {entity: 20_000 if entity == TIMELINE else 5_000 for entity in ENTITIES}
"""Lines that are written at a time: few enough that no process has long to wait for another."""
_AT_ONCE = 500
"""Lines that are handed on together."""


class ChangesFile:
    """changes.jsonl, written anew: conflicts and unchanged records among it, first the records, then the timeline.

    Where there are several processes, they begin at once.
    """

    def __init__(self, run: Run, store: Store, processes: Processes, *, dry_run: bool) -> None:
        self._path = run.changes
        self._dry_run = dry_run
        self._store = store
        self._shown = _Shown()
        self._written: Iterator[tuple[str, Written]] | None = None
        if processes.jobs > 1:
            plan, folder = str(store.path), str(processes.folder)
            tasks = ((plan, folder, part, dry_run, self._shown.has_room) for part in _parts(store))
            self._written = processes.results(_write_part, tasks, ahead=16)

    def finish(self) -> Changes:
        """The first changes, and how many there are, once the file is written."""
        try:
            return self._finish()
        except ProcessLost:
            self._written, self._shown = None, _Shown()
            return self._finish()

    def _finish(self) -> Changes:
        sample, shown = Sample(), self._shown
        with open(self._path, "wb", buffering=BUFFER, opener=private) as file:
            if self._written is None:
                parts = _parts(self._store)
                written = (_write(file, self._store, part, self._dry_run, pack=shown.has_room) for part in parts)
            else:
                written = (_moved(path, file, part) for path, part in self._written)
            for part in written:
                sample.extend(part.sample)
                shown.add(part)
        return Changes(sample, shown.packed + pack(sample.after(shown.packed.rows)))


class _Shown:
    """The lines that a page holds: those of the first parts, as many as come up to its limit."""

    def __init__(self) -> None:
        self.has_room = True
        self.packed = Packed(b"", 0)
        self._left = MOST_BYTES

    def add(self, part: Written) -> None:
        """Take the next part, unless that is too much."""
        self._left -= part.size
        self.has_room = self.has_room and self._left >= 0
        if self.has_room and part.packed is not None:
            self.packed += part.packed


def _parts(store: Store) -> Iterator[Part]:
    ids = ids_by_entity(store)
    for entity in ENTITIES:
        for at in range(0, len(ids.get(entity, ())), _A_PART[entity]):
            yield Part(entity, ids[entity][at : at + _A_PART[entity]])


def _write_part(task: tuple[str, str, Part, bool, bool]) -> tuple[str, Written]:
    """Write a part of the file into another one; where that is."""
    plan, folder, part, dry_run, packs = task
    descriptor, path = tempfile.mkstemp(dir=folder)
    with closing(Store(Path(plan))) as store, open(descriptor, "wb", buffering=BUFFER) as file:
        return path, _write(file, store, part, dry_run, pack=packs)


def _moved(path: str, file: IO[bytes], part: Written) -> Written:
    """The part, once what was written of it by itself is in the file."""
    with open(path, "rb") as written:
        os.unlink(path)
        shutil.copyfileobj(written, file, BUFFER)
    return part


def _write(file: IO[bytes], store: Store, part: Part, dry_run: bool, *, pack: bool) -> Written:
    sample, size, packer = Sample(), 0, Packer() if pack else None
    if part.entity == TIMELINE:
        rows = _entry_lines(store, part, dry_run, sample.entries)
    else:
        rows = _record_lines(store, part, dry_run)
    while some := list(islice(rows, _AT_ONCE)):
        sample.add_lines(part.entity, some)
        lines = b"".join([line for _, line, _ in some])
        file.write(lines)
        size += len(lines)
        if packer is not None:
            packer.add(lines, len(some))
    return Written(sample, size, None if packer is None else packer.packed())


def _record_lines(store: Store, part: Part, dry_run: bool) -> Iterator[Line]:
    places = Places(store)
    for row in decided_records(store, part.entity, part.ids):
        fields = {} if row.fields == "{}" else _cells(store, row)
        left = unwritten(row.action, row.status, dry_run)
        yield row.action, _record_line(row, fields, places, left), {} if left or row.action not in _WRITTEN else fields


def _entry_lines(store: Store, part: Part, dry_run: bool, made: Counter[EventWay]) -> Iterator[Line]:
    """The lines of timeline entries, put together from JSON; those that were made, or would be, are counted by event.

    There are many times more of them than of records, so each takes as few steps as can be.
    """
    dumps = orjson.dumps
    last_key, key_json = None, b""
    for action, status, id, time, payload, code, key in timeline_rows(store, part.ids):
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
