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
from itertools import chain
from pathlib import Path
from typing import NamedTuple, TypeVar

from fsseg.fold.batch import Batcher, moved
from fsseg.fold.collect import Collector
from fsseg.fold.engines import Note, Tick, silent
from fsseg.fold.engines.handover import keep, kept, to_batch, to_folded
from fsseg.fold.engines.parts import ReadSoFar, change_of, parts_of
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
from fsseg.processes import Processes, ProcessLost, shared
from fsseg.segment.event import INDEX
from fsseg.segment.objects import AHEAD
from fsseg.segment.open import Input
from fsseg.segment.places import stamp
from fsseg.segment.read import Jumps, read_next
from fsseg.segment.stores import Stamp, is_remote
from fsseg.state.private_file import BUFFER, private

PART = 16 << 20
"""Bytes of a big file that are read at a time; there are two parts a process, so that none has to wait."""

FOLDED_AT_ONCE = 8
"""Partitions that a process folds at a time."""

A = TypeVar("A")
R = TypeVar("R")


class ReadPart(NamedTuple):
    """What one process has read: container, events, lines, where these part ways, and why it was not read to its end.

    `stamp` is what tells whether the object that a part is of was changed. Its batches, without their rows, are in the
    file at `batches`; the rows stand in the two files of the process, by partition.
    """

    container: str
    events: int
    lines: int
    jumps: Jumps | None
    fault: str
    stamp: Stamp | None
    batches: str
    process: str
    people: dict[int, Ranges]
    entries: dict[int, Ranges]


class PlacedPart(NamedTuple):
    """A part that was read: where its positions begin, and which of its events are gone, a bit for each, if any are."""

    process: str
    begin: int
    gone: bytes
    people: dict[int, Ranges]
    entries: dict[int, Ranges]


