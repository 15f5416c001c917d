"""Warnings counted by name, so that a million events make a short report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

MAX_NAMES = 10_000
"""Names counted one by one; what hostile data invents beyond that is counted together as `REST`."""

REST = "…"
MAX_LENGTH = 100
"""Characters of a name that are kept; longer names are not worth remembering anywhere."""


class MappingWarning(NamedTuple):
    """One kind of warning: its code as the reports name it, the name it is about, and what to do about it."""

    code: str
    name: str
    hint: str = ""


class WarningCounter:
    """How often each warning occurred. Counters of several readers add up with `+`."""

    def __init__(self) -> None:
        self._counts: dict[MappingWarning, int] = {}

    def add(self, warnings: Iterable[MappingWarning], count: int = 1) -> None:
        """Count each warning `count` times."""
        counts = self._counts
        for warning in warnings:
            if warning in counts:
                counts[warning] += count
            else:
                self._admit(warning, count)

    def _admit(self, warning: MappingWarning, count: int) -> None:
        room = len(self._counts) < MAX_NAMES
        warning = MappingWarning(
            warning.code, warning.name[:MAX_LENGTH] if room else REST, warning.hint if room else ""
        )
        self._counts[warning] = self._counts.get(warning, 0) + count

    def items(self) -> list[tuple[tuple[str, str, str], int]]:
        """Code, name and hint of each warning, and how often it occurred, as plain tuples."""
        return [((code, name, hint), count) for (code, name, hint), count in self._counts.items()]

    def __bool__(self) -> bool:
        return bool(self._counts)

    @property
    def counts(self) -> dict[tuple[str, str], int]:
        """Count by (code, name)."""
        counts: dict[tuple[str, str], int] = {}
        for warning, count in self._counts.items():
            counts[warning[:2]] = counts.get(warning[:2], 0) + count
        return counts

    def rows(self) -> list[dict[str, str | int]]:
        """The `warnings` of a run's summary: `{code, name, count, hint}`, most frequent first."""
        hints: dict[tuple[str, str], str] = {}
        for warning in self._counts:
            hints[warning[:2]] = hints.get(warning[:2]) or warning.hint
        ranked = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))
        return [{"code": code, "name": name, "count": n, "hint": hints[code, name]} for (code, name), n in ranked]
