"""What a push will take, told before it begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fsseg.plan.forecast import HOUR, forecast
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
    slow = forecast(store, 8, 1_000, 900, per_request=3.5, deals_singly=True)
    assert (slow.requests, slow.seconds) == (128, 120 * 3.5)
    assert forecast(store, 8, 50, 20, per_request=3.5, deals_singly=True).seconds == 2 * HOUR
    assert forecast(store, 8, None, None, per_request=0.1, deals_singly=True).seconds == pytest.approx(12)


@pytest.mark.parametrize("count", [3, 4, 10, 250])
def test_deals_take_a_request_each_where_the_account_is_known_to_lose_their_contacts(store: Store, count: int) -> None:
    planned(store, "deal", count)
    known, unknown = (forecast(store, 0, 1_000, 1_000, deals_singly=singly) for singly in (True, False))
    assert (known.requests, known.is_most) == (count, False)
    assert unknown.is_most == (count >= 4)
    assert 0 <= unknown.requests - known.requests <= 30, "what a few lost ones take, not what all would"