class ProcessesEngine:
    """Reads and folds in the processes that are given."""

    def __init__(self, processes: Processes, catalog: Catalog, rules: Rules) -> None:
        self._processes = processes
        self._tools = processes.share((catalog.to_json(), rules, str(processes.folder)))
        self._parts: list[PlacedPart] = []

    def close(self) -> None:
        """The processes are somebody else's; what is left of the files goes with their folder."""
        self._processes.results(_remove, [_row_files(self._parts)])  # nobody has to wait for it

    def read(self, inputs: Sequence[Input], collector: Collector, tick: Tick, note: Note = silent) -> None:
        """See `FoldEngine`."""
        sizes = [known.size if (known := stamp(input.path)) else 0 for input in inputs]
        # Each input has its share of the processes.
        jobs = [round(size * self._processes.jobs / max(1, sum(sizes))) for size in sizes]
        tasks = [(input, part) for at, input in enumerate(inputs) for part in parts_of(input, PART, max(1, jobs[at]))]
        groups = _grouped([part for _, part in tasks], self._processes.jobs)
        read = self._results(_read_parts, ((self._tools, group) for group in groups))
        so_far = ReadSoFar()
        for at, part in enumerate(chain.from_iterable(read)):
            self._place(part, collector, tick, so_far.events, so_far.lines)
            input, asked = tasks[at]
            fault = part.fault or change_of(asked, input.path, part.stamp)
            so_far.add(part.container, part.events, part.lines, fault, part.jumps)
            if at + 1 == len(tasks) or tasks[at + 1][0] is not input:
                so_far.end(collector, input)
                so_far = ReadSoFar()

    def _place(self, part: ReadPart, collector: Collector, tick: Tick, events: int, lines: int) -> None:
        """Hand a part's batches on; it begins after so many events and lines of its input."""
        gone = bytearray()
        for batch in kept(part.batches, to_batch):
            for position in collector.take(moved(batch, events, lines)):
                gone = gone or bytearray(part.events // 8 + 1)
                at = (position - events) & INDEX
                gone[at >> 3] |= 1 << (at & 7)
            tick(batch.read)
        self._parts.append(PlacedPart(part.process, events, bytes(gone), part.people, part.entries))

    def fold(self, size: int, note: Note = silent) -> Iterator[FoldedPartition]:
        """See `FoldEngine`."""
        shares = together(size)
        chunks = [shares[at : at + FOLDED_AT_ONCE] for at in range(0, len(shares), FOLDED_AT_ONCE)]
        tasks = ((self._tools, chunk, self._rows_of(chunk)) for chunk in chunks)
        # So many that no process has to wait while this one waits for the disk.
        for path in self._results(_fold_partitions, tasks, ahead=4):
            yield from kept(path, to_folded)

    def _rows_of(self, shares: list[range]) -> list[PlacedPart]:
        """The parts with nothing but where the rows of people with these hashes stand."""
        wanted = {number for hashes in shares for number in partitions_of(hashes)}

        def only(partitions: dict[int, Ranges]) -> dict[int, Ranges]:
            return {number: ranges for number, ranges in partitions.items() if number in wanted}

        return [part._replace(people=only(part.people), entries=only(part.entries)) for part in self._parts]

    def _results(self, work: Callable[[A], R], tasks: Iterable[A], ahead: int = 2) -> Iterator[R]:
        try:
            yield from self._processes.results(work, tasks, ahead)
        except ProcessLost as error:
            raise Halted(str(error)) from None


def _grouped(parts: Sequence[Input], jobs: int) -> list[list[Input]]:
    """The parts by themselves, but for objects that follow each other: who reads some of them can read ahead."""
    most = max(1, min(2 * AHEAD, len(parts) // (4 * jobs)))
    groups: list[list[Input]] = []
    for part in parts:
        last = groups[-1] if groups else []
        if last and len(last) < most and is_remote(part.path) and is_remote(last[-1].path):
            last.append(part)
        else:
            groups.append([part])
    return groups


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


def _read_parts(task: tuple[str, list[Input]]) -> list[ReadPart]:
    name, parts = task
    read_next(parts)
    try:
        return [_read_part(_tools(name), part) for part in parts]
    finally:
        read_next([])


def _read_part(tools: _Tools, part: Input) -> ReadPart:
    reader = tools.batcher.reader(part)
    descriptor, path = tempfile.mkstemp(dir=tools.shared)
    process = str(tools.shared / str(os.getpid()))
    with (
        open(descriptor, "wb", buffering=BUFFER) as file,
        closing(PartitionedBuffer(open(f"{process}.people", "ab", BUFFER, opener=private))) as people,
        closing(PartitionedBuffer(open(f"{process}.entries", "ab", BUFFER, opener=private))) as entries,
    ):
        for batch in tools.batcher.batches(reader):
            people.add(batch.people)
            entries.add(batch.entries)
            keep(file, batch._replace(people=[], entries=[]))
        ranges = [{at: ranges for at, ranges in enumerate(rows.spill()) if ranges} for rows in (people, entries)]
    return ReadPart(
        reader.container, reader.events, reader.lines, reader.jumps, tools.batcher.fault, stamp(part.path), path,
        process, *ranges
    )  # fmt: skip


def _fold_partitions(task: tuple[str, list[range], list[PlacedPart]]) -> str:
    """Fold the people of some ranges of hashes, each range by itself; the file that has what they amount to."""
    name, shares, parts = task
    tools = _tools(name)
    descriptor, path = tempfile.mkstemp(dir=tools.shared)
    with ExitStack() as opened:
        file = opened.enter_context(open(descriptor, "wb", buffering=BUFFER))
        files = {name: opened.enter_context(open(name, "rb", buffering=0)).fileno() for name in _row_files(parts)}
        people = [(part, files[f"{part.process}.people"], part.people) for part in parts]
        entries = [(part, files[f"{part.process}.entries"], part.entries) for part in parts]
        for hashes in shares:
            keep(file, tools.partition_fold.fold(Blocks(partial(_rows, people, hashes)), _rows(entries, hashes)))
    return path


def _row_files(parts: Iterable[PlacedPart]) -> list[str]:
    """The files of all processes that have read one of these parts."""
    return sorted({f"{part.process}.{kind}" for part in parts for kind in ("people", "entries")})


def _remove(paths: list[str]) -> None:
    for path in paths:
        os.unlink(path)


def _rows(parts: Sequence[tuple[PlacedPart, int, dict[int, Ranges]]], hashes: range) -> Iterator[list[Row]]:
    """The rows of people with these hashes in the order of their events, without those that are gone."""
    for number in partitions_of(hashes):
        for part, file, ranges in parts:
            if number in ranges:
                for rows in read_blocks(file, ranges[number]):
                    yield _placed(part, among(rows, hashes))


def _placed(part: PlacedPart, rows: list[Row]) -> list[Row]:
    begin, gone = part.begin, part.gone
    if gone:
        rows = [row for row in rows if not gone[(row[1] & INDEX) >> 3] >> (row[1] & 7) & 1]
    if not begin:
        return rows
    return [(key, position + begin, time, event, user, said) for key, position, time, event, user, said in rows]
