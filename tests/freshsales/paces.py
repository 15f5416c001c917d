"""Servers and clocks that the pacer is held to."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator

from fsseg.freshsales.errors import Interrupted
from fsseg.freshsales.pacer import Pacer
from fsseg.freshsales.quota import QuotaHeaders

from .clocks import FakeClock

OK = QuotaHeaders()
LIMITED = QuotaHeaders(limited=True)


def call(pacer: Pacer, headers: QuotaHeaders | None = OK) -> None:
    pacer.release(pacer.take("read"), headers)


class BusyClock(FakeClock):
    """Time that leaps only while no request is under way: an answer is never held up by someone else's sleep."""

    def __init__(self, wall: float) -> None:
        super().__init__(wall)
        self._under_way = 0
        self._idle = threading.Condition()

    @contextlib.contextmanager
    def request(self) -> Iterator[None]:
        with self._idle:
            self._under_way += 1
        yield
        with self._idle:
            self._under_way -= 1
            self._idle.notify_all()

    def sleep(self, seconds: float) -> None:
        with self._idle:
            self._idle.wait_for(lambda: self._under_way == 0)
            super().sleep(seconds)


class Server:
    """Counts requests in fixed windows of the wall clock and answers with as much of the quota as `tell` lets out."""

    def __init__(
        self, clock: BusyClock, quota: int, window: float, tell: Callable[[QuotaHeaders], QuotaHeaders]
    ) -> None:
        self.clock, self.quota, self.window, self.tell = clock, quota, window, tell
        self.served: Counter[int] = Counter()
        self.refused = 0
        self._lock = threading.Lock()

    def answer(self) -> QuotaHeaders:
        self.clock.advance(0.05)
        with self._lock:
            wall = self.clock.wall()
            window = int(wall // self.window)
            reset_in = (window + 1) * self.window - wall
            if self.served[window] >= self.quota:
                self.refused += 1
                return self.tell(QuotaHeaders(True, int(reset_in) + 1, self.quota, 0, reset_in))
            self.served[window] += 1
            return self.tell(QuotaHeaders(False, None, self.quota, self.quota - self.served[window], reset_in))


def everything(headers: QuotaHeaders) -> QuotaHeaders:
    return headers


def headers_only(headers: QuotaHeaders) -> QuotaHeaders:
    return QuotaHeaders(headers.limited, None, headers.limit, headers.remaining, headers.reset_in)


def whole_seconds(headers: QuotaHeaders) -> QuotaHeaders:
    return QuotaHeaders(headers.limited, None, headers.limit, headers.remaining, int(headers.reset_in or 0) or None)


def any_quarter(headers: QuotaHeaders) -> QuotaHeaders:
    """A reset of which only the place within the quarter of an hour is known."""
    return QuotaHeaders(headers.limited, None, headers.limit, headers.remaining, (headers.reset_in or 0) % 900 or None)


def retry_after_only(headers: QuotaHeaders) -> QuotaHeaders:
    return QuotaHeaders(headers.limited, headers.retry_after)


def remaining_without_reset(headers: QuotaHeaders) -> QuotaHeaders:
    return QuotaHeaders(headers.limited, headers.retry_after, headers.limit, headers.remaining)


def nothing(headers: QuotaHeaders) -> QuotaHeaders:
    return QuotaHeaders(headers.limited)


def run(pacer: Pacer, server: Server, requests: int, workers: int) -> None:
    """Get that many requests served, repeating the refused ones, by so many threads."""
    todo = iter(range(requests))
    lock = threading.Lock()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            while True:
                with lock:
                    if next(todo, None) is None:
                        return
                limited = True
                while limited:
                    ticket = pacer.take("write")
                    with server.clock.request():
                        headers = server.answer()
                        pacer.release(ticket, headers)
                    limited = headers.limited
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not failures


def blocked(pacer: Pacer) -> bool:
    """Whether one more request would have to wait for an answer under way."""
    done = threading.Event()

    def work() -> None:
        with contextlib.suppress(Interrupted):
            pacer.take("read")
            done.set()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(0.05)
    waits = not done.is_set()
    pacer.interrupt()
    thread.join(5)
    return waits
