"""When nothing gets through any more, stop asking."""

from __future__ import annotations

import threading
from typing import NamedTuple

from fsseg.freshsales.clock import Clock
from fsseg.freshsales.errors import HostDown, Unavailable

MIN_FAILURES = 7
"""Failures in a row before the circuit may open."""

MIN_SPAN_S = 30.0
"""Seconds that they must last: what is over sooner is a blip."""

MIN_REQUESTS = 10
"""Different requests that must fail where the host can be reached."""


class Circuit:
    """Counts the failures of all requests since the last answer that made sense; once open, it stays open.

    It opens after at least 7 failures over at least 30 seconds, if no connection came up in all that time or if at
    least 10 different requests failed: a single poisonous record, or a batch being halved in search of one, must not
    pass for a dead host.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._down: str | None = None
        self._forget()

    def _forget(self) -> None:
        self._all = self._unconnected = _Series()
        self._requests: set[int] = set()

    def check(self) -> None:
        """Raises HostDown when open."""
        if self._down is not None:
            raise HostDown(self._down)

    def succeeded(self) -> None:
        """The host answered, if only with a refusal."""
        with self._lock:
            self._forget()

    def failed(self, request: int, error: Unavailable) -> None:
        """An attempt of the request with this number failed. Raises HostDown, with the error's `sent`, once open."""
        with self._lock:
            now = self._clock.time()
            self._all = self._all.more(now)
            self._unconnected = _Series() if error.sent else self._unconnected.more(now)
            self._requests.add(request)
            widespread = len(self._requests) >= MIN_REQUESTS and self._all.long(now)
            if self._down is None and (widespread or self._unconnected.long(now)):
                self._down = f"no usable answer for {now - self._all.since:.0f} s; last: {error}"
            if self._down is not None:
                down = HostDown(self._down)
                down.sent = error.sent
                raise down


class _Series(NamedTuple):
    """Failures in a row, and when the first of them was."""

    failures: int = 0
    since: float = 0.0

    def more(self, now: float) -> _Series:
        return _Series(self.failures + 1, self.since if self.failures else now)

    def long(self, now: float) -> bool:
        return self.failures >= MIN_FAILURES and now - self.since >= MIN_SPAN_S
