"""Which events repeat others of the input, as long as it isn't known whether those can be used."""

from __future__ import annotations

from array import array
from collections.abc import Iterator


class Repeats:
    """Events that were left out as repetitions of others in the input: their keys and positions."""

    def __init__(self) -> None:
        self._keys, self._positions = array("Q"), array("Q")

    def add(self, key: int, position: int) -> None:
        """Note one more event that was left out."""
        self._keys.append(key)
        self._positions.append(position)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Position and key of each."""
        return zip(self._positions, self._keys, strict=True)

    def of(self, keys: set[int]) -> dict[int, int]:
        """The noted events that have one of these keys: the key of each, by its position."""
        return {position: key for position, key in self if key in keys} if keys else {}
