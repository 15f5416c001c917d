"""Rows too many for memory, in heaps by the person they are about, so that each heap can be settled on its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any
from zlib import crc32

from msgspec.msgpack import Decoder, Encoder

HEAPS = 256
"""Two million people are eight thousand a heap; twenty million still fit."""

_SIZE = 4
"""Bytes that say how long the rows are that follow."""

Row = tuple[str, int, str, int, Any, bytes]
"""What an event says of a person: the person's key, the event's position, time and event key.

The rest is, for an identify or group call, the userId and the traits as JSON (or no userId, and the parts of an intent
that is mapped already); for a timeline entry, the traits of its context as JSON and its payload.
"""

_pack = Encoder().encode
_unpack = Decoder(list[Row]).decode


class Spool:
    """Rows by heap, packed as they come, while they are still in the processor's cache.

    Beyond `most` bytes in memory all of them go to a file, which has no name and dies with us.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self.spilled = False
        self._packed: list[list[bytes]] = [[] for _ in range(HEAPS)]
        self._places: list[list[tuple[int, int]]] = [[] for _ in range(HEAPS)]
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # `close` closes it
        self._most = most
        self._held = 0

    def close(self) -> None:
        self._file.close()

    def add(self, rows: list[Row]) -> None:
        """Put each row onto its heap."""
        heaps: list[list[Row]] = [[] for _ in range(HEAPS)]
        for row in rows:
            heaps[crc32(row[0].encode()) % HEAPS].append(row)
        for packed, some in zip(self._packed, heaps, strict=True):
            if some:
                block = _pack(some)
                packed += (len(block).to_bytes(_SIZE), block)
                self._held += len(block)
        if self._held >= self._most:
            self._spill()

    def _spill(self) -> None:
        end = self._file.tell()
        self._file.write(b"".join(chain.from_iterable(self._packed)))
        for places, packed in zip(self._places, self._packed, strict=True):
            size = sum(map(len, packed))
            places.append((end, size))
            end += size
            packed.clear()
        self._held = 0
        self.spilled = True

    def blocks(self, heaps: Iterable[int]) -> Iterator[list[Row]]:
        """The rows of some heaps in the order they came, a few at a time."""
        for heap in heaps:
            for start, size in self._places[heap]:
                self._file.seek(start)
                yield _unpacked(self._file.read(size))
            yield _unpacked(b"".join(self._packed[heap]))


def _unpacked(packed: bytes) -> list[Row]:
    view, rows, at = memoryview(packed), list[Row](), 0
    while at < len(packed):
        begin = at + _SIZE
        at = begin + int.from_bytes(view[at:begin])
        rows += _unpack(view[begin:at])
    return rows
