"""Which events were seen already: a set of 64-bit keys in 13 to 27 bytes each, where a Python set takes over 60."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

FULL = 0.6
"""The share of used slots at which the table doubles; probes stay short below it."""


class Seen:
    """Open addressing with linear probing over one flat array; the keys are hashes, so they spread by themselves.

    Two of ten million different keys are equal with a chance of three in a million.
    """

    def __init__(self, bits: int = 16) -> None:
        self._allocate(bits)

    def _allocate(self, bits: int) -> None:
        self._slots = array("Q", bytes(8 << bits))
        self._mask = (1 << bits) - 1
        self._room = int(FULL * (1 << bits))

    def __len__(self) -> int:
        return int(FULL * (self._mask + 1)) - self._room

    def add(self, key: int) -> bool:
        """Remember `key` (an unsigned 64-bit number); whether it is new."""
        key = key or 1
        slots, mask = self._slots, self._mask
        at = key & mask
        while found := slots[at]:
            if found == key:
                return False
            at = (at + 1) & mask
        slots[at] = key
        self._room -= 1
        if self._room <= 0:
            self._grow()
        return True

    def update(self, keys: Iterable[int]) -> None:
        """Remember all `keys`."""
        for key in keys:
            self.add(key)

    def _grow(self) -> None:
        old = self._slots
        self._allocate(self._mask.bit_length() + 1)
        slots, mask = self._slots, self._mask
        count = 0
        for key in old:
            if key:
                at = key & mask
                while slots[at]:
                    at = (at + 1) & mask
                slots[at] = key
                count += 1
        self._room -= count
