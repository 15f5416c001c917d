"""changes.jsonl in parts: lines of so many records of a kind, or of timeline entries, each written by itself."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

from fsseg.freshsales.names import Entity
from fsseg.processes import Processes
from fsseg.report.change_lines import entry_lines, record_lines
from fsseg.report.changes import Sample
from fsseg.report.model import ENTITIES
from fsseg.report.packed import Packed, Packer
from fsseg.state.change_rows import ids_by_entity
from fsseg.state.entry_watch import EntryWatch
from fsseg.state.plan_store import SMALL_CACHE, Store
from fsseg.state.private_file import BUFFER

TIMELINE: Entity = "timeline"

AHEAD = 16
"""Parts for each process that are written, or wait to be, before the first one is needed."""

_A_PART = {entity: 20_000 if entity == TIMELINE else 2_000 for entity in ENTITIES}
"""Lines that are written at a time: few enough that no process has long to wait for another."""
_AT_ONCE = 500
"""Lines that are handed on together."""


class Part(NamedTuple):
    """Some lines of the file: of records of a kind, or of timeline entries, those with these ids."""

    entity: Entity
    ids: range


class Written(NamedTuple):
    """What was written: the first changes of each kind, how many bytes there are, and the lines for a page, if any."""

    sample: Sample
    size: int
    packed: Packed | None


class WrittenApart(NamedTuple):
    """A part that another process has written, and the file that has its lines."""

    path: str
    written: Written


def parts_of(store: Store) -> Iterator[Part]:
    """All parts of the file in their order, as the plan is now."""
    ids = ids_by_entity(store)
    for entity in ENTITIES:
        for at in range(0, len(ids.get(entity, ())), _A_PART[entity]):
            yield Part(entity, ids[entity][at : at + _A_PART[entity]])


def write_part(file: IO[bytes], store: Store, part: Part, dry_run: bool, *, pack: bool) -> Written:
    """Write the lines of a part; packed for a page as well, if they are to be."""
    sample, size, packer = Sample(), 0, Packer() if pack else None
    if part.entity == TIMELINE:
        rows = entry_lines(store, part.ids, dry_run, sample.entries)
    else:
        rows = record_lines(store, part.entity, part.ids, dry_run)
    while some := list(islice(rows, _AT_ONCE)):
        sample.add_lines(part.entity, some)
        lines = b"".join([line for _, line, _ in some])
        file.write(lines)
        size += len(lines)
        if packer is not None:
            packer.add(lines, len(some))
    return Written(sample, size, None if packer is None else packer.packed())


def write_apart(folder: str, store: Store, part: Part, dry_run: bool, *, pack: bool) -> WrittenApart:
    """Write the lines of a part into a new file in the folder."""
    descriptor, path = tempfile.mkstemp(dir=folder)
    with open(descriptor, "wb", buffering=BUFFER) as file:
        return WrittenApart(path, write_part(file, store, part, dry_run, pack=pack))


class EntriesAhead:
    """Lines of timeline entries that other processes write while this one matches and decides on records.

    They are written on the guess that nothing becomes of these entries until the end of this dry run; those of which
    something does are written anew. One process is left to decide on people, which nobody should have to wait for.
    """

    def __init__(self, store: Store, processes: Processes) -> None:
        parts = [part for part in parts_of(store) if part.entity == TIMELINE]
        self._parts = parts[: AHEAD * processes.jobs]
        self._watch = EntryWatch(store, parts[0].ids.start if parts else 0, _A_PART[TIMELINE])
        others = processes.jobs - 1
        tasks = [(str(store.path), str(processes.folder), self._parts[at::others]) for at in range(others)]
        self._written = processes.results(_write_entries, tasks)

    def unchanged(self) -> list[Part]:
        """The parts whose lines hold, to be asked for once."""
        changed = self._watch.changed()
        return [part for at, part in enumerate(self._parts) if at not in changed]

    def written(self) -> dict[Part, WrittenApart]:
        """All parts, once they are written. Raises `ProcessLost`."""
        return {part: apart for share in self._written for part, apart in share}


def _write_entries(task: tuple[str, str, list[Part]]) -> list[tuple[Part, WrittenApart]]:
    plan, folder, parts = task
    with closing(Store(Path(plan), SMALL_CACHE)) as store:
        written = [(part, write_apart(folder, store, part, dry_run=True, pack=True)) for part in parts]
        store.checkpoint()  # which the first process would do in the end, while this one has nothing to do
    return written
