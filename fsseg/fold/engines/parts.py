"""Parts of inputs that can be read apart, and how what was read of them is put together again."""

from __future__ import annotations

from dataclasses import replace

from fsseg.segment.open import Input, UnreadableInput
from fsseg.segment.places import stamp
from fsseg.segment.read import MOST_JUMPS, Jumps, split

NO_JUMPS: Jumps | None = []


def parts_of(input: Input, size: int) -> list[Input]:
    """The input, or byte ranges of it of about this size; all have its number."""
    try:
        known = stamp(input.path)
        parts = split(input.path, known.size // size + 1 if known else 1, input.number)
    except UnreadableInput:
        return [input]  # the one who reads it will say why it can't be
    return [replace(part, number=input.number, hints=input.hints) for part in parts]


def moved_on(jumps: Jumps | None, more: Jumps | None, events: int, lines: int) -> Jumps | None:
    """The jumps of an input with those of its next part, which begins after so many events and lines."""
    if jumps is None or more is None or len(jumps) > MOST_JUMPS:
        return None
    return [*jumps, *((event + events, line + lines) for event, line in more)]
