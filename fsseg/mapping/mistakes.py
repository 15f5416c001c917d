"""What is wrong with the user's settings of the mapping, each mistake with its place and what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from fsseg.mapping.names import did_you_mean

Path = tuple[str, ...]
"""The names that lead to a setting: of tables, and its own."""


class Mistake(NamedTuple):
    """A setting that can't be used: where it stands, what is wrong, and what to do."""

    path: Path
    text: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{'.'.join(self.path)}: {self.text}" + (f"; {self.hint}" if self.hint else "")


class MappingError(ValueError):
    """The user's mapping cannot be used. `mistakes` holds every one."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(map(str, self.mistakes)))


def unknown_key(path: Path, key: str, known: Iterable[str]) -> Mistake:
    """A key that means nothing; the hint names the closest that does, or all of them."""
    names = list(known)
    return Mistake(
        (*path, key), f"there is no key {key!r} here", did_you_mean(key, names) or f"keys: {', '.join(names)}"
    )
