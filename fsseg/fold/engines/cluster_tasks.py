"""What the workers of a cluster do: read parts of the input, tell repetitions, fold partitions. Pure but for reading.

What goes from worker to worker is rows of frames, packed: a row has all that a part says of a partition.
"""

from __future__ import annotations

import pickle
import tempfile
import threading
from array import array
from collections.abc import Iterator, Sequence, Set
from contextlib import closing, contextmanager
from functools import lru_cache, partial
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from fsseg.fold.batch import Batch, Batcher, usable
from fsseg.fold.engines.handover import pack
from fsseg.fold.fold_partition import PartitionFold
from fsseg.fold.partitions import EACH, Blocks, PartitionedBuffer, Row, hash_of, packed, unpacked
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.rules import Rules
from fsseg.mapping.warning_counter import WarningCounter
from fsseg.processes import no_cycles
from fsseg.segment.event import INDEX
from fsseg.segment.open import Input
from fsseg.segment.places import stamp
from fsseg.segment.read import Jumps, read_next
from fsseg.segment.stores import Stamp
from fsseg.state.delivered_keys import SHIFT

ORDINAL_BITS = 40
"""Below the number of its part, the bits that tell which event of that it is: together, the order of all events."""

_NOWHERE = -1
_READS_AHEAD = threading.Lock()
_GONE, _PEOPLE, _ENTRIES = range(3)


class Part(NamedTuple):
    """Inputs, or a byte range of one, that are read in one go."""

    number: int
    inputs: list[Input]


class ReadInput(NamedTuple):
    """What was read of an input: container, events, lines, where these part ways, why not all, and what it was like.

    `size` is how many bytes its rows take.
    """

    container: str
    events: int
    lines: int
    jumps: Jumps | None
    fault: str
    stamp: Stamp | None
    size: int


class _Tools(NamedTuple):
    mapper: Mapper
    partition_fold: PartitionFold
    stitch: bool


def packed_tools(catalog: Catalog, rules: Rules) -> bytes:
    """The tools that workers need to read and fold, packed to be sent to them."""
    return pickle.dumps((catalog.to_json(), rules))


@lru_cache(maxsize=64)
def _tools(packed: bytes, thread: int) -> _Tools:
    """The tools that were packed, for one thread of a worker: each has its own."""
    catalog_json, rules = pickle.loads(packed)  # noqa: S301  # from our own first machine
    catalog = Catalog.from_json(catalog_json)
    mapper = Mapper(catalog, rules, WarningCounter())
    return _Tools(mapper, PartitionFold(catalog, mapper), rules.stitch_anonymous)


def rows_frame(rows: list[tuple[int, int, int, bytes]]) -> Any:
    """The frame of what goes to the workers that fold: first hash of its people, part, kind and content."""
    import pandas as pd
    import pyarrow as pa

    begins, parts, kinds, contents = map(list, zip(*rows, strict=True)) if rows else ([], [], [], [])
    binary = pa.large_binary()
    return pd.DataFrame(
        {
            "begin": pd.array(begins, dtype="int64"), "part": pd.array(parts, dtype="int64"),
            "kind": pd.array(kinds, dtype="int8"),
            "content": pd.array(pa.array(contents, binary), dtype=pd.ArrowDtype(binary)),
        }
    )  # fmt: skip


def _contents(frame: Any) -> Iterator[tuple[int, int, int, memoryview]]:
    """The rows of such a frame, in their order; the contents stay where they are."""
    contents = [memoryview(cell.as_buffer()) for cell in frame["content"].array.__arrow_array__()]
    yield from zip(frame["begin"].tolist(), frame["part"].tolist(), frame["kind"].tolist(), contents, strict=True)


class EventKeys:
    """Event keys with order and position, a line for the hash of each person whom an event tells of."""

    def __init__(self) -> None:
        self._keys, self._orders, self._positions, self._hashes = array("Q"), array("q"), array("q"), array("q")

    def add(self, batch: Batch, first: int) -> None:
        """The events of a batch that count; `first` is the order of the first event of their input."""
        keys, positions = usable(batch)
        places = [(row[1], hash_of(row[0])) for rows in (batch.people, batch.entries) for row in rows]
        hashes = dict(places)
        self._extend(keys, positions, [hashes.get(position, _NOWHERE) for position in positions], first)
        if len(hashes) < len(places):
            again = [(position, hash) for position, hash in {*places} if hashes[position] != hash]
            known = dict(zip(positions, keys, strict=True))
            again = [(position, hash) for position, hash in again if position in known]
            more = [position for position, _ in again]
            self._extend([known[position] for position in more], more, [hash for _, hash in again], first)

    def _extend(self, keys: list[int], positions: list[int], hashes: list[int], first: int) -> None:
        self._keys.extend(keys)
        self._orders.extend([first + (position & INDEX) for position in positions])
        self._positions.extend(positions)
        self._hashes.extend(hashes)

    def frame(self) -> Any:
        """All event keys as a frame, each with the block of delivered keys that it belongs to."""
        import numpy as np
        import pandas as pd

        keys = np.array(self._keys, dtype="uint64")
        return pd.DataFrame(
            {
                "block": (keys >> np.uint64(SHIFT)).astype("int64"), "key": keys,
                "order": np.array(self._orders, dtype="int64"), "position": np.array(self._positions, dtype="int64"),
                "hash": np.array(self._hashes, dtype="int64"),
            }
        )  # fmt: skip


