"""Rows too many for memory, in heaps by the person they are about, so that each heap can be settled on its own."""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

HEAPS = 256
"""Two million people are eight thousand a heap; twenty million still fit."""

Row = tuple[str, int, str, int, Any, bytes]
"""What an event says of a person: the person's key, the event's position, time and event key.

The rest is, for an identify or group call, the userId and the traits as JSON (or no userId, and the parts of an intent
that is mapped already); for a timeline entry, the traits of its context as JSON and its payload.
"""


class Spool:
    """Rows by heap. Beyond `most` in memory all of them go to a file, which has no name and dies with us."""

    def __init__(self, folder: Path, most: int) -> None:
        self.spilled = False
        self._heaps: list[list[Row]] = [[] for _ in range(HEAPS)]
        self._blocks: list[list[tuple[int, int]]] = [[] for _ in range(HEAPS)]
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115  # `close` closes it
        self._most = most
        self._held = 0

    def close(self) -> None:
        self._file.close()

    def add(self, rows: list[Row]) -> None:
        """Put each row onto its heap."""
        heaps = self._heaps
        for row in rows:
            heaps[crc32(row[0].encode()) % HEAPS].append(row)
        self._held += len(rows)
        if self._held >= self._most:
            self._spill()

    def _spill(self) -> None:
        end = self._file.tell()
        blocks = [*map(marshal.dumps, self._heaps)]
        self._file.write(b"".join(blocks))
        for places, block, rows in zip(self._blocks, blocks, self._heaps, strict=True):
            places.append((end, len(block)))
            end += len(block)
            rows.clear()
        self._held = 0
        self.spilled = True

    def blocks(self, heaps: Iterable[int]) -> Iterator[list[Row]]:
        """The rows of some heaps in the order they came, a few at a time."""
        for heap in heaps:
            for start, size in self._blocks[heap]:
                self._file.seek(start)
                yield marshal.loads(self._file.read(size))  # noqa: S302  # what we wrote ourselves
            yield self._heaps[heap]
