"""What the workers of a cluster do: read parts of the input, tell repetitions, fold partitions. Pure but for reading.

What goes from worker to worker is rows of frames, packed: a row has all that a part says of a partition.
"""

from __future__ import annotations

import marshal
import pickle
import tempfile
import threading
from array import array
from collections.abc import Iterator, Sequence, Set
from contextlib import closing, contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from fsseg.fold.batch import Batch, Batcher, usable
from fsseg.fold.fold_partition import PartitionFold
from fsseg.fold.partitions import Blocks, PartitionedBuffer, Row, partition_of, unpacked
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.rules import Rules
from fsseg.mapping.warning_counter import WarningCounter
from fsseg.processes import no_cycles
from fsseg.segment.event import INDEX
from fsseg.segment.open import Input
from fsseg.segment.places import Stamp, stamp
from fsseg.segment.read import Jumps, read_next

ORDINAL_BITS = 40
"""Below the number of its part, the bits that tell which event of that it is: together, the order of all events."""

BUCKET_BITS = 64 - 8
"""Above these, the bits of an event key that tell which bucket it is looked for in."""

_NOWHERE = -1
_READS_AHEAD = threading.Lock()
_GONE, _PEOPLE, _ENTRIES = range(3)


class Part(NamedTuple):
    """Inputs, or a byte range of one, that are read in one go."""

    number: int
    inputs: list[Input]


class ReadInput(NamedTuple):
    """What was read of an input: container, events, lines, where these part ways, why not all, and what it was like."""

    container: str
    events: int
    lines: int
    jumps: Jumps | None
    fault: str
    stamp: Stamp | None


class _Tools(NamedTuple):
    mapper: Mapper
    partition_fold: PartitionFold
    stitch: bool


def packed_tools(catalog: Catalog, rules: Rules) -> bytes:
    """What workers need to read and to fold."""
    return pickle.dumps((catalog.to_json(), rules))


@lru_cache(maxsize=64)
def _tools(packed: bytes, thread: int) -> _Tools:
    """Each thread has its own."""
    catalog_json, rules = pickle.loads(packed)  # noqa: S301  # from our own first machine
    catalog = Catalog.from_json(catalog_json)
    mapper = Mapper(catalog, rules, WarningCounter())
    return _Tools(mapper, PartitionFold(catalog, mapper), rules.stitch_anonymous)


def rows_frame(rows: list[tuple[int, int, int, bytes]]) -> Any:
    """Partition, part, kind and content of what goes to the workers that fold."""
    import pandas as pd
    import pyarrow as pa

    numbers, parts, kinds, contents = map(list, zip(*rows, strict=True)) if rows else ([], [], [], [])
    binary = pa.large_binary()
    return pd.DataFrame(
        {
            "number": pd.array(numbers, dtype="int64"), "part": pd.array(parts, dtype="int64"),
            "kind": pd.array(kinds, dtype="int8"),
            "content": pd.array(pa.array(contents, binary), dtype=pd.ArrowDtype(binary)),
        }
    )  # fmt: skip


class EventKeys:
    """Key, order and position of events, with the partition that each has a row in; again for each further one."""

    def __init__(self) -> None:
        self._keys, self._orders, self._positions, self._numbers = array("Q"), array("q"), array("q"), array("q")

    def add(self, batch: Batch, first: int) -> None:
        """The events of a batch that count; `first` is the order of the first event of their input."""
        keys, positions = usable(batch)
        places = [(row[1], partition_of(row[0])) for rows in (batch.people, batch.entries) for row in rows]
        numbers = dict(places)
        self._extend(keys, positions, [numbers.get(position, _NOWHERE) for position in positions], first)
        if len(numbers) < len(places):
            again = [(position, number) for position, number in {*places} if numbers[position] != number]
            known = dict(zip(positions, keys, strict=True))
            again = [(position, number) for position, number in again if position in known]
            more = [position for position, _ in again]
            self._extend([known[position] for position in more], more, [number for _, number in again], first)

    def _extend(self, keys: list[int], positions: list[int], numbers: list[int], first: int) -> None:
        self._keys.extend(keys)
        self._orders.extend([first + (position & INDEX) for position in positions])
        self._positions.extend(positions)
        self._numbers.extend(numbers)

    def frame(self) -> Any:
        """All of them, with the bucket that each key belongs to."""
        import numpy as np
        import pandas as pd

        keys = np.array(self._keys, dtype="uint64")
        return pd.DataFrame(
            {
                "bucket": (keys >> np.uint64(BUCKET_BITS)).astype("int64"), "key": keys,
                "order": np.array(self._orders, dtype="int64"), "position": np.array(self._positions, dtype="int64"),
                "number": np.array(self._numbers, dtype="int64"),
            }
        )  # fmt: skip