def read_part(part: Part, packed: bytes) -> tuple[Any, Any, bytes, list[ReadInput]]:
    """The rows of a part, the keys of its events, its batches without these, and what its inputs were."""
    tools = _tools(packed, threading.get_ident())
    batcher = Batcher(tools.mapper, stitch=tools.stitch)  # a new one each time, as it tells of a name only once
    inputs: list[ReadInput] = []
    batches: list[list[Batch]] = []
    keys = EventKeys()
    first = part.number << ORDINAL_BITS
    folder = Path(tempfile.gettempdir())
    with (
        no_cycles(), _reading_ahead(part.inputs),
        closing(PartitionedBuffer.nameless(folder)) as people, closing(PartitionedBuffer.nameless(folder)) as entries
    ):  # fmt: skip
        for input in part.inputs:
            reader = batcher.reader(input)
            batches.append([])
            size = 0
            for batch in batcher.batches(reader):
                size += batch.size
                keys.add(batch, first)
                people.add(batch.people)
                entries.add(batch.entries)
                batches[-1].append(batch._replace(people=[], entries=[], passed=[], positions=[]))
            fault, first = batcher.fault, first + reader.events
            inputs.append(
                ReadInput(reader.container, reader.events, reader.lines, reader.jumps, fault, stamp(input.path), size)
            )
        rows = [
            (number * EACH, part.number, kind, content)
            for kind, buffer in ((_PEOPLE, people), (_ENTRIES, entries))
            for number, content in buffer.contents()
        ]
    return rows_frame(rows), keys.frame(), pack(batches), inputs


@contextmanager
def _reading_ahead(inputs: Sequence[Input]) -> Iterator[None]:
    """Inside, objects are begun before their turn, by one thread of each process."""
    if not _READS_AHEAD.acquire(blocking=False):
        yield
        return
    try:
        read_next(inputs)
        yield
    finally:
        read_next([])
        _READS_AHEAD.release()


def in_pieces(read: tuple[Any, ...], each: int) -> tuple[Any]:
    """The rows of a part, by so many hashes of people each, which are less than a partition has."""
    pieces: dict[tuple[int, int, int], list[Row]] = {}
    for _, part, kind, content in _contents(read[0]):
        for row in unpacked(content):
            pieces.setdefault((hash_of(row[0]) // each * each, part, kind), []).append(row)
    return (rows_frame([(*place, packed(rows)) for place, rows in pieces.items()]),)


def repeated(frame: Any, earlier: bytes, each: int) -> tuple[Any, Any]:
    """The events of a bucket that repeat others, for the workers that fold, and for the first machine.

    `earlier` are the keys of the bucket that were delivered before, as unsigned 64-bit numbers in their order; so many
    hashes of people `each` are folded at a time.
    """
    import numpy as np

    frame = frame.reset_index(drop=True)
    first = frame.groupby("key")["order"].transform("min")
    known = np.frombuffer(earlier, dtype="uint64")
    frame["delivered"] = np.isin(frame["key"].to_numpy(), known)
    gone = frame[frame["delivered"] | (frame["order"] != first)]
    placed = gone[gone["hash"] >= 0]
    begins = placed["hash"].to_numpy() // each * each
    parts = placed["order"].to_numpy() >> ORDINAL_BITS
    rows = [
        (int(begin), int(part), _GONE, positions.to_numpy().tobytes())
        for (begin, part), positions in placed["position"].groupby([begins, parts])
    ]
    return rows_frame(rows), gone.drop_duplicates("order")[["order", "key", "position", "delivered"]]


def fold_rows(frame: Any, packed: bytes, begins: Any, shares: Sequence[range]) -> bytes:
    """What the rows of people amount to, a `FoldedPartition` for each of these ranges of hashes.

    A part's positions begin at `begins`.
    """
    gone: dict[int, set[int]] = {}
    contents: dict[int, list[tuple[int, int, memoryview]]] = {_PEOPLE: [], _ENTRIES: []}
    for begin, part, kind, content in _contents(frame.reset_index()):
        if kind == _GONE:
            gone.setdefault(part, set()).update(content.cast("q"))
        else:
            contents[kind].append((begin, part, content))
    for held in contents.values():
        held.sort(key=itemgetter(0, 1))

    def blocks(kind: int, hashes: range) -> Iterator[list[Row]]:
        for begin, part, content in contents[kind]:
            if begin in hashes:
                yield _placed(unpacked(content), gone.get(part, frozenset()), int(begins[part]))

    fold = _tools(packed, threading.get_ident()).partition_fold.fold
    with no_cycles():
        return pack(
            [fold(Blocks(partial(blocks, _PEOPLE, hashes)), blocks(_ENTRIES, hashes)) for hashes in shares]
        )  # fmt: skip


def _placed(rows: list[Row], gone: Set[int], begin: int) -> list[Row]:
    """The rows without those that are gone, at their places in the whole input."""
    if gone:
        rows = [row for row in rows if row[1] not in gone]
    return [(row[0], row[1] + begin, *row[2:]) for row in rows] if begin else rows
