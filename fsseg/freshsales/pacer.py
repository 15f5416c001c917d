"""One pace for all threads: as fast as the account's quota allows, and never faster.

The quota is counted per account, over all keys and integrations, in windows (Freshsales documents requests an hour and
a minute). Where the headers tell what is left, requests under way are counted against it, so several workers don't
overshoot; where nothing is told, a refusal shows how many requests a window holds, and the last ones before that
number go one at a time. After every pause a single request tries the ground before the others follow.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from fsseg.freshsales.clock import Clock, SystemClock
from fsseg.freshsales.errors import BudgetSpent, Interrupted
from fsseg.freshsales.pace import GO, Delay, Now, Pace, Ticket
from fsseg.freshsales.quota import QuotaHeaders
from fsseg.freshsales.traffic import Traffic

Kind = Literal["read", "write"]
OnWait = Callable[[float, float, str], None]


class Pacer:
    """Shared by all threads; every request passes `take` before and `release` after.

    `max_requests` counts every request, retries too; `max_time` is seconds from now, and a wait that would end later
    raises `BudgetSpent` at once; `reserve` is the share of the quota (0 to 1) left to others, known once the headers
    tell the quota: where no more is left, the next window is waited for. `on_wait(seconds, until, reason)` is called
    before each wait, `until` in seconds since the epoch, `reason` one of `quota`, `rate_limited`, `burst` (refused for
    long without a word), or what `pause` was given. `waited_s` is how long at least one thread waited.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
        max_requests: int | None = None,
        max_time: float | None = None,
        reserve: float = 0.0,
        on_wait: OnWait | None = None,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.chance = chance
        self.on_wait = on_wait
        self.total = self.read = self.write = self.retried = self.rate_limited = 0
        self.waited_s = 0.0
        self.traffic = Traffic()
        """When requests were sent, and waited with."""
        self._waiting, self._waiting_since = 0, 0.0
        self._max_requests = max_requests
        self._deadline = None if max_time is None else self.clock.time() + max_time
        self._changed = threading.Condition()
        self._interrupted = False
        self._sleeping = False
        self._pace = Pace(reserve)
        self._answers, self._answered_s = 0, 0.0

    def spent(self) -> dict[str, float]:
        """Requests so far, of which kinds, and the seconds that were waited."""
        return {
            "total": self.total, "read": self.read, "write": self.write, "retried": self.retried,
            "rate_limited": self.rate_limited, "waited_s": round(self.waited_s, 1),
        }  # fmt: skip

    @property
    def per_hour(self) -> int | None:
        """Requests an hour the account may send, where the headers tell: the quota they tell of is the hour's."""
        return self._pace.limit

    @property
    def remaining(self) -> int | None:
        """Requests that are left of them, as the account told last; None before it did."""
        return self._pace.remaining

    @property
    def seconds_per_request(self) -> float | None:
        """How long an answer took on average; None before there was one."""
        return self._answered_s / self._answers if self._answers else None

    def take(self, kind: Kind, *, retry: bool = False) -> Ticket:
        """Wait for leave to send one request. The ticket returned must be given to `release` whatever happens.

        Raises BudgetSpent or Interrupted, and then nothing is to be sent.
        """
        with self._changed:
            while (delay := self._delay()) != GO:
                if delay.seconds is None or self._sleeping:
                    self._changed.wait()
                else:
                    self._sleep_for_all(delay.seconds, delay.reason)
            self.total += 1
            self.traffic.note_sent(self.clock.wall())
            self.retried += retry
            if kind == "read":
                self.read += 1
            else:
                self.write += 1
            return self._pace.sent(self._now())

    def release(self, ticket: Ticket, headers: QuotaHeaders | None) -> None:
        """The request of `ticket` is over; `headers` is None when no answer came."""
        with self._changed:
            if headers is not None:
                self._answers += 1
                self._answered_s += self.clock.time() - ticket.at
                self.rate_limited += headers.limited
            self._pace.over(ticket, self._now(), headers, self.chance())
            self._changed.notify_all()

    def pause(self, seconds: float, reason: str) -> None:
        """Let this thread alone wait. Raises BudgetSpent or Interrupted."""
        self._check(seconds)
        self._sleep(seconds, reason)
        self._check()

    @contextmanager
    def whole(self, most: int) -> Iterator[None]:
        """What is done inside takes up to `most` requests, and comes to nothing where a `BudgetSpent` cuts it off."""
        before = self.total
        try:
            yield
        except BudgetSpent as error:
            if error.enough is None and error.budget == "max_requests":
                error.enough = max(before + most, self.total + 1)
            raise

    @property
    def interrupted(self) -> bool:
        """Whether somebody asked to stop."""
        return self._interrupted

    def interrupt(self) -> None:
        """Make every waiting thread, and every later request, raise Interrupted. Safe in a signal handler."""
        self._interrupted = True
        self.clock.wake()
        with self._changed:
            self._changed.notify_all()

    def _now(self) -> Now:
        return Now(self.clock.time(), self.clock.wall())

    def _check(self, wait: float = 0.0) -> None:
        if self._interrupted:
            raise Interrupted("interrupted")
        if self._deadline is not None and self.clock.time() + wait >= self._deadline:
            message = f"the time is up: the next request would have to wait {wait:.0f} s" if wait else "the time is up"
            raise BudgetSpent("max_time", message)

    def _delay(self) -> Delay:
        """How long the next request has to wait. Raises what ends the run."""
        delay = self._pace.delay(self._now())
        self._check(delay.seconds or 0.0)
        if self._max_requests is not None and self.total >= self._max_requests:
            many = f"all of the {self._max_requests:,} requests allowed are"
            spent = "the one request allowed is" if self._max_requests == 1 else many
            raise BudgetSpent("max_requests", f"{spent} spent")
        return delay

    def _sleep_for_all(self, seconds: float, reason: str) -> None:
        """Sleep while all other threads wait for this one to wake, so that `on_wait` is called once for all."""
        self._sleeping = True
        self._changed.release()
        try:
            self._sleep(seconds, reason)
        finally:
            self._changed.acquire()
            self._sleeping = False
            self._changed.notify_all()

    def _sleep(self, seconds: float, reason: str) -> None:
        self.traffic.note_wait(self.clock.wall(), seconds, reason)
        if self.on_wait is not None:
            self.on_wait(seconds, self.clock.wall() + seconds, reason)
        self._count_waiting(1)
        try:
            self.clock.sleep(seconds)
        finally:
            self._count_waiting(-1)

    def _count_waiting(self, change: int) -> None:
        """Note that one more thread waits, or one fewer; the time in which several wait counts once."""
        with self._changed:
            now = self.clock.time()
            if self._waiting:
                self.waited_s += now - self._waiting_since
            self._waiting += change
            self._waiting_since = now
