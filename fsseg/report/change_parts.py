"""changes.jsonl in parts: lines of so many records of a kind, or of timeline entries, each written by itself."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import islice
from typing import IO, NamedTuple

from fsseg.freshsales.names import Entity
from fsseg.report.change_lines import entry_lines, record_lines
from fsseg.report.changes import Sample
from fsseg.report.model import ENTITIES
from fsseg.report.packed import Packed, Packer
from fsseg.state.change_rows import ids_by_entity
from fsseg.state.plan_store import Store
from fsseg.state.private_file import BUFFER

TIMELINE: Entity = "timeline"

AHEAD = 16
"""Parts for each process that are written, or wait to be, before the first one is needed."""

_A_PART = {entity: 20_000 if entity == TIMELINE else 5_000 for entity in ENTITIES}
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
