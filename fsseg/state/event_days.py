"""Type and day of every event that was read, in two bytes each, so that it can be told when what went wrong."""

from __future__ import annotations

import zlib
from array import array
from collections import Counter
from datetime import date, timedelta

from fsseg.segment.event import POSITION_BITS
from fsseg.state.actions import EventOutcome
from fsseg.state.outcomes import RANK, Totals
from fsseg.state.plan_store import Store
from fsseg.state.report_rows import rejects_of
from fsseg.state.run_meta import DayMarks

MOST_MARKS = 65_535
MOST_PERIODS = 130
"""Days, weeks or months that are told apart: as many as a chart has room for."""

ByTime = dict[str, dict[str, dict[str, int]]]
"""By the first day of a period, then type, then outcome: how many events."""


class EventDays:
    """Takes what batches tell of their events, input by input."""

    def __init__(self) -> None:
        self._numbers = {"": 0}
        self._marked = array("H")
        self._inputs: dict[int, bytes] = {}

    def add(self, marks: list[str], marked: bytes) -> None:
        """The marks of the events that follow, as `fold.batch.Batch` has them."""
        numbers = [self._number(mark) for mark in marks]
        self._marked.extend([numbers[at] for at in memoryview(marked).cast("H")])

    def _number(self, mark: str) -> int:
        if mark not in self._numbers and len(self._numbers) > MOST_MARKS:
            return 0
        return self._numbers.setdefault(mark, len(self._numbers))

    def end(self, input: int) -> None:
        """All of an input's events were added."""
        self._inputs[input] = zlib.compress(self._marked.tobytes(), 1)
        self._marked = array("H")

    def kept(self) -> DayMarks:
        """What a run keeps of it."""
        return DayMarks([*self._numbers], self._inputs)


def events_by_time(store: Store, totals: Totals) -> tuple[str, ByTime]:
    """What became of the events by day, week or month, whichever is few enough, and which of these it is."""
    counts = _by_mark(store, totals)
    days = {mark[-10:] for mark, _ in counts}
    if not days:
        return "day", {}
    step = _step(min(days), max(days))
    found: ByTime = {}
    for (mark, outcome), count in sorted(counts.items()):
        by_type = found.setdefault(_first_day(mark[-10:], step), {})
        outcomes = by_type.setdefault(mark[:-10], {})
        outcomes[outcome.value] = outcomes.get(outcome, 0) + count
    return step, dict(sorted(found.items()))


def _by_mark(store: Store, totals: Totals) -> Counter[tuple[str, EventOutcome]]:
    """An event that came neither into the plan nor among the rejected ones was skipped as it was read."""
    kept = store.meta.days
    outcomes = {0: EventOutcome.SKIPPED, **{rank: outcome for outcome, rank in RANK.items()}}
    marked = {number: memoryview(zlib.decompress(packed)).cast("H") for number, packed in kept.inputs.items()}
    counts: Counter[tuple[str, EventOutcome]] = Counter()
    for number, marks in marked.items():
        for (at, rank), count in Counter(zip(marks, totals.ranks.get(number, b""), strict=False)).items():
            counts[kept.marks[at], outcomes[rank]] += count
    mask = (1 << POSITION_BITS) - 1
    for reject in rejects_of(store):
        numbers, at = marked.get(reject.position >> POSITION_BITS), reject.position & mask
        if numbers is not None and at < len(numbers) and totals.outcome(reject.position) is None:
            counts[kept.marks[numbers[at]], EventOutcome.SKIPPED] -= 1
            counts[kept.marks[numbers[at]], EventOutcome.REJECTED] += 1
    return Counter({(mark, outcome): count for (mark, outcome), count in counts.items() if mark and count > 0})


def _step(first: str, last: str) -> str:
    days = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    return "day" if days <= MOST_PERIODS else "week" if days <= 7 * MOST_PERIODS else "month"


def _first_day(day: str, step: str) -> str:
    if step == "month":
        return f"{day[:7]}-01"
    if step == "day":
        return day
    found = date.fromisoformat(day)
    return (found - timedelta(days=found.weekday())).isoformat()
