"""What a push will take, told before it begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fsseg.freshsales.quota import HOUR
from fsseg.plan.forecast import Habits, forecast
from fsseg.state.plan_store import Store
from tests.report.stores import add


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "plan.db")) as store:
        yield store


def planned(store: Store, entity: str, count: int) -> None:
    for _ in range(count):
        add(store, entity, "create")


def test_it_takes_as_long_as_answers_took_until_now_or_as_the_quota_lets_it(store: Store) -> None:
    planned(store, "lead", 120)
    slow = forecast(store, 8, 1_000, 900, Habits(), 3.5)
    assert (slow.requests, slow.seconds) == (128, 120 * 3.5)
    assert forecast(store, 8, 50, 20, Habits(), 3.5).seconds == 2 * HOUR
    assert forecast(store, 8, None, None, Habits(), 0.1).seconds == pytest.approx(12)


@pytest.mark.parametrize("count", [3, 4, 10, 250])
def test_deals_take_a_request_each_where_the_account_is_known_to_lose_their_contacts(store: Store, count: int) -> None:
    planned(store, "deal", count)
    known, unknown = (forecast(store, 0, 1_000, 1_000, Habits(lost)) for lost in (True, False))
    assert (known.requests, known.is_most) == (count, False)
    assert unknown.is_most == (count >= 4)
    assert 0 <= unknown.requests - known.requests <= 30, "what a few lost ones take, not what all would"


@pytest.mark.parametrize("entity", ["lead", "contact"])
def test_updates_with_custom_fields_are_read_anew_where_they_are_sent_long_after_they_were_read(
    store: Store, entity: str
) -> None:
    for name in ("cf_seats", "cf_seats", "tags", "city") * 100:
        add(store, entity, "update", fields={name: [None, 1]})
    replacing, merging = Habits(bulk_replaces=True), Habits(bulk_replaces=True, writes_whole=False)
    sent = 400 if entity == "lead" else 200 + 4 + 6 + 2
    read = 300 if entity == "lead" else 200
    for per_request, habits, anew in ((1.0, replacing, read), (0.1, replacing, 0), (1.0, merging, 0)):
        told = forecast(store, 0, 1_000, 1_000, habits, per_request)
        assert (told.requests, told.is_most) == (sent + anew, bool(anew))


def test_a_lead_that_becomes_a_contact_takes_what_its_parts_take(store: Store) -> None:
    add(store, "contact", "update", kind="person", converts=5, fields={"last_name": [None, "P"]})
    assert forecast(store, 0, None, None, Habits()).requests == 3
    add(store, "contact", "update", kind="person", converts=6, companies=["firm"], fields={"cf_seats": [None, 1]})
    assert forecast(store, 0, None, None, Habits()).requests == 8
