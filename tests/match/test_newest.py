"""What was made last is seen in the view by time of creation, long before look-ups find it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from fsseg.match.newest import EXTRA_PAGES, SKEW, MadeUnnamed, newest_pages
from tests.client import Client

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


def seed(client: Client, count: int, age: timedelta, name: str) -> list[int]:
    stamp = (NOW - age).isoformat()
    return client.account.seed(
        contacts=[
            {"email": f"{name}{number}@x.example", "last_name": name, "created_at": stamp} for number in range(count)
        ]
    )["contacts"]


def test_pages_are_read_until_one_holds_any_that_is_older(suite: Client) -> None:
    seed(suite, 250, timedelta(days=9), "old")
    seed(suite, 120, timedelta(), "new")
    suite.account.forget()
    pages = [*newest_pages(suite.reader, "contact", NOW)]
    assert [len(rows) for rows in pages] == [100, 100]
    assert {row["last_name"] for row in pages[0]} == {"new"}
    assert {row["last_name"] for row in pages[1]} == {"new", "old"}
    assert suite.account.requests == 3


def test_clocks_of_two_hosts_may_differ(suite: Client) -> None:
    seed(suite, 3, SKEW - timedelta(seconds=1), "new")
    assert [len(rows) for rows in newest_pages(suite.reader, "contact", NOW)] == [3, 0]


def test_a_clock_of_this_machine_that_is_ahead_hides_nothing(suite: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """By it all was made hours before it was sent."""
    ahead = timedelta(hours=3)
    seed(suite, 250, timedelta(), "new")
    assert sum(len(rows) for rows in newest_pages(suite.reader, "contact", NOW + ahead)) == 100
    monkeypatch.setattr("fsseg.freshsales.http.wall_time", lambda: time.time() + ahead.total_seconds())
    assert sum(len(rows) for rows in newest_pages(suite.reader, "contact", NOW + ahead)) == 250


@pytest.mark.parametrize("path", ["/contacts/filters", "/contacts/view"])
def test_where_no_view_may_be_read_there_are_no_pages(suite: Client, path: str) -> None:
    seed(suite, 3, timedelta(), "new")
    suite.account.configure(forbidden=[path])
    assert [*newest_pages(suite.reader, "contact", NOW)] == []


def test_what_bulk_has_made_is_found_by_its_address_and_read_once(suite: Client) -> None:
    ids = seed(suite, 120, timedelta(), "new")
    made = MadeUnnamed(suite.reader, {"contact": (120, NOW)})
    assert [row["id"] for row in made.find("contact", "new0@x.example", None)] == [ids[0]]
    suite.account.forget()
    assert [row["id"] for row in made.find("contact", "new119@x.example", None)] == [ids[119]]
    assert made.find("contact", "nobody@x.example", None) == []
    assert suite.account.requests == 0


def test_no_more_pages_are_read_than_the_run_can_have_filled(suite: Client) -> None:
    seed(suite, 100 * (EXTRA_PAGES + 4), timedelta(), "others")
    suite.account.forget()
    assert MadeUnnamed(suite.reader, {"contact": (1, NOW)}).find("contact", "p@x.example", None) == []
    assert suite.account.requests <= 1 + 1 + EXTRA_PAGES


def test_deals_are_those_of_the_contact_and_companies_those_of_the_name(suite: Client) -> None:
    ann, bob = seed(suite, 2, timedelta(), "new")
    of_ann, _ = suite.account.seed(deals=[{"name": "Renewal", "contacts": [id]} for id in (ann, bob)])["deals"]
    (acme, _) = suite.account.seed(sales_accounts=[{"name": "Acme  BV"}, {"name": "Other"}])["sales_accounts"]
    made = MadeUnnamed(suite.reader, {"deal": (2, NOW), "account": (2, NOW)})
    assert [row["id"] for row in made.find("deal", "renewal", ann)] == [of_ann]
    assert made.find("deal", "renewal", 1) == []
    assert [row["id"] for row in made.find("account", "acme bv", None)] == [acme]
