"""What all track and page calls of a person make of the fields that the user's rules have them set. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Context
from functools import lru_cache
from math import isfinite
from typing import Any, Final

from fsseg.fold.merge import Part
from fsseg.mapping.intents import ANY_MISFIT, MISFIT
from fsseg.mapping.storable import storable
from fsseg.segment.times import microseconds

# Wide enough for the sum of any two numbers that JSON readers know: nothing is rounded, so that no order matters.
_EXACT: Final = Context(prec=1_000)

_INT64: Final = 1 << 63

TAKES: Final = "{} takes numbers of 64 bits"
"""What is told of a field that can't hold its sum."""

_LAST_TIME: Final = (1 << 56) - 1
"""The latest time that the ledger can keep, in microseconds."""


def mirrored(at: int) -> int:
    """The time by which the first event of several counts as the latest, so that the latest-wins rule keeps it."""
    return _LAST_TIME - at


def real_time(time: int) -> int:
    """The event's own time, where that of a first event is mirrored; all events are of about this century."""
    return _LAST_TIME - time if 0 < time < _LAST_TIME // 2 else time


class EventFieldValues:
    """Puts together what the calls say to one entity, those at some positions left out.

    `fields` and their `times` are as `fold.desired` has them.
    """

    def __init__(self, entity: str, part: Part, without: Collection[int] = ()) -> None:
        self.fields: dict[str, Any] = {}
        self._first: dict[str, str] = {}
        self._latest: dict[str, str] = {}
        """By field, the time of the event that counts."""
        self._numbers: dict[str, list[int | float]] = {}
        """By field, what is added up in it."""
        self.misfits: list[tuple[str, list[str], int]] = []
        """Cells of values that didn't fit, with the position of their event."""
        self.beyond: list[tuple[str, list[str], int]] = []
        """The same of sums that no field can hold, with the position of the last event."""
        for time, position, cells in part.layers:  # the earliest first
            if position in without:
                continue
            for name, value in cells.items():
                taken = _taken(name, entity)
                if taken is not None:
                    self._take(*taken, value, time)
                elif name.startswith(ANY_MISFIT):
                    self.misfits.append((name, value, position))
        self.times = {name: microseconds(time) for name, time in self._latest.items()}
        self.times |= {name: mirrored(microseconds(time)) for name, time in self._first.items()}
        for name, numbers in self._numbers.items():
            added = total(numbers)
            if added is not None:
                self.fields[name] = added
            else:
                told = [f"the sum of {len(numbers)} numbers", TAKES.format(name)]
                self.beyond.append((MISFIT + name, told, part.layers[-1][1]))
        self.added_up = self._numbers.keys() & self.fields.keys()

    def _take(self, take: str, name: str, value: Any, time: str) -> None:
        if take == "first":
            if name not in self.fields:
                self.fields[name], self._first[name] = storable(value), time
        elif take == "last":
            self.fields[name], self._latest[name] = storable(value), time
        else:
            self._numbers.setdefault(name, []).append(value)
            self._latest[name] = time


@lru_cache(maxsize=1_000)
def _taken(cell: str, entity: str) -> tuple[str, str] | None:
    """What is taken of a cell's values and for which field, where it is one that is meant for this entity."""
    take, _, name = cell.partition(" ")
    owner, _, own = name.partition(":")
    if cell.startswith("$") or (own and owner != entity):
        return None
    return take, own or name


def total(numbers: Sequence[int | float]) -> int | float | None:
    """The sum of numbers as they are written, which their order doesn't change; None where no field can hold it."""
    if all(number.__class__ is int for number in numbers):
        whole = sum(numbers)
        return whole if -_INT64 <= whole < _INT64 else None
    exact = _EXACT.create_decimal(0)
    for number in numbers:
        exact = _EXACT.add(exact, _EXACT.create_decimal(repr(number)))
    is_whole = exact == exact.to_integral_value(context=_EXACT)
    if is_whole and -_INT64 <= exact < _INT64:
        return int(exact)
    near = float(exact)
    is_held = _EXACT.create_decimal(repr(near)) == exact if is_whole else isfinite(near)
    return near if is_held else None
