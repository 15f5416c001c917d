"""The keys of delivered events: kept in blocks by their first bits, so that a few are found without reading all."""

from __future__ import annotations

import sqlite3
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

SCHEMA = "CREATE TABLE delivered (block INTEGER PRIMARY KEY, keys BLOB NOT NULL);"

SHIFT = 48
"""The first 16 of a key's 64 bits are its block; ten million keys are about 150 a block."""

BLOCKS = 1 << 64 - SHIFT
"""How many blocks there are."""

MOST = 12_500_000
"""Keys held in memory at a time, in 8 bytes each."""


class Delivered:
    """Unsigned 64-bit keys in a ledger, 9 to 13 bytes each there.

    What was read stays in memory: a small import reads only the blocks it needs, a large one each block once.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._blocks: dict[int, array[int]] = {}
        self._held = 0

    def among(self, keys: Iterable[int]) -> list[int]:
        """Those of `keys` that were delivered, in order."""
        if not self._blocks and self._db.execute("SELECT 1 FROM delivered LIMIT 1").fetchone() is None:
            return []
        blocks, delivered = self._blocks, []
        for key in keys:
            block = blocks.get(key >> SHIFT)
            if block is None:
                block = self._hold(key >> SHIFT)
            at = bisect_left(block, key)
            if at < len(block) and block[at] == key:
                delivered.append(key)
        return delivered

    def between(self, first: int, last: int) -> bytes:
        """Those of a block, and of further ones up to and without the last: 64-bit numbers in their order."""
        rows = self._db.execute(
            "SELECT keys FROM delivered WHERE block >= ? AND block < ? ORDER BY block", (first, last)
        )
        return b"".join(keys for (keys,) in rows)

    def add(self, keys: Iterable[int]) -> None:
        """Note `keys`; those that are there stay."""
        for block, new in _by_block(keys):
            self._write(block, sorted({*self._read(block), *new}))

    def drop(self, keys: Iterable[int]) -> None:
        """Forget `keys`."""
        for block, gone in _by_block(keys):
            self._write(block, sorted({*self._read(block)}.difference(gone)))

    def _hold(self, number: int) -> array[int]:
        if self._held > MOST:
            self._blocks.clear()
            self._held = 0
        block = self._blocks[number] = self._read(number)
        self._held += len(block)
        return block

    def _read(self, number: int) -> array[int]:
        row = self._db.execute("SELECT keys FROM delivered WHERE block = ?", (number,)).fetchone()
        return array("Q", row[0] if row else b"")

    def _write(self, number: int, keys: Sequence[int]) -> None:
        self._blocks.pop(number, None)
        self._db.execute("INSERT OR REPLACE INTO delivered VALUES (?, ?)", (number, array("Q", keys).tobytes()))


def _by_block(keys: Iterable[int]) -> Iterator[tuple[int, array[int]]]:
    """The keys of each block, in the order of the blocks; in several goes where they are too many for memory."""
    rest = iter(keys)
    while True:
        blocks: defaultdict[int, array[int]] = defaultdict(lambda: array("Q"))
        for key in islice(rest, MOST):
            blocks[key >> SHIFT].append(key)
        if not blocks:
            return
        for block in sorted(blocks):
            yield block, blocks.pop(block)
