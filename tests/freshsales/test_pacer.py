from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable

import pytest
from msgspec.structs import replace

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
    nothing,
    remaining_without_reset,
    retry_after_only,
    run,
    whole_seconds,
)


@pytest.mark.usefixtures("jumpy_threads")
@pytest.mark.parametrize("workers", [1, 6])
@pytest.mark.parametrize(
    ("quota", "window", "tell", "used"),
    [
        (100, 60.0, everything, 0.95),
        (100, 60.0, headers_only, 0.95),
        (100, 60.0, whole_seconds, 0.95),
        (100, 3600.0, headers_only, 0.95),
        (1000, 3600.0, any_quarter, 0.95),
        (200, 60.0, remaining_without_reset, 0.95),
        (200, 60.0, retry_after_only, 0.95),
        (1000, 3600.0, nothing, 0.95),
    ],
)
def test_the_quota_is_used_up_and_hardly_ever_overdrawn(
    workers: int, quota: int, window: float, tell: Callable[[QuotaHeaders], QuotaHeaders], used: float
) -> None:
    clock = BusyClock(wall=1_700_000_000 // 3600 * 3600)
    pacer = Pacer(clock=clock)
    server = Server(clock, quota, window, tell)
    run(pacer, server, 10 * quota, workers)
    windows = max(server.served) - min(server.served) + 1
    assert sum(server.served.values()) == 10 * quota
    assert 10 / windows >= used
    assert server.refused / pacer.total <= 0.01
    assert (pacer.rate_limited, pacer.total) == (server.refused, 10 * quota + server.refused)


def test_a_minute_window_is_found_out_though_nothing_is_told() -> None:
    clock = BusyClock(wall=1_700_000_000 // 3600 * 3600)
    pacer = Pacer(clock=clock, chance=lambda: 0.5)
    server = Server(clock, 400, 60.0, nothing)
    run(pacer, server, 4000, workers=1)
    assert len(server.served) <= 11
    assert server.refused / pacer.total <= 0.01


def test_workers_overlap_where_quota_is_plenty() -> None:
    pacer = Pacer(clock=FakeClock())
    call(pacer, QuotaHeaders(limit=1000, remaining=900))
    tickets = [pacer.take("write") for _ in range(8)]
    for ticket in tickets:
        pacer.release(ticket, OK)
    assert pacer.total == 9


def test_nobody_overtakes_the_first_request_of_a_run() -> None:
    pacer = Pacer(clock=FakeClock())
    pacer.take("read")
    assert blocked(pacer)


def test_requests_under_way_count_against_what_is_left() -> None:
    pacer = Pacer(clock=FakeClock())
    call(pacer, QuotaHeaders(limit=100, remaining=2))
    pacer.take("read")
    pacer.take("read")
    assert blocked(pacer)


def test_with_quota_left_nothing_blocks() -> None:
    pacer = Pacer(clock=FakeClock())
    call(pacer, QuotaHeaders(limit=100, remaining=3))
    pacer.take("read")
    pacer.take("read")
    assert not blocked(pacer)


def test_a_spent_quota_is_waited_out_to_its_reset() -> None:
    clock = FakeClock()
    waits: list[tuple[float, float, str]] = []
    pacer = Pacer(clock=clock, on_wait=lambda *wait: waits.append(wait))
    call(pacer, QuotaHeaders(limit=1000, remaining=0, reset_in=1800.0))
    call(pacer)
    assert waits == [(1800.0, clock.wall(), "quota")]
    assert pacer.waited_s == 1800.0
    assert (pacer.per_hour, pacer.remaining) == (1000, 0)


def test_retry_after_is_waited_wholly_even_for_hours() -> None:
    clock = FakeClock()
    pacer = Pacer(clock=clock)
    call(pacer, QuotaHeaders(True, retry_after=7200.0, remaining=0, reset_in=5.0))
    call(pacer)
    assert clock.sleeps == [7200.0]


def test_one_refusal_makes_all_wait_once() -> None:
    clock = FakeClock()
    pacer = Pacer(clock=clock)
    for _ in range(30):
        call(pacer)
    tickets = [pacer.take("write") for _ in range(4)]
    for ticket in tickets:
        pacer.release(ticket, QuotaHeaders(True, retry_after=30.0))
    call(pacer)
    assert clock.sleeps == [30.0]
    assert pacer.rate_limited == 4


def test_where_nothing_is_told_the_first_requests_go_one_at_a_time() -> None:
    pacer = Pacer(clock=FakeClock())
    together: list[int] = []
    under_way = 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal under_way
        for _ in range(10):
            ticket = pacer.take("write")
            with lock:
                under_way += 1
                together.append(under_way)
            with lock:
                under_way -= 1
            pacer.release(ticket, QuotaHeaders())

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert set(together[:30]) == {1}


@pytest.mark.parametrize("told", [QuotaHeaders(), QuotaHeaders(limit=1000, remaining=900, reset_in=3000.0)])
def test_a_burst_that_is_refused_for_long_is_waited_out_as_long_as_was_seen(told: QuotaHeaders) -> None:
    """Thirty requests, then twenty minutes of refusals without a word; the next time nearly nothing is spent on it."""
    clock, reasons, free_at, sent, refused = FakeClock(), [], 0.0, 0, 0
    pacer = Pacer(clock=clock, chance=lambda: 0.0, on_wait=lambda seconds, until, reason: reasons.append(reason))
    per_block = []
    for _ in range(2):
        refused, done = 0, 0
        while done < 31:
            ticket = pacer.take("read")
            if sent == 30 and clock.time() >= free_at:
                free_at, sent = clock.time() + 1200.0, 0
            if clock.time() < free_at:
                refused += 1
                pacer.release(ticket, replace(told, limited=True))
            else:
                sent, done = sent + 1, done + 1
                pacer.release(ticket, told)
        per_block.append(refused)
    assert per_block[0] <= 12
    assert per_block[1] <= 2
    assert "burst" in reasons


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("answer_s", [(0.1, 0.1), (1.0, 1.0), (2.0, 8.0), (4.9, 4.9), (0.1, 12.0)])
def test_what_the_first_burst_taught_holds_for_all_that_follow(answer_s: tuple[float, float], chance: float) -> None:
    """Bursts are counted by the clock's minutes, and answers take as long as they like."""
    clock, luck = FakeClock(wall=1_700_000_040), random.Random(1)
    pacer = Pacer(clock=clock, chance=lambda: chance)
    minutes: Counter[float] = Counter()
    free_at, blocks, refused, served = 0.0, 0, 0, 0
    while served < 300:
        ticket = pacer.take("write")
        clock.advance(luck.uniform(*answer_s))
        minute = clock.wall() // 60
        if clock.time() >= free_at and minutes[minute] >= 12:
            free_at, blocks = clock.time() + 900.0, blocks + 1
        if limited := clock.time() < free_at:
            refused += 1
        else:
            minutes[minute] += 1
            served += 1
        pacer.release(ticket, QuotaHeaders(limited))
    assert refused <= 24 + 2 * blocks


@pytest.mark.parametrize("share", [0.002, 0.01])
def test_a_burst_that_was_refused_once_makes_no_long_wait_of_a_stray_refusal(share: float) -> None:
    clock, luck = FakeClock(wall=1_700_000_040), random.Random(2)
    pacer = Pacer(clock=clock, chance=luck.random)
    begun, free_at, served = clock.time(), None, 0
    while served < 2000:
        ticket = pacer.take("write")
        clock.advance(0.3)
        if served == 30 and free_at is None:
            free_at = clock.time() + 1000.0
        limited = (free_at is not None and clock.time() < free_at) or (served > 31 and luck.random() < share)
        served += not limited
        pacer.release(ticket, QuotaHeaders(limited))
    assert clock.time() - begun < 2500


def test_refusals_in_a_row_double_the_wait_and_successes_forget_them() -> None:
    clock = FakeClock()
    pacer = Pacer(clock=clock, chance=lambda: 0.0)
    for _ in range(4):
        call(pacer, LIMITED)
    for _ in range(4):
        call(pacer)
    call(pacer, LIMITED)
    call(pacer)
    assert clock.sleeps == [1, 2, 4, 8, 1]


def test_a_refusal_despite_quota_left_keeps_what_is_known_of_the_hour() -> None:
    clock = FakeClock()
    pacer = Pacer(clock=clock, chance=lambda: 0.0)
    call(pacer, QuotaHeaders(limit=1000, remaining=500, reset_in=1000.0))
    call(pacer, QuotaHeaders(True, limit=1000, remaining=499, reset_in=1000.0))
    call(pacer)
    assert clock.sleeps == [1.0]
    assert pacer.remaining == 499


def test_requests_are_counted_by_kind() -> None:
    pacer = Pacer(clock=FakeClock())
    call(pacer)
    pacer.release(pacer.take("write"), OK)
    pacer.release(pacer.take("write", retry=True), None)
    assert (pacer.total, pacer.read, pacer.write, pacer.retried, pacer.rate_limited) == (3, 1, 2, 1, 0)


def test_max_requests_ends_the_run_before_one_more_is_sent() -> None:
    pacer = Pacer(clock=FakeClock(), max_requests=2)
    call(pacer)
    call(pacer)
    with pytest.raises(BudgetSpent) as caught:
        pacer.take("read")
    assert (caught.value.budget, pacer.total) == ("max_requests", 2)


def test_a_wait_that_would_end_too_late_is_not_begun() -> None:
    clock = FakeClock()
    pacer = Pacer(clock=clock, max_time=600.0)
    call(pacer, QuotaHeaders(True, retry_after=601.0))
    with pytest.raises(BudgetSpent) as caught:
        pacer.take("read")
    with pytest.raises(BudgetSpent):
        pacer.pause(601.0, "unavailable")
    assert (caught.value.budget, clock.sleeps) == ("max_time", [])


def test_max_time_ends_a_run_that_never_waits() -> None:
    clock = FakeClock()
    pacer = Pacer(clock=clock, max_time=10.0)
    call(pacer)
    clock.advance(10)
    with pytest.raises(BudgetSpent):
        pacer.take("read")
