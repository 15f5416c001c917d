"""What makes the brake refuse is told whole, as whoever lifts it lifts all of it."""

from __future__ import annotations

from fsseg.plan.brake import refusal
from fsseg.state.plan_counts import MatchedCounts


def test_every_limit_that_is_passed_is_named() -> None:
    assert refusal(MatchedCounts(matched=200, updated=200, cleared=190)) == (
        "this would update 200 of 200 matched records (100%, the limit is 50%) and clear fields of 190 of 200 matched"
        " records (95%, the limit is 10%); --allow-mass-changes lifts the brake"
    )
    assert refusal(MatchedCounts(matched=200, updated=100, cleared=20)) is None
