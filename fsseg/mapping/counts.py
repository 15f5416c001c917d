"""Counts in constant memory that add up: what was counted in two halves apart is what is counted in both together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from fsseg.mapping.warning_counter import MAX_LENGTH, MAX_NAMES, REST, MappingWarning, WarningCounter

Place = tuple[str, int]
"""A file and a line."""


def told(place: Place) -> str:
    """The place in words: file and line."""
    return f"{place[0]} line {place[1]}"


def moved(place: Place, lines: int) -> Place:
    """The place in a file whose reader began so many lines further on."""
    return place[0], place[1] + lines


_EXACT = 1 << 16
_KEYS = 1 << 64


class Distinct:
    """How many different 64-bit keys were added: counted up to 131,072, beyond that estimated within a percent or so.

    Only the smallest keys are kept; as keys are hashes, their share of the range tells how many there are in all.
    """

    def __init__(self) -> None:
        self._kept: set[int] = set()
        self._below = _KEYS

    def add(self, key: int) -> None:
        """Count `key`, unless it was counted before."""
        if key < self._below:
            self._kept.add(key)
            self._shrink()

    def _shrink(self) -> None:
        if len(self._kept) > 2 * _EXACT:
            self._below = sorted(self._kept)[_EXACT]
            self._kept = {one for one in self._kept if one < self._below}

    def add_all(self, other: Distinct) -> None:
        """Count what another one has counted."""
        self._below = min(self._below, other._below)
        self._kept = {one for one in self._kept | other._kept if one < self._below}
        self._shrink()

    def __len__(self) -> int:
        if self.exact:
            return len(self._kept)
        # By so many of the smallest keys, which are the same whatever the order in which all were added.
        return (_EXACT - 1) * _KEYS // sorted(self._kept)[_EXACT - 1]

    @property
    def exact(self) -> bool:
        """Whether the number is counted, not estimated."""
        return self._below == _KEYS


class Tops(Counter[tuple[str, str]]):
    """Counts by pairs of names; what comes after 10,000 different ones is counted together."""

    def note(self, first: str, second: str) -> None:
        """Count one pair."""
        self._add((first[:MAX_LENGTH], second[:MAX_LENGTH]), 1)

    def add_all(self, other: Tops) -> None:
        """Count what another one has counted."""
        for pair, count in other.items():
            self._add(pair, count)

    def _add(self, pair: tuple[str, str], count: int) -> None:
        self[pair if pair in self or len(self) < MAX_NAMES else (REST, "")] += count


class LocatedWarnings(WarningCounter):
    """Warnings, with where each was met first."""

    def __init__(self) -> None:
        super().__init__()
        self.here: Place = "", 0
        self.first: dict[tuple[str, str], Place] = {}

    def add(self, warnings: Iterable[MappingWarning], count: int = 1) -> None:
        given = list(warnings)
        super().add(given, count)
        for warning in given:
            if len(self.first) < MAX_NAMES:
                self.first.setdefault((warning.code, warning.name[:MAX_LENGTH]), self.here)

    def add_all(self, other: LocatedWarnings, lines: int) -> None:
        """Count what another one has counted, whose reader began so many lines further on."""
        for warning, count in other.items():
            super().add([MappingWarning(*warning)], count)
        for key, place in other.first.items():
            if len(self.first) < MAX_NAMES:
                self.first.setdefault(key, moved(place, lines))
