"""Reading, mapping and folding on a Dask cluster: see `fsseg.cluster` for the connection, `cluster_tasks` for the work.

Three steps, each wherever the workers are. Parts of the inputs are read and mapped. The keys of their events are
shuffled by key, which tells repetitions. The rows that parts have said of people are shuffled by the hash of these, in
smaller pieces where there are very many, and folded without the repetitions. Both shuffles are Dask's P2P, and what
they give is put in order by the numbers of parts and positions, so that nothing depends on which worker was quicker.

This machine gets of every event its day and type (two bytes), of every repetition its key and place, whatever was
rejected, and one folded partition after another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

from msgspec.structs import replace

from fsseg.cluster import LOCAL, TRIES, Cluster
from fsseg.figures import counted
from fsseg.fold.batch import Batch, moved
from fsseg.fold.collect import Collector, Repeated
from fsseg.fold.engines import Note, Tick, silent
from fsseg.fold.engines.cluster_tasks import (
    ORDINAL_BITS,
    EventKeys,
    Part,
    ReadInput,
    fold_rows,
    in_pieces,
    packed_tools,
    read_part,
    repeated,
    rows_frame,
)
from fsseg.fold.engines.handover import to_batches, to_partitions
from fsseg.fold.engines.parts import ReadSoFar, change_of, grouped, parts_of
from fsseg.fold.fold_partition import FoldedPartition
from fsseg.fold.partitions import EACH, HASHES, together
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.rules import Rules
from fsseg.segment.open import Input
from fsseg.segment.places import absolute, stamp
from fsseg.segment.stores import NO_CREDENTIALS
from fsseg.state.delivered_keys import BLOCKS, Delivered

PARTS = 2 << 20, 64 << 20
"""Bytes of a big file, or of small ones together, that are read at a time: at least, and at most."""

PARTS_EACH = 4
"""Parts, and later partitions, that each thread of the workers gets, if there are so many, so that none has to wait."""

LOOKED_AT_ONCE = 2_000_000
"""Events among which a worker looks for repetitions at a time, more or less, where there are very many."""

FOLDED_AT_ONCE = 32 << 20
"""Bytes of rows that a worker folds for one answer, if there are so few in a partition."""

_ROWS, _KEYS, _BATCHES, _INPUTS = range(4)
"""What there is of a part that was read."""


class ClusterEngine:
    """Reads and folds on the workers of a cluster; `delivered` are the keys of events that don't count again."""

    def __init__(self, cluster: Cluster, catalog: Catalog, rules: Rules, delivered: Delivered | None) -> None:
        self._cluster = cluster
        self._delivered = delivered
        self._tools = cluster.submit(bytes, packed_tools(catalog, rules))
        self._parts: list[Part] = []
        self._read: list[Any] = []
        self._gone: list[Any] = []
        self._folded: list[Any] = []
        self._begins: list[int] = []
        """How many events of its input stand before each part."""
        self._tick: Tick = lambda count: None

    def close(self) -> None:
        self._cluster.release([*self._read, *self._gone, *self._folded, self._tools])

    def read(self, inputs: Sequence[Input], collector: Collector, tick: Tick, note: Note = silent) -> None:
        """See `FoldEngine`."""
        self._tick = tick
        self._parts = parts_for(self._cluster, inputs)
        if not self._parts:
            return
        self._read = self._cluster.map(read_part, self._parts, self._tools)
        found = self._wait_for_parts(note)
        gone = self._repetitions([input for inputs in found for input in inputs])
        given = {input.number: input for input in inputs}
        so_far = ReadSoFar()
        for part, batches in zip(self._parts, self._batches(), strict=True):
            self._begins.append(so_far.events)
            order = part.number << ORDINAL_BITS
            for input, read in zip(part.inputs, found[part.number], strict=True):
                for batch in next(batches):
                    known = gone.between(order, batch.read, so_far.events)
                    collector.take_known(moved(batch, so_far.events, so_far.lines), known)
                    order += batch.read
                fault = _fault(input, given[input.number], read)
                so_far.add(read.container, read.events, read.lines, fault, read.jumps)
                if input.end is None:
                    so_far.end(collector, given[input.number])
                    so_far = ReadSoFar()

    def _wait_for_parts(self, note: Note) -> list[list[ReadInput]]:
        """What the inputs of each part were, once all are read; events are counted as they come."""
        told = self._cluster.map(itemgetter(_INPUTS), self._read)
        places = {future.key: number for number, future in enumerate(told)}
        found: list[list[ReadInput]] = [[] for _ in told]
        for done, future in enumerate(self._cluster.completed(told, self._tick), 1):
            number = places[future.key]
            found[number] = self._cluster.value(future, name_of(self._parts[number]), self._tick, TRIES)
            self._tick(sum(input.events for input in found[number]))
            note(f"{done:,} of {counted(len(told), 'part')}")
        return found

    def _repetitions(self, read: Sequence[ReadInput]) -> Repetitions:
        """Which events repeat others, or were delivered before."""
        each = len(together(sum(input.size for input in read))[0])
        least = min(PARTS_EACH * self._cluster.threads, len(self._parts))
        count = 1 << max(least, sum(input.events for input in read) // LOOKED_AT_ONCE).bit_length()
        count = min(count, BLOCKS)
        buckets = [range(at * BLOCKS // count, (at + 1) * BLOCKS // count) for at in range(count)]
        keys = [(part, _KEYS) for part in self._read]
        shuffled = self._cluster.shuffled(
            keys, EventKeys().frame(), "block", [*(bucket.start for bucket in buckets), BLOCKS]
        )
        known = self._delivered
        earlier = [b"" if known is None else known.between(bucket.start, bucket.stop) for bucket in buckets]
        self._gone = self._cluster.made(repeated, shuffled, earlier, [each] * count)
        told = self._cluster.map(itemgetter(1), self._gone)
        return Repetitions([self._cluster.value(one, "looking for repetitions", self._tick) for one in told])

    def _batches(self) -> Iterator[Iterator[list[Batch]]]:
        """The batches of each part, by its inputs."""
        told = deque(self._cluster.map(itemgetter(_BATCHES), self._read))
        for part in self._parts:
            content = self._cluster.value(told.popleft(), name_of(part), self._tick)
            yield iter(to_batches(content))

    def fold(self, size: int, note: Note = silent) -> Iterator[FoldedPartition]:
        """See `FoldEngine`."""
        if not self._parts:
            return
        shares = together(size)
        most = min(FOLDED_AT_ONCE * len(shares) // (size + 1), len(shares) // (PARTS_EACH * self._cluster.threads)) or 1
        chunks = [shares[at : at + most] for at in range(0, len(shares), most)]
        self._folded = self._fold(chunks)
        done = 0
        for number, chunk in enumerate(chunks):
            name = f"partition {done + 1} of {len(shares)}"
            folded = to_partitions(self._cluster.value(self._folded[number], name, self._tick))
            self._folded[number].release()
            done += len(chunk)
            note(f"{done:,} of {counted(len(shares), 'partition')}")
            while folded:
                yield folded.pop(0)

    def _fold(self, chunks: Sequence[list[range]]) -> list[Any]:
        """Have the people of some ranges of hashes folded, those of each chunk by the same worker."""
        each = len(chunks[0][0])
        parts = self._cluster.map(in_pieces, self._read, each) if each < EACH else self._read
        rows = [*((part, _ROWS) for part in parts), *((gone, 0) for gone in self._gone)]
        divisions = [*(chunk[0].start for chunk in chunks), HASHES]
        shuffled = self._cluster.shuffled(rows, rows_frame([]), "begin", divisions)
        begins = self._cluster.submit(list, self._begins)
        count = len(chunks)
        return self._cluster.made(fold_rows, shuffled, [self._tools] * count, [begins] * count, chunks)


class Repetitions:
    """Events that repeat others, in the order of all events."""

    def __init__(self, frames: Sequence[Any]) -> None:
        import pandas as pd

        whole = pd.concat(frames).sort_values("order")
        self._orders = whole["order"].to_numpy()
        self._keys = whole["key"].to_numpy()
        self._positions = whole["position"].to_numpy()
        self._delivered = whole["delivered"].to_numpy()

    def between(self, order: int, count: int, begin: int) -> list[Repeated]:
        """Those among so many events from this one on; their positions, counted from `begin` events on."""
        at, end = self._orders.searchsorted([order, order + count])
        return [
            (int(key), int(position) + begin, bool(delivered))
            for key, position, delivered in zip(
                self._keys[at:end], self._positions[at:end], self._delivered[at:end], strict=True
            )
        ]


def parts_for(cluster: Cluster, inputs: Sequence[Input]) -> list[Part]:
    """The inputs in as many parts as the workers of a cluster have use for."""
    least, most = PARTS
    size = sum(known.size for input in inputs if (known := stamp(input.path)))
    size = max(least, min(most, size // (PARTS_EACH * cluster.threads)))
    return parts_in(inputs, size, absolute_paths=not cluster.address.startswith(LOCAL))


def parts_in(inputs: Sequence[Input], size: int, *, absolute_paths: bool) -> list[Part]:
    """The inputs in parts of about the same size: byte ranges of big ones, several of small ones."""
    cut: list[list[Input]] = []
    for input in inputs:
        pieces = parts_of(input, size)
        if absolute_paths:
            hints = replace(input.hints, identifiers=tuple(map(absolute, input.hints.identifiers)))
            pieces = [replace(piece, path=absolute(piece.path), hints=hints) for piece in pieces]
        cut.append(pieces)
    sizes = [known.size if (known := stamp(input.path)) else 0 for input in inputs]
    return [Part(number, group) for number, group in enumerate(grouped(cut, sizes, size))]


def name_of(part: Part) -> str:
    """What a part is called in errors."""
    first = part.inputs[0]
    if first.start or first.end is not None:
        return f"{first.path} from byte {first.start:,} on"
    more = len(part.inputs) - 1
    return first.path + (f" and {counted(more, 'more input')}" if more else "")


def _fault(read: Input, given: Input, found: ReadInput) -> str:
    """Why an input was not read to its end, with the name that it was given by."""
    if change := change_of(read, given.path, found.stamp):
        return change
    fault = found.fault.replace(read.path, given.path, 1)
    return fault.replace(NO_CREDENTIALS, f"{NO_CREDENTIALS} of the worker that was to read it")
