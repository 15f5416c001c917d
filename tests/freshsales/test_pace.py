"""What the answers say of the quota, without a clock or a thread."""

from __future__ import annotations

import pytest

from fsseg.freshsales.pace import GO, Delay, Now, Pace
from fsseg.freshsales.quota import QuotaHeaders


def at(second: float) -> Now:
    return Now(second, 1_700_000_000.0 + second)


def answered(pace: Pace, second: float, headers: QuotaHeaders) -> None:
    pace.over(pace.sent(at(second)), at(second), headers, chance=0.0)


def test_what_is_left_of_the_quota_is_spent_and_the_reset_waited_for() -> None:
    pace = Pace(reserve=0.0)
    answered(pace, 0, QuotaHeaders(limit=1000, remaining=1, reset_in=600))
    assert pace.delay(at(1)) == GO
    answered(pace, 1, QuotaHeaders(limit=1000, remaining=0, reset_in=599))
    assert pace.delay(at(2)) == Delay(598, "quota")
    assert pace.delay(at(600)) == GO


def test_the_reserve_is_left_to_others() -> None:
    pace = Pace(reserve=0.5)
    answered(pace, 0, QuotaHeaders(limit=1000, remaining=500, reset_in=600))
    assert pace.delay(at(0)) == Delay(600, "quota")


def test_a_refusal_is_waited_out_and_then_one_request_tries_the_ground() -> None:
    pace = Pace(reserve=0.0)
    answered(pace, 0, QuotaHeaders(limited=True, retry_after=30))
    assert pace.delay(at(10)) == Delay(20, "rate_limited")
    assert pace.delay(at(30)) == GO
    tried = pace.sent(at(30))
    assert pace.delay(at(30)) == Delay(None)
    pace.over(tried, at(31), QuotaHeaders(limit=1000, remaining=900), chance=0.0)
    assert pace.delay(at(31)) == GO


def test_an_answer_that_never_came_holds_nobody_up() -> None:
    pace = Pace(reserve=0.0)
    lost = pace.sent(at(0))
    assert pace.delay(at(0)) == Delay(None)
    pace.over(lost, at(60), None, chance=0.0)
    assert pace.delay(at(60)) == GO


@pytest.mark.parametrize("second", [0.0, 5.0])
def test_an_answer_of_a_window_that_is_over_says_nothing_of_the_next(second: float) -> None:
    pace = Pace(reserve=0.0)
    early = pace.sent(at(0))
    answered(pace, second, QuotaHeaders(limited=True, retry_after=30))
    pace.over(early, at(second), QuotaHeaders(limit=1000, remaining=999), chance=0.0)
    assert pace.delay(at(second)) == Delay(30, "rate_limited")
