"""When nothing gets through any more, stop asking."""

from __future__ import annotations

import threading

from fsseg.freshsales.clock import Clock
from fsseg.freshsales.errors import HostDown, Unavailable

FAILURES = 7
SPAN = 30.0
REQUESTS = 10


class Circuit:
    """Counts the failures of all requests since the last answer that made sense; once open, it stays open.

    It opens after at least 7 failures over at least 30 seconds, if no connection came up in all that time or if they
    befell at least 10 different requests: a single poisonous record, or a batch being halved in search of one, must
    not pass for a dead host.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._down: str | None = None
        self._forget()

    def _forget(self) -> None:
        self._failures = 0
        self._since = 0.0
        self._connected = False
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
        """Attempt of the request numbered `request`. Raises HostDown, with the error's `sent`, when that opens it."""
        with self._lock:
            now = self._clock.time()
            self._since = self._since if self._failures else now
            self._failures += 1
            self._connected |= error.sent
            self._requests.add(request)
            enough = self._failures >= FAILURES and now - self._since >= SPAN
            if self._down is None and enough and (not self._connected or len(self._requests) >= REQUESTS):
                self._down = f"no usable answer for {now - self._since:.0f} s; last: {error}"
            if self._down is not None:
                down = HostDown(self._down)
                down.sent = error.sent
                raise down
