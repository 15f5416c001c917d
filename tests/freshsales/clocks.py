"""A clock that never really waits."""

from __future__ import annotations

import threading

HALF_PAST = 1_700_000_000 // 3600 * 3600 + 1800


class FakeClock:
    """Sleeping moves the time at once; `tick` is what every look at the clock takes."""

    def __init__(self, wall: float = HALF_PAST, tick: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._start = wall
        self._tick = tick
        self.now = 0.0
        self.sleeps: list[float] = []
        self.woken = False

    def time(self) -> float:
        with self._lock:
            self.now += self._tick
            return self.now

    def wall(self) -> float:
        return self._start + self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.sleeps.append(seconds)
            self.now += seconds

    def wake(self) -> None:
        self.woken = True

    def advance(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds
