"""Reading, mapping and folding in several processes: over files and byte ranges of big ones, then over partitions.

What the processes have read is put together in the order of the files and their lines. So the result is the same
however many they are: which of two equal events is the first, for one, none of them needs to know.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple, TypeVar

from fsseg.fold.batch import Batch, Batcher, moved
from fsseg.fold.collect import Collector
from fsseg.fold.engines import Note, Tick, silent
from fsseg.fold.engines.handover import keep, kept, to_batch, to_folded
from fsseg.fold.engines.parts import ReadSoFar, change_of, grouped, parts_of
from fsseg.fold.fold_partition import FoldedPartition, PartitionFold
from fsseg.fold.partitions import (
    Blocks,
    PartitionedBuffer,
    Ranges,
    Row,
    among,
    partitions_of,
    read_blocks,
    together,
)
from fsseg.freshsales.errors import Halted
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.rules import Rules
from fsseg.mapping.warning_counter import WarningCounter
from fsseg.processes import Processes, ProcessLost
from fsseg.segment.event import INDEX, POSITION_BITS
from fsseg.segment.objects import AHEAD
from fsseg.segment.open import Input
from fsseg.segment.places import stamp
from fsseg.segment.read import Jumps, read_next
from fsseg.segment.stores import Stamp
from fsseg.state.private_file import BUFFER, private
from fsseg.working_process import shared

PART = 16 << 20
"""Bytes of a big file that are read at a time; there are two parts a process, so that none has to wait."""

GROUPS_EACH = 4
"""Groups of small inputs that each process gets, so that none has to wait."""

FOLDED_AT_ONCE = 8
"""Partitions that a process folds at a time."""

A = TypeVar("A")
R = TypeVar("R")


class ReadPart(NamedTuple):
    """What was read of a part: container, events, lines, where these part ways, why not all, and in how many batches.

    `stamp` is what tells whether the object that a part is of was changed.
    """

    container: str
    events: int
    lines: int
    jumps: Jumps | None
    fault: str
    stamp: Stamp | None
    batches: int


class ReadGroup(NamedTuple):
    """The parts that one process has read together.

    Their batches, without rows, are in the file at `batches`; the rows stand in the two files of the process, by
    partition.
    """

    parts: list[ReadPart]
    batches: str
    process: str
    people: dict[int, Ranges]
    entries: dict[int, Ranges]


class PlacedGroup(NamedTuple):
    """A group that was read: where its positions begin, and by input number, a bit for each, which events are gone."""

    process: str
    begin: int
    gone: dict[int, bytes]
    people: dict[int, Ranges]
    entries: dict[int, Ranges]


class ProcessesEngine:
    """Reads and folds in the processes that are given."""

    def __init__(self, processes: Processes, catalog: Catalog, rules: Rules) -> None:
        self._processes = processes
        self._tools = processes.share((catalog.to_json(), rules, str(processes.folder)))
        self._groups: list[PlacedGroup] = []

    def close(self) -> None:
        """The processes are somebody else's; what is left of the files goes with their folder."""
        self._processes.meanwhile(_remove, _row_files(self._groups))

    def read(self, inputs: Sequence[Input], collector: Collector, tick: Tick, note: Note = silent) -> None:
        """See `FoldEngine`."""
        sizes = [known.size if (known := stamp(input.path)) else 0 for input in inputs]
        # Each input has its share of the processes.
        jobs = [round(size * self._processes.jobs / max(1, sum(sizes))) for size in sizes]
        parts = [parts_of(input, PART, max(1, share)) for input, share in zip(inputs, jobs, strict=True)]
        several = GROUPS_EACH * self._processes.jobs
        groups = grouped(parts, sizes, min(PART, sum(sizes) // several), min(2 * AHEAD, len(parts) // several))
        asked = ((input, part, part is cut[-1]) for input, cut in zip(inputs, parts, strict=True) for part in cut)
        so_far = ReadSoFar()
        for group in self._results(_read_group, ((self._tools, group) for group in groups)):
            batches, begin, gone = kept(group.batches, to_batch), so_far.events, dict[int, bytes]()
            for read, (input, part, is_last) in zip(group.parts, asked, strict=False):  # as many as the group has
                some = islice(batches, read.batches)
                if bits := _taken(some, collector, tick, so_far, read.events):
                    gone[input.number] = bits
                fault = read.fault or change_of(part, input.path, read.stamp)
                so_far.add(read.container, read.events, read.lines, fault, read.jumps)
                if is_last:
                    so_far.end(collector, input)
                    so_far = ReadSoFar()
            self._groups.append(PlacedGroup(group.process, begin, gone, group.people, group.entries))

    def fold(self, size: int, note: Note = silent) -> Iterator[FoldedPartition]:
        """See `FoldEngine`."""
        shares = together(size)
        chunks = [shares[at : at + FOLDED_AT_ONCE] for at in range(0, len(shares), FOLDED_AT_ONCE)]
        tasks = ((self._tools, chunk, self._rows_of(chunk)) for chunk in chunks)
        # So many that no process has to wait while this one waits for the disk.
        folded = self._results(_fold_partitions, tasks, ahead=4)
        return (partition for path in folded for partition in kept(path, to_folded))

    def _rows_of(self, shares: list[range]) -> list[PlacedGroup]:
        """The groups with nothing but where the rows of people with these hashes stand."""
        wanted = {number for hashes in shares for number in partitions_of(hashes)}

        def only(partitions: dict[int, Ranges]) -> dict[int, Ranges]:
            return {number: ranges for number, ranges in partitions.items() if number in wanted}

        return [one._replace(people=only(one.people), entries=only(one.entries)) for one in self._groups]

    def _results(self, work: Callable[[A], R], tasks: Iterable[A], ahead: int = 2) -> Iterator[R]:
        return _or_halted(self._processes.results(work, tasks, ahead))


def _or_halted(results: Iterator[R]) -> Iterator[R]:
    try:
        yield from results
    except ProcessLost as error:
        raise Halted(str(error)) from None


def _taken(batches: Iterable[Batch], collector: Collector, tick: Tick, so_far: ReadSoFar, count: int) -> bytes:
    """Hand on the batches of a part of so many events; a bit for each of these that is gone, if any is."""
    gone = bytearray()
    for batch in batches:
        for position in collector.take(moved(batch, so_far.events, so_far.lines)):
            gone = gone or bytearray(count // 8 + 1)
            at = (position - so_far.events) & INDEX
            gone[at >> 3] |= 1 << (at & 7)
        tick(batch.read)
    return bytes(gone)


class _Tools(NamedTuple):
    """What a process needs to read and to fold, and where it leaves what it has read."""

    batcher: Batcher
    partition_fold: PartitionFold
    shared: Path


@lru_cache(maxsize=1)
def _tools(name: str) -> _Tools:
    catalog_json, rules, directory = shared(name)
    catalog = Catalog.from_json(catalog_json)
    mapper = Mapper(catalog, rules, WarningCounter())
    return _Tools(Batcher(mapper, stitch=rules.stitch_anonymous), PartitionFold(catalog, mapper), Path(directory))


def _read_group(task: tuple[str, list[Input]]) -> ReadGroup:
    name, parts = task
    tools = _tools(name)
    descriptor, path = tempfile.mkstemp(dir=tools.shared)
    process = str(tools.shared / str(os.getpid()))
    read_next(parts)
    try:
        with (
            open(descriptor, "wb", buffering=BUFFER) as file,
            closing(PartitionedBuffer(open(f"{process}.people", "ab", BUFFER, opener=private))) as people,
            closing(PartitionedBuffer(open(f"{process}.entries", "ab", BUFFER, opener=private))) as entries,
        ):
            read = [_read_part(tools.batcher, part, file, people, entries) for part in parts]
            ranges = [{at: ranges for at, ranges in enumerate(rows.spill()) if ranges} for rows in (people, entries)]
    finally:
        read_next([])
    return ReadGroup(read, path, process, *ranges)


def _read_part(
    batcher: Batcher, part: Input, file: IO[bytes], people: PartitionedBuffer, entries: PartitionedBuffer
) -> ReadPart:
    reader, count = batcher.reader(part), 0
    for batch in batcher.batches(reader):
        people.add(batch.people)
        entries.add(batch.entries)
        keep(file, batch._replace(people=[], entries=[]))
        count += 1
    found = stamp(part.path)
    return ReadPart(reader.container, reader.events, reader.lines, reader.jumps, batcher.fault, found, count)


def _fold_partitions(task: tuple[str, list[range], list[PlacedGroup]]) -> str:
    """Fold the people of some ranges of hashes, each range by itself; the file that has what they amount to."""
    name, shares, groups = task
    tools = _tools(name)
    descriptor, path = tempfile.mkstemp(dir=tools.shared)
    with ExitStack() as opened:
        file = opened.enter_context(open(descriptor, "wb", buffering=BUFFER))
        files = {name: opened.enter_context(open(name, "rb", buffering=0)).fileno() for name in _row_files(groups)}
        people = [(group, files[f"{group.process}.people"], group.people) for group in groups]
        entries = [(group, files[f"{group.process}.entries"], group.entries) for group in groups]
        for hashes in shares:
            keep(file, tools.partition_fold.fold(Blocks(partial(_rows, people, hashes)), _rows(entries, hashes)))
    return path


def _row_files(groups: Iterable[PlacedGroup]) -> list[str]:
    """The files of all processes that have read one of these groups."""
    return sorted({f"{group.process}.{kind}" for group in groups for kind in ("people", "entries")})


def _remove(paths: list[str]) -> None:
    for path in paths:
        os.unlink(path)


def _rows(groups: Sequence[tuple[PlacedGroup, int, dict[int, Ranges]]], hashes: range) -> Iterator[list[Row]]:
    """The rows of people with these hashes in the order of their events, without those that are gone."""
    for number in partitions_of(hashes):
        for group, file, ranges in groups:
            if number in ranges:
                for rows in read_blocks(file, ranges[number]):
                    yield _placed(group, among(rows, hashes))


def _placed(group: PlacedGroup, rows: list[Row]) -> list[Row]:
    begin, gone = group.begin, group.gone
    if gone:
        rows = [
            row for row in rows
            if not ((bits := gone.get(row[1] >> POSITION_BITS)) and bits[(row[1] & INDEX) >> 3] >> (row[1] & 7) & 1)
        ]  # fmt: skip
    if not begin:
        return rows
    return [(key, position + begin, time, event, user, said) for key, position, time, event, user, said in rows]
