from __future__ import annotations

from collections.abc import Callable

import pytest

from fsseg.freshsales.errors import BudgetSpent
from fsseg.freshsales.pacer import Pacer
from fsseg.freshsales.quota import QuotaHeaders

from .clocks import FakeClock
from .paces import (
    LIMITED,
    OK,
    BusyClock,
    Server,
    any_quarter,
    blocked,
    call,
    everything,
    headers_only,
    remaining_without_reset,
    run,
    whole_seconds,
)


def test_where_only_the_reserve_is_left_the_next_window_is_waited_for() -> None:
    clock = FakeClock()
    waits: list[tuple[float, float, str]] = []
    pacer = Pacer(clock=clock, reserve=0.2, on_wait=lambda *wait: waits.append(wait))
    call(pacer, QuotaHeaders(limit=100, remaining=21, reset_in=60.0))
    call(pacer, QuotaHeaders(limit=100, remaining=20, reset_in=60.0))
    assert waits == []
    call(pacer, QuotaHeaders(limit=100, remaining=99, reset_in=3600.0))
    assert waits == [(60.0, clock.wall(), "quota")]
    for remaining in range(98, 19, -1):
        call(pacer, QuotaHeaders(limit=100, remaining=remaining, reset_in=3600.0))
    assert len(waits) == 1
    pacer.take("read")
    assert (len(waits), pacer.waited_s) == (2, 3660.0)


def test_where_no_reset_is_told_the_reserve_makes_wait_for_the_clock_hour() -> None:
    clock = FakeClock()
    pacer = Pacer(clock=clock, reserve=0.5)
    call(pacer, QuotaHeaders(limit=100, remaining=50))
    call(pacer, QuotaHeaders(limit=100, remaining=99))
    assert clock.sleeps == [1800.0]
    for remaining in range(98, 49, -1):
        call(pacer, QuotaHeaders(limit=100, remaining=remaining))
    pacer.take("read")
    assert clock.sleeps == [1800.0, 3600.0]


def test_a_window_that_goes_on_longer_costs_a_second_look_and_then_an_hour() -> None:
    clock = FakeClock()
    pacer = Pacer(clock=clock, reserve=0.5)
    for remaining in range(50, 45, -1):
        call(pacer, QuotaHeaders(limit=100, remaining=remaining))
    assert clock.sleeps == [1800.0, 60.0, 3540.0, 60.0]


def test_a_second_look_makes_up_for_a_clock_that_is_ahead() -> None:
    clock = FakeClock()
    pacer = Pacer(clock=clock, reserve=0.5)
    call(pacer, QuotaHeaders(limit=100, remaining=50))
    call(pacer, QuotaHeaders(limit=100, remaining=49))
    for remaining in range(99, 49, -1):
        call(pacer, QuotaHeaders(limit=100, remaining=remaining))
    assert clock.sleeps == [1800.0, 60.0]


@pytest.mark.parametrize(("seconds_between", "end"), [(0.0, 60.0), (30.0, 30.0), (70.0, 50.0)])
def test_the_reserve_makes_wait_for_the_learnt_end_of_the_window(seconds_between: float, end: float) -> None:
    clock = FakeClock()
    pacer = Pacer(clock=clock, chance=lambda: 0.0, reserve=0.5)
    for _ in range(3):
        call(pacer, LIMITED)
    call(pacer, QuotaHeaders(limit=100, remaining=51))
    clock.advance(seconds_between)
    call(pacer, QuotaHeaders(limit=100, remaining=50))
    pacer.take("read")
    assert clock.sleeps == [1, 2, 4, end]


def test_an_answer_that_many_overtook_does_not_speak_of_a_new_window() -> None:
    clock = FakeClock()
    pacer = Pacer(clock=clock, reserve=0.5)
    call(pacer, QuotaHeaders(limit=100, remaining=99))
    slow = pacer.take("write")
    for remaining in range(97, 50, -1):
        call(pacer, QuotaHeaders(limit=100, remaining=remaining))
    pacer.release(slow, QuotaHeaders(limit=100, remaining=98))
    call(pacer, QuotaHeaders(limit=100, remaining=50))
    pacer.take("read")
    assert clock.sleeps == [1800.0]


