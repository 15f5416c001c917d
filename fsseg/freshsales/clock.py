"""Time, as the pacer sees it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What the pacer needs of time; tests give their own."""

    def time(self) -> float:
        """Seconds that never run backwards."""

    def wall(self) -> float:
        """Seconds since the epoch."""

    def sleep(self, seconds: float) -> None:
        """Wait; returns early after `wake`."""

    def wake(self) -> None:
        """End every present and future sleep at once."""


class SystemClock:
    """The machine's clock."""

    # A signal handler may wake us while the same thread is about to sleep: a lock (as in threading.Event) could
    # deadlock there, a flag looked at ten times a second cannot.
    _SLICE = 0.1

    def __init__(self) -> None:
        self._woken = False

    def time(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._woken and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, self._SLICE))

    def wake(self) -> None:
        self._woken = True
