from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from fsseg.freshsales.clock import SystemClock
from fsseg.freshsales.errors import Interrupted
from fsseg.freshsales.pacer import Pacer
from fsseg.freshsales.quota import QuotaHeaders

from .clocks import FakeClock
from .paces import call


class HandClock(FakeClock):
    """Sleepers sleep until the test has moved the time far enough."""

    def __init__(self) -> None:
        super().__init__()
        self._moved = threading.Condition()
        self._asleep = 0

    def sleep(self, seconds: float) -> None:
        with self._moved:
            end = self.now + seconds
            self._asleep += 1
            self._moved.notify_all()
            assert self._moved.wait_for(lambda: self.now >= end, 30)
            self._asleep -= 1

    def advance(self, seconds: float) -> None:
        with self._moved:
            super().advance(seconds)
            self._moved.notify_all()

    def begin(self, wait: Callable[[], None]) -> threading.Thread:
        """Start a thread and return once it sleeps."""
        with self._moved:
            sleepers = self._asleep + 1
        thread = threading.Thread(target=wait, daemon=True)
        thread.start()
        with self._moved:
            assert self._moved.wait_for(lambda: self._asleep == sleepers, 30)
        return thread


def joined(*threads: threading.Thread) -> None:
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_waits_that_overlap_count_once() -> None:
    clock = HandClock()
    pacer = Pacer(clock=clock)
    clock.advance(100)
    outer = clock.begin(lambda: pacer.pause(10, "unavailable"))
    clock.advance(2)
    nested = clock.begin(lambda: pacer.pause(3, "unavailable"))
    same = clock.begin(lambda: pacer.pause(3, "unavailable"))
    clock.advance(3)
    joined(nested, same)
    clock.advance(4)
    longer = clock.begin(lambda: pacer.pause(6, "unavailable"))
    clock.advance(1)
    joined(outer)
    clock.advance(5)
    joined(longer)
    assert pacer.waited_s == 15.0
    clock.advance(50)
    later = clock.begin(lambda: pacer.pause(2, "unavailable"))
    clock.advance(2)
    joined(later)
    assert pacer.waited_s == 17.0


def test_a_wait_for_all_and_a_pause_within_it_count_once() -> None:
    clock = HandClock()
    pacer = Pacer(clock=clock)
    call(pacer, QuotaHeaders(True, retry_after=30.0))
    leader = clock.begin(lambda: call(pacer))
    followers = [threading.Thread(target=call, args=(pacer,), daemon=True) for _ in range(3)]
    for follower in followers:
        follower.start()
    clock.advance(10)
    pause = clock.begin(lambda: pacer.pause(10, "unavailable"))
    clock.advance(10)
    joined(pause)
    clock.advance(10)
    joined(leader, *followers)
    assert (pacer.waited_s, pacer.total) == (30.0, 5)


def test_several_threads_that_wait_for_the_reserve_all_go_on() -> None:
    clock = HandClock()
    pacer = Pacer(clock=clock, reserve=0.5)
    call(pacer, QuotaHeaders(limit=100, remaining=60, reset_in=60.0))
    under_way = [pacer.take("write") for _ in range(3)]
    for ticket in under_way:
        pacer.release(ticket, QuotaHeaders(limit=100, remaining=50, reset_in=60.0))
    plenty = QuotaHeaders(limit=100, remaining=90, reset_in=3600.0)
    leader = clock.begin(lambda: call(pacer, plenty))
    followers = [threading.Thread(target=call, args=(pacer, plenty), daemon=True) for _ in range(5)]
    for follower in followers:
        follower.start()
    assert pacer.total == 4
    clock.advance(60)
    joined(leader, *followers)
    assert (pacer.waited_s, pacer.total) == (60.0, 10)


def test_interrupting_ends_a_sleep_and_everything_after() -> None:
    clock = SystemClock()
    pacer = Pacer(clock=clock)
    call(pacer, QuotaHeaders(True, retry_after=3600.0))
    ends: list[BaseException] = []

    def work() -> None:
        try:
            pacer.take("read")
        except Interrupted as interrupted:
            ends.append(interrupted)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    pacer.interrupt()
    for thread in threads:
        thread.join(5)
    assert len(ends) == 3
    with pytest.raises(Interrupted):
        pacer.pause(1, "unavailable")
