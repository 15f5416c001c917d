"""When requests were sent and when they were waited with, in a few hundred numbers however long it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

MOST_STEPS = 240
MOST_WAITS = 200
SHORTEST_WAIT_S = 1.0
"""What is shorter is no wait that anybody would look for."""


class Wait(NamedTuple):
    """A wait: from when to when, in seconds since the epoch, and why."""

    begin: int
    end: int
    reason: str


class Traffic:
    """Requests by steps of so many seconds since the epoch; steps become twice as long where they'd be too many."""

    def __init__(self, step_s: int = 1, sent: Mapping[int, int] | None = None, waits: Sequence[Wait] = ()) -> None:
        self.step_s = step_s
        self.sent = dict(sent or {})
        """How many, by the number of the step."""
        self.waits = [Wait(*wait) for wait in waits]

    def note_sent(self, now: float, count: int = 1) -> None:
        """Note that so many requests were sent."""
        step = int(now) // self.step_s
        self.sent[step] = self.sent.get(step, 0) + count
        while len(self.sent) > 1 and max(self.sent) - min(self.sent) >= MOST_STEPS:
            self._double()

    def note_wait(self, begin: float, seconds: float, reason: str) -> None:
        """Note a wait of so many seconds from then on; one that goes on where another ends is the same wait."""
        if seconds < SHORTEST_WAIT_S:
            return
        last = self.waits[-1] if self.waits else None
        if last and last.reason == reason and begin <= last.end:
            self.waits[-1] = Wait(last.begin, max(last.end, int(begin + seconds)), reason)
        elif len(self.waits) < MOST_WAITS:
            self.waits.append(Wait(int(begin), int(begin + seconds), reason))

    def following(self, earlier: Traffic) -> Traffic:
        """The traffic of an earlier process and this one together."""
        both = Traffic(earlier.step_s, earlier.sent, [*earlier.waits, *self.waits][:MOST_WAITS])
        while both.step_s < self.step_s:
            both._double()
        for step, count in self.sent.items():
            both.note_sent(step * self.step_s, count)
        return both

    def _double(self) -> None:
        halves, self.sent, self.step_s = self.sent, {}, self.step_s * 2
        for step, count in halves.items():
            self.sent[step // 2] = self.sent.get(step // 2, 0) + count
