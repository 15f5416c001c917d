"""Days of events, put together to as many periods as a chart has room for."""

from __future__ import annotations

from array import array
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from fsseg.state.actions import EventOutcome
from fsseg.state.event_days import MOST_MARKS, MOST_PERIODS, EventDays, events_by_time
from fsseg.state.outcomes import RANK, Totals
from fsseg.state.plan_store import Store


@pytest.mark.parametrize(
    ("days", "step", "first"),
    [(1, "day", "2025-01-01"), (MOST_PERIODS, "day", "2025-01-01"), (MOST_PERIODS + 1, "week", "2024-12-30"),
     (7 * MOST_PERIODS + 1, "month", "2025-01-01")],
)  # fmt: skip
def test_many_days_are_put_together(tmp_path: Path, days: int, step: str, first: str) -> None:
    found, last = EventDays(), date(2025, 1, 1) + timedelta(days=days - 1)
    found.add(["", "track2025-01-01", f"page{last}"], array("H", [0, 1, 1, 2]).tobytes())
    found.end(0)
    with closing(Store(tmp_path / "plan.db")) as store:
        store.meta.days = found.kept()
        done = RANK[EventOutcome.APPLIED]
        by = events_by_time(store, Totals(ranks={0: bytearray([0, done, 0, done])}))
    assert by[0] == step and min(by[1]) == first
    assert by[1][first]["track"] == {"applied": 1, "skipped": 1}


def test_more_days_than_there_are_numbers_are_left_out() -> None:
    found = EventDays()
    for n in range(MOST_MARKS + 10):
        found.add([f"track{n:010}"], array("H", [0]).tobytes())
    found.end(0)
    assert len(found.kept().marks) == MOST_MARKS + 1


def test_a_run_that_read_nothing_has_none(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "plan.db")) as store:
        assert events_by_time(store, Totals()) == ("day", {})
