"""Reading, mapping and folding in several processes: over files and byte ranges of big ones, then over partitions.

What the processes have read is put together in the order of the files and their lines. So the result is the same
however many they are: which of two equal events is the first, for one, none of them needs to know.
"""

from __future__ import annotations

import marshal
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeVar

from fsseg.fold.batch import Batch, Batcher, moved
from fsseg.fold.collect import Collector
from fsseg.fold.engines import Note, Tick, silent
from fsseg.fold.engines.parts import ReadSoFar, parts_of
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
from fsseg.segment.objects import AHEAD, is_remote
from fsseg.segment.open import Input
from fsseg.segment.places import stamp
from fsseg.segment.read import Jumps, read_next

PART = 16 << 20
"""Bytes of a big file that are read at a time; there are two parts a process, so that none has to wait."""

FOLDED_AT_ONCE = 8
"""Partitions that a process folds at a time."""

A = TypeVar("A")
R = TypeVar("R")

_SIZE = 8
"""Bytes that say how long the value is that follows."""


class ReadPart(NamedTuple):
    """What one process has read: container, events, lines, where these part ways, and why it was not read to its end.

    Its batches, without their rows, are in the file at `path`; the rows are in two files beside it, by partition.
    """

    container: str
    events: int
    lines: int
    jumps: Jumps | None
    fault: str
    path: str
    people: dict[int, Ranges]
    entries: dict[int, Ranges]


class PlacedPart(NamedTuple):
    """A part that was read: where its positions begin, and which of its events are gone, a bit for each, if any are."""

    path: str
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
        for part in self._parts:
            for name in (f"{part.path}.people", f"{part.path}.entries"):
                os.unlink(name)

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
            so_far.add(part.container, part.events, part.lines, part.fault, part.jumps)
            input = tasks[at][0]
            if at + 1 == len(tasks) or tasks[at + 1][0] is not input:
                so_far.end(collector, input)
                so_far = ReadSoFar()

    def _place(self, part: ReadPart, collector: Collector, tick: Tick, events: int, lines: int) -> None:
        """Hand a part's batches on; it begins after so many events and lines of its input."""
        gone = bytearray()
        for batch in map(Batch._make, _values(part.path)):
            for position in collector.take(moved(batch, events, lines)):
                gone = gone or bytearray(part.events // 8 + 1)
                at = (position - events) & INDEX
                gone[at >> 3] |= 1 << (at & 7)
            tick(batch.read)
        self._parts.append(PlacedPart(part.path, events, bytes(gone), part.people, part.entries))

    def fold(self, size: int, note: Note = silent) -> Iterator[FoldedPartition]:
        """See `FoldEngine`."""
        shares = together(size)
        chunks = [shares[at : at + FOLDED_AT_ONCE] for at in range(0, len(shares), FOLDED_AT_ONCE)]
        for path in self._results(_fold_partitions, ((self._tools, chunk, self._rows_of(chunk)) for chunk in chunks)):
            yield from map(FoldedPartition._make, _values(path))

    def _rows_of(self, shares: list[range]) -> list[PlacedPart]:
        """The parts with nothing but where the rows of people with these hashes stand."""
        wanted = {number for hashes in shares for number in partitions_of(hashes)}

        def only(partitions: dict[int, Ranges]) -> dict[int, Ranges]:
            return {number: ranges for number, ranges in partitions.items() if number in wanted}

        return [part._replace(people=only(part.people), entries=only(part.entries)) for part in self._parts]

    def _results(self, work: Callable[[A], R], tasks: Iterable[A]) -> Iterator[R]:
        try:
            yield from self._processes.results(work, tasks)
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


def _keep(file: IO[bytes], value: tuple[Any, ...]) -> None:
    """Write a value for `_values`; `marshal.load` of a file would read it bit by bit."""
    dumped = marshal.dumps(value)
    file.write(len(dumped).to_bytes(_SIZE))
    file.write(dumped)


def _values(path: str) -> Iterator[tuple[Any, ...]]:
    """The values that were kept in a file, which goes."""
    with open(path, "rb") as file:
        os.unlink(path)
        while size := int.from_bytes(file.read(_SIZE)):
            yield marshal.loads(file.read(size))  # noqa: S302  # what we wrote ourselves


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
    with (
        open(descriptor, "wb") as file,
        closing(PartitionedBuffer(tools.shared, Path(f"{path}.people"))) as people,
        closing(PartitionedBuffer(tools.shared, Path(f"{path}.entries"))) as entries,
    ):
        for batch in tools.batcher.batches(reader):
            people.add(batch.people)
            entries.add(batch.entries)
            _keep(file, tuple(batch._replace(people=[], entries=[])))
        ranges = [{at: ranges for at, ranges in enumerate(rows.spill()) if ranges} for rows in (people, entries)]
    return ReadPart(
        reader.container, reader.events, reader.lines, reader.jumps, tools.batcher.fault, path, *ranges
    )  # fmt: skip


def _fold_partitions(task: tuple[str, list[range], list[PlacedPart]]) -> str:
    """Fold the people of some ranges of hashes, each range by itself; the file that has what they amount to."""
    name, shares, parts = task
    tools = _tools(name)
    descriptor, path = tempfile.mkstemp(dir=tools.shared)
    with open(descriptor, "wb") as file:
        for hashes in shares:
            people = Blocks(partial(_rows, [(part, f"{part.path}.people", part.people) for part in parts], hashes))
            entries = _rows(((part, f"{part.path}.entries", part.entries) for part in parts), hashes)
            _keep(file, tuple(tools.partition_fold.fold(people, entries)))
    return path


def _rows(parts: Iterable[tuple[PlacedPart, str, dict[int, Ranges]]], hashes: range) -> Iterator[list[Row]]:
    """The rows of people with these hashes in the order of their events, without those that are gone."""
    numbers = partitions_of(hashes)
    held = [one for one in parts if not one[2].keys().isdisjoint(numbers)]
    for number in numbers:
        for part, path, ranges in held:
            if number in ranges:
                with open(path, "rb", buffering=0) as file:
                    for rows in read_blocks(file.fileno(), ranges[number]):
                        yield _placed(part, among(rows, hashes))


def _placed(part: PlacedPart, rows: list[Row]) -> list[Row]:
    begin, gone = part.begin, part.gone
    if gone:
        rows = [row for row in rows if not gone[(row[1] & INDEX) >> 3] >> (row[1] & 7) & 1]
    if not begin:
        return rows
    return [(key, position + begin, time, event, user, said) for key, position, time, event, user, said in rows]
