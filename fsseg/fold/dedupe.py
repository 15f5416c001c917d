"""Which events were seen already: many 64-bit keys in 13 to 27 bytes each, where a Python set takes over 60."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence

FULL = 0.6
"""The share of used slots at which the table doubles; probes stay short below it."""

FEW = 500_000
"""Keys that are kept in a Python set all the same: it is four times as quick."""

Earlier = Callable[[list[int]], Sequence[int]]
"""Tells which of some keys were seen before this table began."""


class DedupeIndex:
    """A set, and for many keys a flat array with linear probing; they are hashes, so they spread by themselves.

    Two of ten million different keys are equal with a chance of three in a million.
    """

    def __init__(self, earlier: Earlier | None = None, few: int = FEW, bits: int = 16) -> None:
        self.delivered: Sequence[int] = ()
        """Those of the keys asked for last that were there before the table began."""
        self._earlier = earlier
        self._most = few
        self._few: set[int] = set()
        self._allocate(bits)

    def _allocate(self, bits: int) -> None:
        self._slots = array("Q", bytes(8)) * (1 << bits)
        self._mask = (1 << bits) - 1
        self._room = int(FULL * (1 << bits))

    def __len__(self) -> int:
        return len(self._few) + int(FULL * (self._mask + 1)) - self._room

    def clear(self) -> None:
        """Give the memory back; nothing more is to be asked."""
        self._earlier = None
        self._few = set()
        self._allocate(0)

    def duplicates(self, keys: list[int]) -> list[int]:
        """Remember `keys` (unsigned 64-bit numbers); at which indexes stand those that were there before, in order."""
        self.delivered = self._earlier(keys) if self._earlier is not None else ()
        if self.delivered:
            self._put(self.delivered)
        return self._put(keys)

    def _put(self, keys: Sequence[int]) -> list[int]:
        few = self._few
        if len(few) + len(keys) > self._most:
            self._few, self._most = set(), 0
            self._put_many([*few])
        if not self._most:
            return self._put_many(keys)
        if few.isdisjoint(keys):
            different = len(few) + len(keys)
            few.update(keys)
            if len(few) == different:
                return []
            few.difference_update(keys)
        again = []
        for index, key in enumerate(keys):
            if key in few:
                again.append(index)
            else:
                few.add(key)
        return again

    def _put_many(self, keys: Sequence[int]) -> list[int]:
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