def test_a_put_off_probe_opens_nothing_either() -> None:
    clock = FakeClock()
    pacer = Pacer(clock=clock, reserve=0.5)
    call(pacer, QuotaHeaders(limit=100, remaining=50, reset_in=600.0))
    call(pacer, QuotaHeaders(retry_after=30.0))
    call(pacer)
    call(pacer, QuotaHeaders(limit=100, remaining=99))
    call(pacer)
    assert clock.sleeps == [600.0, 30.0, 60.0]


@pytest.mark.parametrize("headers", [None, OK])
def test_a_probe_that_tells_nothing_opens_nothing(headers: QuotaHeaders | None) -> None:
    clock = FakeClock()
    pacer = Pacer(clock=clock, reserve=0.5)
    call(pacer, QuotaHeaders(limit=100, remaining=50, reset_in=600.0))
    call(pacer, headers)
    call(pacer, headers)
    call(pacer, QuotaHeaders(limit=100, remaining=99))
    call(pacer)
    assert clock.sleeps == [600.0, 60.0, 60.0]


def test_without_a_reserve_a_probe_that_tells_nothing_is_enough() -> None:
    pacer = Pacer(clock=FakeClock())
    call(pacer, QuotaHeaders(limit=100, remaining=0, reset_in=600.0))
    call(pacer)
    pacer.take("read")
    assert not blocked(pacer)


def test_the_probe_of_a_new_window_is_a_single_one() -> None:
    pacer = Pacer(clock=FakeClock(), reserve=0.5)
    call(pacer, QuotaHeaders(limit=100, remaining=50))
    pacer.take("read")
    assert blocked(pacer)


def test_requests_under_way_count_against_what_the_reserve_leaves() -> None:
    clock = FakeClock()
    pacer = Pacer(clock=clock, reserve=0.5)
    call(pacer, QuotaHeaders(limit=100, remaining=52, reset_in=60.0))
    pacer.take("read")
    pacer.take("read")
    assert blocked(pacer)
    assert clock.sleeps == []


@pytest.mark.parametrize(
    "headers", [QuotaHeaders(limit=1, remaining=0), QuotaHeaders(limit=1, remaining=0, reset_in=3600.0)]
)
def test_a_reserve_of_all_there_is_still_lets_one_request_a_window_through(headers: QuotaHeaders) -> None:
    clock = FakeClock(wall=1_700_000_000 // 3600 * 3600)
    pacer = Pacer(clock=clock, reserve=0.9)
    call(pacer, QuotaHeaders(limit=1000, remaining=900, reset_in=3600.0))
    for _ in range(4):
        call(pacer, headers)
    assert clock.sleeps == [3600.0, 3600.0, 3600.0, 3600.0]


@pytest.mark.parametrize("reset_in", [None, 1800.0])
def test_max_time_ends_a_run_whose_reserve_would_make_it_wait_too_long(reset_in: float | None) -> None:
    clock = FakeClock()
    pacer = Pacer(clock=clock, reserve=0.5, max_time=1800.0)
    call(pacer, QuotaHeaders(limit=100, remaining=50, reset_in=reset_in))
    with pytest.raises(BudgetSpent) as caught:
        pacer.take("read")
    assert (caught.value.budget, clock.sleeps) == ("max_time", [])


@pytest.mark.usefixtures("jumpy_threads")
@pytest.mark.parametrize("workers", [1, 6])
@pytest.mark.parametrize(
    ("window", "tell", "early"),
    [
        (60.0, everything, 0),
        (60.0, headers_only, 0),
        (60.0, whole_seconds, 2),
        (3600.0, any_quarter, 3),
        (3600.0, remaining_without_reset, 0),
    ],
)
def test_all_but_the_reserve_is_used_in_every_window(
    workers: int, window: float, tell: Callable[[QuotaHeaders], QuotaHeaders], early: int
) -> None:
    clock = BusyClock(wall=1_700_000_000 // 3600 * 3600)
    pacer = Pacer(clock=clock, reserve=0.5)
    server = Server(clock, 200, window, tell)
    run(pacer, server, 1000, workers)
    windows = max(server.served) - min(server.served) + 1
    assert (sum(server.served.values()), server.refused) == (1000, 0)
    assert max(server.served.values()) <= 100 + early
    assert windows <= 11
