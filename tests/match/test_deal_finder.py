"""The deals of contacts: asked of each, or read from the view of all deals where that is cheaper and tells enough."""

from __future__ import annotations

import pytest

from fsseg.match.deal_finder import DealFinder, contacts_of, is_it
from fsseg.match.strategy import FEW
from tests.client import Client
from tests.e2e.harness import Row

MANY = FEW + 2
"""Contacts for whom it is worth a request to see how many deals there are."""


@pytest.fixture
def said() -> list[str]:
    """What is told before requests are spent."""
    return []


def contacts(client: Client, count: int) -> list[int]:
    return client.account.seed(
        contacts=[{"email": f"p{number}@x.example", "last_name": "P"} for number in range(count)]
    )["contacts"]


def deals(client: Client, *rows: Row) -> list[int]:
    return client.account.seed(deals=[*rows])["deals"]


def test_few_contacts_are_asked_each_and_once(suite: Client, said: list[str]) -> None:
    ann, bob = contacts(suite, 2)
    deals(suite, {"name": "Renewal", "contacts": [ann]}, {"name": "RENEWAL ", "contacts": [ann]})
    finder = DealFinder(suite.reader, {ann, bob}, said.append)
    suite.account.forget()
    assert [deal["name"] for deal in finder.find(ann, "renewal", made=False)] == ["Renewal", "RENEWAL "]
    assert finder.find(ann, "other", made=False) == []
    assert finder.find(None, "renewal", made=True) == []
    assert suite.account.requests == 1
    assert finder.find(bob, "renewal", made=False) == []
    assert (suite.account.requests, said) == (2, [])


def test_for_many_contacts_the_view_is_read_instead(suite: Client, said: list[str]) -> None:
    people = contacts(suite, MANY)
    deals(suite, *({"name": f"Deal {number}", "contacts": [id]} for number, id in enumerate(people)))
    finder = DealFinder(suite.reader, set(people), said.append)
    suite.account.forget()
    for number, id in enumerate(people):
        assert [deal["name"] for deal in finder.find(id, f"deal {number}", made=False)] == [f"Deal {number}"]
        assert finder.find(id, f"deal {number + 1}", made=False) == []
    assert suite.account.requests == 0
    assert "paging all of them: 0 requests more instead of 8 look-ups" in said[0]


def test_for_many_deals_of_one_contact_the_view_is_read_too(suite: Client, said: list[str]) -> None:
    (ann,) = contacts(suite, 1)
    deals(suite, *({"name": f"Deal {number}", "contacts": [ann]} for number in range(MANY)))
    finder = DealFinder(suite.reader, {ann}, said.append, there=MANY)
    suite.account.forget()
    for number in range(MANY):
        (deal,) = finder.find(ann, f"deal {number}", made=True)
        assert "amount" in deal  # which a contact doesn't tell of its deals
    assert suite.account.requests == 0
    assert "instead of 9 look-ups" in said[0]


@pytest.mark.parametrize("lacking", ["permission", "pages", "contacts"])
def test_where_the_view_cannot_tell_each_contact_is_asked(suite: Client, said: list[str], lacking: str) -> None:
    people = contacts(suite, MANY)
    count = 100 * MANY + 200 if lacking == "pages" else 3
    linked = [] if lacking == "contacts" else [people[0]]
    deals(suite, *({"name": f"Deal {number}", "contacts": linked} for number in range(count)))
    if lacking == "permission":
        suite.account.configure(forbidden=["/deals/view"])
    finder = DealFinder(suite.reader, set(people), said.append)
    suite.account.forget()
    assert len(finder.find(people[0], "deal 1", made=False)) == (0 if lacking == "contacts" else 1)
    assert finder.find(people[1], "deal 1", made=False) == []
    assert suite.account.requests == 2


def test_a_deal_that_belongs_to_nobody_is_taken_only_where_it_is_of_the_account(suite: Client, said: list[str]) -> None:
    suite.catalog()  # from then on deals tell their account
    people = contacts(suite, MANY)
    here, elsewhere = suite.account.seed(sales_accounts=[{"name": "Acme"}, {"name": "Other"}])["sales_accounts"]
    one, _ = deals(
        suite, {"name": "Renewal", "sales_account_id": here}, {"name": "Renewal", "sales_account_id": elsewhere}
    )
    deals(suite, {"name": "Another", "contacts": [people[0]]})  # by which the view shows that it tells contacts
    for asked in ({people[0]}, set(people)):
        finder = DealFinder(suite.reader, asked, said.append)
        found = finder.find(people[0], "renewal", made=False, account=here)
        assert [deal["id"] for deal in found] == [one]
    assert finder.find(people[0], "renewal", made=False) == []


@pytest.mark.usefixtures("short_lag")
def test_one_that_should_be_there_is_looked_for_by_its_name(suite: Client, said: list[str]) -> None:
    ann, bob = contacts(suite, 2)
    lost, _ = deals(suite, {"name": "Renewal"}, {"name": "Renewal", "contacts": [bob]})
    finder = DealFinder(suite.reader, {ann}, said.append)
    assert [deal["id"] for deal in finder.find(ann, "renewal", made=True)] == [lost]


def test_a_deal_is_found_by_an_id_of_its_own_and_only_where_it_holds_it(suite: Client, said: list[str]) -> None:
    suite.account.empty({"fields": {"deals": {"add": [{"name": "cf_ref", "type": "text", "unique": True}]}}})
    mine, _ = deals(
        suite,
        {"name": "Renewal", "custom_field": {"cf_ref": "D-1"}},
        {"name": "Renewal", "custom_field": {"cf_ref": "D-2"}},
    )
    finder = DealFinder(suite.reader, set(), said.append)
    assert [deal["id"] for deal in finder.find_own("cf_ref", "D-1", made=False)] == [mine]
    assert finder.find_own("cf_ref", "D-3", made=False) == []


@pytest.mark.usefixtures("short_lag")
def test_what_was_made_just_now_is_waited_for_once(suite: Client, said: list[str]) -> None:
    finder = DealFinder(suite.reader, set(), said.append)
    suite.account.forget()
    assert finder.find_own("name", "Renewal", made=True) == []
    assert suite.account.requests == 2
    assert finder.find_own("name", "Renewal", made=True) == []
    assert suite.account.requests == 3


@pytest.mark.parametrize(
    ("row", "known"),
    [
        ({"contact_ids": [1, "2", "x"]}, [1, 2]),
        ({"contacts": [{"id": 7}, None]}, [7]),
        ({"contact_ids": []}, []),
        ({}, None),
        ({"contact_ids": None, "contacts": None}, None),
    ],
)
def test_a_row_tells_its_contacts_or_says_nothing_of_them(row: Row, known: list[int] | None) -> None:
    assert contacts_of(row) == known


@pytest.mark.parametrize(("held", "fits"), [("D-1", True), ("", True), (None, True), ("D-2", False)])
def test_a_deal_with_another_id_of_its_own_is_another(held: str | None, fits: bool) -> None:
    assert is_it({"cf_ref": held}, "cf_ref", "D-1") is fits
    assert is_it({"cf_ref": held}, None, "D-1")
