"""Rows too many for memory, in partitions by the person they are about, so that each can be folded on its own.

A partition has the people whose hashes begin with the same bits. Where that would be too many, the ranges of hashes
that are folded one after another are pieces of partitions.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any
from zlib import crc32

from msgspec.msgpack import Decoder, Encoder

from fsseg.state.private_file import BUFFER

PARTITIONS = 256
"""Two million people are eight thousand a partition; twenty million still fit."""

HASHES = 1 << 32
"""How many hashes of people's keys there are."""

EACH = HASHES // PARTITIONS
"""How many of them belong to a partition."""

LARGEST = 512 << 20
"""Bytes of rows that are to be folded at a time, more or less, however many there are."""

SPILL = 16 << 20
"""Bytes of rows kept in memory, of people and of entries; bounds memory whatever the size of the input."""

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

_ARRAY = b"\xdd"
"""What an array of MessagePack begins with; how many values it has follows, in four bytes, and then these."""

_pack = Encoder().encode
_unpack = Decoder(list[Row]).decode


def together(size: int) -> list[range]:
    """The hashes of people who are folded at the same time, of an input whose rows have so many bytes.

    All of them where they fit into memory. This must depend on the input alone: it decides the order of the records.
    """
    if size < 2 * SPILL:
        return [range(HASHES)]
    pieces = 1 << (size // (PARTITIONS * LARGEST)).bit_length()
    each = EACH // pieces
    return [range(begin, begin + each) for begin in range(0, HASHES, each)]


def hash_of(key: str) -> int:
    """The number that tells by its first bits which partition a person belongs to, and by further ones which piece."""
    return crc32(key.encode())


def partitions_of(hashes: range) -> range:
    """The numbers of the partitions that people with these hashes belong to."""
    return range(hashes.start // EACH, (hashes.stop - 1) // EACH + 1)


def among(rows: list[Row], hashes: range) -> list[Row]:
    """Those rows of their partitions that are about people with these hashes."""
    return rows if len(hashes) >= EACH else [row for row in rows if hash_of(row[0]) in hashes]


class PartitionedBuffer:
    """Rows by partition, packed as they come: while a row is in the processor's cache, that takes half the time.

    Beyond `SPILL` bytes in memory all of them go to the end of a file, which is closed with this.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._packed: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
        self._ranges: list[Ranges] = [[] for _ in range(PARTITIONS)]
        self._file = file
        self._held = 0

    @classmethod
    def nameless(cls, folder: Path) -> PartitionedBuffer:
        """One whose file, in this folder, has no name and dies with the process."""
        return cls(tempfile.TemporaryFile(dir=folder, buffering=BUFFER))

    def close(self) -> None:
        self._file.close()

    def add(self, rows: list[Row]) -> None:
        """Put each row into its partition."""
        packed = [_pack(row) for row in rows]
        for row, content in zip(rows, packed, strict=True):
            self._packed[crc32(row[0].encode()) // EACH].append(content)  # `hash_of`, without a call
        self._held += sum(map(len, packed))
        if self._held >= SPILL:
            self.spill()

    def spill(self) -> list[Ranges]:
        """Put all that is in memory into the file; where the rows of each partition stand in it."""
        end = self._file.tell()
        for ranges, rows in zip(self._ranges, self._packed, strict=True):
            if rows:
                size = self._file.write(_block(rows))
                ranges.append((end, size))
                end += size
                rows.clear()
        self._file.flush()
        self._held = 0
        return self._ranges

    def blocks(self, hashes: range) -> Iterator[list[Row]]:
        """The rows of people with these hashes, partition by partition in the order they came, a few at a time."""
        for number in partitions_of(hashes):
            for rows in read_blocks(self._file.fileno(), self._ranges[number]):
                yield among(rows, hashes)
            yield among(unpacked(_block(self._packed[number])), hashes)

    def contents(self) -> Iterator[tuple[int, bytes]]:
        """The number of each partition that has rows, and these, packed."""
        self.spill()
        for number, ranges in enumerate(self._ranges):
            if content := b"".join([os.pread(self._file.fileno(), size, start) for start, size in ranges]):
                yield number, content


def read_blocks(file: int, ranges: Sequence[tuple[int, int]]) -> Iterator[list[Row]]:
    """The rows that stand at some places of an open file, given by its descriptor."""
    for start, size in ranges:
        yield unpacked(os.pread(file, size, start))


def packed(rows: list[Row]) -> bytes:
    """The rows, with how long they are: more may follow."""
    return _block([_pack(row) for row in rows])


def _block(rows: list[bytes]) -> bytes:
    """Packed rows as `unpacked` reads them."""
    content = b"".join((_ARRAY, len(rows).to_bytes(_SIZE), *rows))
    return len(content).to_bytes(_SIZE) + content


def unpacked(packed: bytes | memoryview) -> list[Row]:
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
