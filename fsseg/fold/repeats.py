"""Which events repeat others of the input, as long as it isn't known whether those can be used."""

from __future__ import annotations

from array import array


class Repeats:
    """Events that were left out as repetitions of others in the input: their keys and positions."""

    def __init__(self) -> None:
        self._keys, self._positions = array("Q"), array("Q")

    def add(self, key: int, position: int) -> None:
        """Note one more."""
        self._keys.append(key)
        self._positions.append(position)

    def of(self, keys: set[int]) -> dict[int, int]:
        """Of those with these keys, the key by the position."""
        if not keys:
            return {}
        pairs = zip(self._positions, self._keys, strict=True)
        return {position: key for position, key in pairs if key in keys}