def read_part(part: Part, packed: bytes) -> tuple[Any, Any, bytes, list[ReadInput]]:
    """The rows of a part, the keys of its events, its batches without these, and what its inputs were."""
    tools = _tools(packed, threading.get_ident())
    batcher = Batcher(tools.mapper, stitch=tools.stitch)  # a new one each time, as it tells of a name only once
    inputs: list[ReadInput] = []
    batches: list[list[tuple[Any, ...]]] = []
    keys = EventKeys()
    first = part.number << ORDINAL_BITS
    folder = Path(tempfile.gettempdir())
    with (
        no_cycles(), _reading_ahead(part.inputs),
        closing(PartitionedBuffer(folder)) as people, closing(PartitionedBuffer(folder)) as entries
    ):  # fmt: skip
        for input in part.inputs:
            reader = batcher.reader(input)
            batches.append([])
            for batch in batcher.batches(reader):
                keys.add(batch, first)
                people.add(batch.people)
                entries.add(batch.entries)
                batches[-1].append(tuple(batch._replace(people=[], entries=[], passed=[], positions=[])))
            fault, first = batcher.fault, first + reader.events
            inputs.append(
                ReadInput(reader.container, reader.events, reader.lines, reader.jumps, fault, stamp(input.path))
            )
        rows = [
            (number, part.number, kind, content)
            for kind, buffer in ((_PEOPLE, people), (_ENTRIES, entries))
            for number, content in buffer.contents()
        ]
    return rows_frame(rows), keys.frame(), marshal.dumps(batches), inputs


@contextmanager
def _reading_ahead(inputs: Sequence[Input]) -> Iterator[None]:
    """Objects are begun before their turn, by one thread of each process."""
    if not _READS_AHEAD.acquire(blocking=False):
        yield
        return
    try:
        read_next(inputs)
        yield
    finally:
        read_next([])
        _READS_AHEAD.release()


def repeated(frame: Any, earlier: bytes) -> tuple[Any, Any]:
    """The events of a bucket that repeat others, for the workers that fold, and for the first machine.

    `earlier` are the keys of the bucket that were delivered before, as unsigned 64-bit numbers in their order.
    """
    import numpy as np

    frame = frame.reset_index(drop=True)
    first = frame.groupby("key")["order"].transform("min")
    known = np.frombuffer(earlier, dtype="uint64")
    frame["delivered"] = np.isin(frame["key"].to_numpy(), known)
    gone = frame[frame["delivered"] | (frame["order"] != first)]
    placed = gone[gone["number"] >= 0]
    parts = placed["order"].to_numpy() >> ORDINAL_BITS
    rows = [
        (int(number), int(part), _GONE, positions.to_numpy().tobytes())
        for (number, part), positions in placed.groupby(["number", parts])["position"]
    ]
    return rows_frame(rows), gone.drop_duplicates("order")[["order", "key", "position", "delivered"]]


def fold_rows(frame: Any, packed: bytes, begins: Any) -> bytes:
    """What the rows of some partitions amount to, a `FoldedPartition`; a part's positions begin at `begins`."""
    frame = frame.reset_index().sort_values(["number", "part"], kind="stable")
    gone: dict[int, set[int]] = {}
    contents: dict[int, list[tuple[int, bytes]]] = {_PEOPLE: [], _ENTRIES: []}
    for part, kind, content in zip(frame["part"], frame["kind"], frame["content"], strict=True):
        if kind == _GONE:
            gone.setdefault(part, set()).update(memoryview(content).cast("q"))
        else:
            contents[kind].append((part, content))
    del frame

    def blocks(kind: int) -> Iterator[list[Row]]:
        for part, content in contents[kind]:
            yield _placed(unpacked(content), gone.get(part, frozenset()), int(begins[part]))

    fold = _tools(packed, threading.get_ident()).partition_fold.fold
    with no_cycles():
        return marshal.dumps(tuple(fold(Blocks(partial(blocks, _PEOPLE)), blocks(_ENTRIES))))


def _placed(rows: list[Row], gone: Set[int], begin: int) -> list[Row]:
    """The rows without those that are gone, at their places in the whole input."""
    if gone:
        rows = [row for row in rows if row[1] not in gone]
    return [(row[0], row[1] + begin, *row[2:]) for row in rows] if begin else rows
