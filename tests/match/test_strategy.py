"""The cheapest correct way to find people and accounts, the number told before it is spent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fsseg.freshsales.names import Entity
from fsseg.match.finders import LookupFinder, MirrorFinder, OnlineFinder
from fsseg.match.mirror import Mirror
from fsseg.match.search import SearchFinder
from fsseg.match.strategy import FEW, Strategy, cheapest, choose, is_worth_asking
from fsseg.state.ledger import Known
from tests.client import Client
from tests.e2e.harness import Row

PEOPLE: tuple[Entity, ...] = ("contact",)
PAGE = 100


@pytest.fixture
def mirror(mirror_path: Path) -> Iterator[Mirror]:
    with closing(Mirror(mirror_path)) as mirror:
        yield mirror


@pytest.fixture
def said() -> list[str]:
    return []


def people(count: int) -> list[Row]:
    return [
        {
            "email": f"p{number}@x.example",
            "last_name": f"P{number}",
            "updated_at": f"2024-01-01T{number // 60:02}:{number % 60:02}:00Z",
        }
        for number in range(count)
    ]


def names(finder: OnlineFinder, email: str) -> list[str]:
    return [str(row["last_name"]) for _, row in finder.find(PEOPLE, email)]


@pytest.mark.parametrize(
    ("questions", "to_read", "searches", "way"),
    [
        (50, None, True, Strategy.LOOKUP),
        (50, 49, True, Strategy.MIRROR),
        (50, 50, True, Strategy.SEARCH),
        (50, 50, False, Strategy.LOOKUP),
        (50, 0, False, Strategy.MIRROR),
    ],
)
def test_the_fewest_requests_win(questions: int, to_read: int | None, searches: bool, way: Strategy) -> None:
    assert cheapest(questions, to_read, can_search=lambda: searches) == way


def test_a_copy_is_used_sooner_than_one_is_made() -> None:
    assert is_worth_asking(FEW, has_copy=True)
    assert not is_worth_asking(FEW, has_copy=False)


def test_few_questions_cost_nothing_beforehand(suite: Client, mirror: Mirror, said: list[str]) -> None:
    suite.account.seed(contacts=people(300))
    suite.account.forget()
    assert type(choose(suite.reader, mirror, PEOPLE, FEW, said.append)) is LookupFinder
    assert type(choose(suite.reader, None, PEOPLE, 10_000, said.append)) is LookupFinder
    assert (suite.account.requests, said) == (0, [])


def test_a_small_account_is_read_as_a_whole(suite: Client, mirror: Mirror, said: list[str]) -> None:
    suite.account.seed(contacts=people(2 * PAGE + 50))
    suite.account.forget()
    finder = choose(suite.reader, mirror, PEOPLE, 40, said.append)
    spent = suite.account.requests
    assert isinstance(finder, MirrorFinder)
    assert said == ["matching by paging all contacts, 100 a request: 3 requests more instead of 40 look-ups"]
    assert [names(finder, email) for email in ("P7@x.example", "p249@x.example", "p250@x.example")] == [
        ["P7"],
        ["P249"],
        [],
    ]
    assert suite.account.requests == spent <= 6


def test_the_copy_of_an_earlier_run_is_brought_up_to_date(suite: Client, mirror: Mirror, said: list[str]) -> None:
    ids = suite.account.seed(contacts=people(2 * PAGE + 50))["contacts"]
    choose(suite.reader, mirror, PEOPLE, 40, said.append)
    suite.account.change("contacts", ids[3], last_name="Changed")
    suite.account.make("contacts", emails="new@x.example", last_name="New")
    said.clear()
    suite.account.forget()
    finder = choose(suite.reader, mirror, PEOPLE, 3, said.append)
    assert suite.account.requests == 1
    assert said == ["reading only the contacts updated since last time"]
    assert [names(finder, email) for email in ("p3@x.example", "new@x.example")] == [["Changed"], ["New"]]


def test_whoever_was_deleted_meanwhile_is_not_found_in_the_copy(suite: Client, mirror: Mirror, said: list[str]) -> None:
    ids = suite.account.seed(contacts=people(2 * PAGE))["contacts"]
    choose(suite.reader, mirror, PEOPLE, 40, said.append)
    suite.account.delete("contacts", ids[3])
    finder = choose(suite.reader, mirror, PEOPLE, 40, said.append)
    assert isinstance(finder, MirrorFinder)
    assert (names(finder, "p3@x.example"), names(finder, "p4@x.example")) == ([], ["P4"])


def test_a_large_account_is_searched_where_that_can_be_trusted(suite: Client, mirror: Mirror, said: list[str]) -> None:
    suite.account.seed(contacts=people(9 * PAGE))
    finder = choose(suite.reader, mirror, PEOPLE, FEW + 1, said.append)
    assert isinstance(finder, SearchFinder)
    assert "matching by filtered search, 100 addresses a request: about 1 request more" in said[0]
    finder.prefetch(PEOPLE, ["p5@x.example", "nobody@x.example"])
    assert (names(finder, "p5@x.example"), names(finder, "nobody@x.example")) == (["P5"], [])


def test_else_each_is_looked_up_and_the_reason_told(suite: Client, mirror: Mirror, said: list[str]) -> None:
    suite.account.seed(contacts=people(9 * PAGE))
    suite.account.configure(is_in_list="refused")
    finder = choose(suite.reader, mirror, PEOPLE, FEW + 1, said.append)
    assert type(finder) is LookupFinder
    assert said == ["matching by 7 look-ups: paging all contacts would take 9 requests more"]
    assert names(finder, "p5@x.example") == ["P5"]


def test_companies_are_never_searched(suite: Client, mirror: Mirror, said: list[str]) -> None:
    suite.account.seed(sales_accounts=[{"name": f"Acme {number}"} for number in range(9 * PAGE)])
    finder = choose(suite.reader, mirror, ("account",), FEW + 1, said.append)
    assert type(finder) is LookupFinder
    assert [row["name"] for _, row in finder.find(("account",), "Acme 7")] == ["Acme 7"]


def test_companies_are_found_in_the_copy_by_their_folded_name(suite: Client, mirror: Mirror, said: list[str]) -> None:
    suite.account.seed(sales_accounts=[{"name": "Acme  BV"}, {"name": "Other"}])
    finder = choose(suite.reader, mirror, ("account",), 20, said.append)
    assert isinstance(finder, MirrorFinder)
    assert [row["name"] for _, row in finder.find(("account",), "ACME BV")] == ["Acme  BV"]


def test_views_that_may_not_be_read_leave_look_ups(suite: Client, mirror: Mirror, said: list[str]) -> None:
    suite.account.seed(contacts=people(50))
    suite.account.configure(forbidden=["/contacts/view", "/contacts/filters"])
    finder = choose(suite.reader, mirror, PEOPLE, 20, said.append)
    assert type(finder) is LookupFinder
    assert said[0].startswith("matching by 20 look-ups, as the views can't be read: ")


def test_no_view_of_all_leaves_look_ups(suite: Client, mirror: Mirror, said: list[str]) -> None:
    suite.account.seed(contacts=people(50))
    suite.reader.known_views["contact"] = None
    assert type(choose(suite.reader, mirror, PEOPLE, 20, said.append)) is LookupFinder


@pytest.mark.usefixtures("short_lag")
def test_what_a_run_has_made_is_recalled_by_its_id_or_its_address(suite: Client) -> None:
    (id,) = suite.account.seed(contacts=people(1))["contacts"]
    finder = LookupFinder(suite.reader)
    for known in (Known("contact", id, None, 1), Known("contact", None, "p0@x.example", 1)):
        ((entity, row),) = finder.recall(known)
        assert (entity, row["id"]) == ("contact", id)
    assert finder.recall(Known("contact", 999_999, None, 1)) == []
    assert finder.recall(Known("contact", None, "gone@x.example", 1)) == []


def test_what_rows_leave_out_is_read_where_it_is_wanted(suite: Client) -> None:
    (id,) = suite.account.seed(contacts=[{**people(1)[0], "custom_field": {"cf_seats": 7}}])["contacts"]
    finder, row = LookupFinder(suite.reader), {"id": id, "last_name": "As the view tells it"}
    suite.account.forget()
    assert finder.complete("contact", row, ["last_name"]) is row
    assert suite.account.requests == 0
    assert finder.complete("contact", row, ["cf_seats"])["cf_seats"] == 7
    gone = {"id": 999_999}
    assert finder.complete("contact", gone, ["cf_seats"]) is gone
