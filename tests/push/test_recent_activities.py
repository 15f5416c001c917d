"""The newest sales activities, whichever end of the list they stand at, however long it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fsseg.freshsales.errors import Unavailable
from fsseg.freshsales.reader import Page
from fsseg.push.timeline import MAX_PAGES, recent_activities

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


class List:
    """An account's activities, some a page; counts the pages that are read. Stands in for both `PushContext` and `Reader`."""

    def __init__(self, ages: list[float], size: int = 2, *, telling: bool = True) -> None:
        """`ages` in hours, in the order of the list."""
        rows = [{"id": n, "created_at": (NOW - timedelta(hours=age)).isoformat()} for n, age in enumerate(ages)]
        self.pages = [rows[at : at + size] for at in range(0, len(rows), size)]
        self.telling = telling
        self.read = 0

    @property
    def reader(self) -> List:
        return self

    def sales_activities(self, number: int) -> Page:
        self.read += 1
        rows = self.pages[number - 1] if number <= len(self.pages) else []
        return Page(rows, None, len(self.pages) if self.telling else None)

    def since(self, hours: float) -> set[int]:
        context: Any = self
        return {row["id"] for row in recent_activities(context, NOW - timedelta(hours=hours))}


AGES = [1.0, 2, 3, 4, 50, 60, 70, 80, 90, 100]


@pytest.mark.parametrize("hours", [0.5, 2.5, 4.5, 65, 1000])
@pytest.mark.parametrize("rising", [False, True])
def test_all_that_is_new_enough_is_found_in_either_order(hours: float, rising: bool) -> None:
    ages = AGES[::-1] if rising else AGES
    found = List(ages).since(hours)
    assert found >= {n for n, age in enumerate(ages) if age <= hours}


def test_old_pages_are_not_read() -> None:
    short, long = List(AGES), List(AGES[::-1])
    short.since(1.5)
    long.since(1.5)
    assert short.read <= 3
    assert long.read <= 4


def test_a_first_page_of_one_moment_does_not_hide_that_the_oldest_stand_first() -> None:
    ages = [100.0, 100, 100, 100, 3, 2, 1]
    assert List(ages).since(2.5) >= {5, 6}


def test_a_list_without_its_length_is_read_from_its_newest_end() -> None:
    assert List(AGES, telling=False).since(2.5) >= {0, 1}


def test_it_is_not_guessed_where_the_length_is_untold_and_the_oldest_stand_first() -> None:
    with pytest.raises(Unavailable):
        List(AGES[::-1], telling=False).since(2.5)


def test_activities_that_do_not_say_when_they_were_made_are_all_looked_at() -> None:
    found = List(AGES)
    for page in found.pages:
        for row in page:
            del row["created_at"]
    assert found.since(1) == set(range(len(AGES)))


def test_too_many_are_told_rather_than_taken_for_absent() -> None:
    with pytest.raises(Unavailable):
        List([1.0] * (2 * MAX_PAGES + 4)).since(2)
