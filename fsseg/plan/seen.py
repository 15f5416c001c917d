"""Which events were seen already: a set of 64-bit keys in 13 to 27 bytes each, where a Python set takes over 60."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import islice

FULL = 0.6
"""The share of used slots at which the table doubles; probes stay short below it."""

BATCH = 10_000


class Seen:
    """Open addressing with linear probing over one flat array; the keys are hashes, so they spread by themselves.

    Two of ten million different keys are equal with a chance of three in a million.
    """

    def __init__(self, bits: int = 16) -> None:
        self._allocate(bits)

    def _allocate(self, bits: int) -> None:
        self._slots = array("Q", bytes(8)) * (1 << bits)
        self._mask = (1 << bits) - 1
        self._room = int(FULL * (1 << bits))

    def __len__(self) -> int:
        return int(FULL * (self._mask + 1)) - self._room

    def repeated(self, keys: list[int]) -> list[int]:
        """Remember `keys` (unsigned 64-bit numbers); at which indexes stand those that were there before, in order."""
        while self._room < len(keys):
            self._grow()
        slots, mask = self._slots, self._mask
        again: list[int] = []
        for index, key in enumerate(keys):
            key = key or 1  # an empty slot is a zero
            at = key & mask
            while found := slots[at]:
                if found == key:
                    again.append(index)
                    break
                at = (at + 1) & mask
            else:
                slots[at] = key
        self._room -= len(keys) - len(again)
        return again

    def update(self, keys: Iterable[int]) -> None:
        """Remember all `keys`."""
        rest = iter(keys)
        while batch := list(islice(rest, BATCH)):
            self.repeated(batch)

    def _grow(self) -> None:
        used, old = len(self), self._slots
        self._allocate(self._mask.bit_length() + 1)
        slots, mask = self._slots, self._mask
        for key in old:
            if key:
                at = key & mask
                while slots[at]:
                    at = (at + 1) & mask
                slots[at] = key
        self._room -= used
