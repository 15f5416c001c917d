"""Rows too many for memory, in partitions by the person they are about, so that each can be folded on its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Any
from zlib import crc32

from msgspec.msgpack import Decoder, Encoder

from fsseg.state.private_file import private

PARTITIONS = 256
"""Two million people are eight thousand a partition; twenty million still fit."""

SPILL = 16 << 20
"""Bytes of rows kept in memory, of people and of entries; bounds memory whatever the size of the input."""

PACKED_AT_ONCE = 8 << 20
"""Bytes of rows that are packed together: a call for each partition costs as much as a few rows."""

ROW = 400
"""Bytes that a row takes in memory besides what its event says."""

_SIZE = 4
"""Bytes that say how long the rows are that follow."""

Row = tuple[str, int, str, int, Any, bytes]
"""What an event says of a person: the person's key, the event's position, time and event key.

The rest is, for an identify call, the userId and the traits as JSON; for a group call, which is mapped already, None
and the parts of its intent; for a timeline entry, the traits of its context as JSON and its payload.
"""

Ranges = list[tuple[int, int]]
"""Where a partition's rows stand in a file: start and size of each stretch, in bytes."""

_pack = Encoder().encode
_unpack = Decoder(list[Row]).decode


def together(size: int) -> list[list[int]]:
    """Which partitions are folded at the same time, of an input whose rows have so many bytes.

    All of them where they fit into memory. This must depend on the input alone: it decides the order of the records.
    """
    return [list(range(PARTITIONS))] if size < 2 * SPILL else [[number] for number in range(PARTITIONS)]


def partition_of(key: str) -> int:
    """The number of the partition that a person belongs to."""
    return crc32(key.encode()) % PARTITIONS


class PartitionedBuffer:
    """Rows by partition, packed a few at a time.

    Beyond `SPILL` bytes in memory all of them go to a file in `folder`, which has no name and dies with the process;
    or to the file at `path`, for other processes to read.
    """

    def __init__(self, folder: Path, path: Path | None = None) -> None:
        self._rows: list[list[Row]] = [[] for _ in range(PARTITIONS)]
        self._unpacked = 0
        self._packed: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
        self._ranges: list[Ranges] = [[] for _ in range(PARTITIONS)]
        # `close` closes it
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder) if path is None else open(path, "xb", opener=private)  # noqa: SIM115
        self._held = 0

    def close(self) -> None:
        self._file.close()

    def add(self, rows: list[Row]) -> None:
        """Put each row into its partition."""
        partitions = self._rows
        for row in rows:
            partitions[partition_of(row[0])].append(row)
            self._unpacked += ROW + len(row[5])
        if self._unpacked >= min(PACKED_AT_ONCE, SPILL):
            self._pack()
            if self._held >= SPILL:
                self.spill()

    def _pack(self) -> None:
        for packed, rows in zip(self._packed, self._rows, strict=True):
            if rows:
                block = _pack(rows)
                packed += (len(block).to_bytes(_SIZE), block)
                self._held += len(block)
                rows.clear()
        self._unpacked = 0

    def spill(self) -> list[Ranges]:
        """Put all that is in memory into the file; where the rows of each partition stand in it."""
        self._pack()
        end = self._file.tell()
        self._file.write(b"".join(chain.from_iterable(self._packed)))
        self._file.flush()
        for ranges, packed in zip(self._ranges, self._packed, strict=True):
            if size := sum(map(len, packed)):
                ranges.append((end, size))
                end += size
            packed.clear()
        self._held = 0
        return self._ranges

    def blocks(self, partitions: Iterable[int]) -> Iterator[list[Row]]:
        """The rows of some partitions in the order they came, a few at a time."""
        self._pack()
        for number in partitions:
            yield from read_blocks(self._file.fileno(), self._ranges[number])
            yield unpacked(b"".join(self._packed[number]))

    def contents(self) -> Iterator[tuple[int, bytes]]:
        """The number of each partition that has rows, and these, packed."""
        self._pack()
        for number, packed in enumerate(self._packed):
            stretches = (os.pread(self._file.fileno(), size, start) for start, size in self._ranges[number])
            if content := b"".join([*stretches, *packed]):
                yield number, content


def read_blocks(file: int, ranges: Sequence[tuple[int, int]]) -> Iterator[list[Row]]:
    """The rows that stand at some places of an open file, given by its descriptor."""
    for start, size in ranges:
        yield unpacked(os.pread(file, size, start))


def unpacked(packed: bytes) -> list[Row]:
    """The rows that were packed so."""
    view, rows, at = memoryview(packed), list[Row](), 0
    while at < len(packed):
        begin = at + _SIZE
        at = begin + int.from_bytes(view[at:begin])
        rows += _unpack(view[begin:at])
    return rows


class Blocks:
    """Blocks of rows that can be gone through more than once."""

    def __init__(self, read: Callable[[], Iterator[list[Row]]]) -> None:
        self._read = read

    def __iter__(self) -> Iterator[list[Row]]:
        return self._read()
