"""Warnings counted by name, so that a million events make a short report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

MAX_NAMES = 10_000
"""Names counted one by one; what hostile data invents beyond that is counted together as `REST`."""

REST = "…"
MAX_LENGTH = 100
"""Characters of a name that are kept; longer names are not worth remembering anywhere."""


class Note(NamedTuple):
    """One kind of warning: its code as the reports name it, the name it is about, and what to do about it."""

    code: str
    name: str
    hint: str = ""


class Tally:
    """How often each warning occurred. Tallies of several readers add up with `+`."""

    def __init__(self) -> None:
        self._notes: dict[Note, int] = {}

    def add(self, notes: Iterable[Note], count: int = 1) -> None:
        """Count each note `count` times."""
        counts = self._notes
        for note in notes:
            if note in counts:
                counts[note] += count
            else:
                self._admit(note, count)

    def _admit(self, note: Note, count: int) -> None:
        room = len(self._notes) < MAX_NAMES
        note = Note(note.code, note.name[:MAX_LENGTH] if room else REST, note.hint if room else "")
        self._notes[note] = self._notes.get(note, 0) + count

    def __add__(self, other: Tally) -> Tally:
        total = Tally()
        for tally in (self, other):
            for note, count in tally._notes.items():
                total.add((note,), count)
        return total

    def __bool__(self) -> bool:
        return bool(self._notes)

    @property
    def counts(self) -> dict[tuple[str, str], int]:
        """Count by (code, name)."""
        counts: dict[tuple[str, str], int] = {}
        for note, count in self._notes.items():
            counts[note[:2]] = counts.get(note[:2], 0) + count
        return counts

    def rows(self) -> list[dict[str, str | int]]:
        """The `warnings` of a run's summary: `{code, name, count, hint}`, most frequent first."""
        hints: dict[tuple[str, str], str] = {}
        for note in self._notes:
            hints[note[:2]] = hints.get(note[:2]) or note.hint
        ranked = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))
        return [{"code": code, "name": name, "count": n, "hint": hints[code, name]} for (code, name), n in ranked]
