"""Finding people by filtered search: trusted only once it has shown that it reads the whole list."""

from __future__ import annotations

from typing import Any

import pytest

from fsseg.freshsales.names import Entity
from fsseg.freshsales.views import latest, view_of_all
from fsseg.match.search import SearchFinder, probe
from tests.client import Client
from tests.e2e.harness import Row

PEOPLE: tuple[Entity, ...] = ("lead", "contact")


def person(number: int, **more: Any) -> Row:
    return {"email": f"p{number}@x.example", "last_name": f"P{number}", **more}


def probed(client: Client, *entities: Entity) -> dict[Entity, str] | None:
    """What a probe says, given the first page of each entity, as whoever chooses the way has read it."""
    views = {entity: view_of_all(client.reader, entity) for entity in entities}
    return probe(client.reader, [(entity, latest(client.reader, entity, view or 0)) for entity, view in views.items()])


def found(finder: SearchFinder, name: str, entities: tuple[Entity, ...] = PEOPLE) -> list[tuple[Entity, str]]:
    return [(entity, str(row["last_name"])) for entity, row in finder.find(entities, name)]


def test_a_probe_asks_for_two_who_are_there_and_gives_one_of_each_entity(classic: Client) -> None:
    classic.account.seed(leads=[person(1), person(2), person(3)], contacts=[person(4), person(5)])
    assert probed(classic, "lead", "contact") == {"lead": "p1@x.example", "contact": "p4@x.example"}


def test_an_entity_without_records_need_not_be_probed(classic: Client) -> None:
    classic.account.seed(leads=[person(1), person(2)])
    assert probed(classic, "lead", "contact") == {"lead": "p1@x.example"}


@pytest.mark.parametrize("how", ["text", "refused"])
def test_a_search_that_takes_no_list_is_not_trusted(classic: Client, how: str) -> None:
    classic.account.seed(leads=[person(1), person(2)])
    classic.account.configure(is_in_list=how)
    assert probed(classic, "lead") is None


def test_one_address_proves_nothing_nor_do_people_of_several(classic: Client) -> None:
    classic.account.seed(leads=[person(1)], contacts=[{"emails": ["a@x.example", "b@x.example"], "last_name": "A"}])
    assert probed(classic, "lead") is None
    assert probed(classic, "contact") is None


def test_a_batch_is_found_in_one_request_for_each_entity_whatever_its_case(classic: Client) -> None:
    leads = [person(1), person(2, email="Big@X.example"), person(2, email="big@x.example", last_name="Twin")]
    classic.account.seed(leads=[*leads, person(8), person(9)], contacts=[person(1, last_name="C1"), person(7)])
    finder = SearchFinder(classic.reader, {"lead": "p8@x.example", "contact": "p7@x.example"})
    classic.account.forget()
    names = ["P1@x.example", "BIG@x.example", "nobody@x.example"]
    finder.prefetch(PEOPLE, names)
    spent = classic.account.requests
    assert found(finder, "p1@X.example") == [("lead", "P1"), ("contact", "C1")]
    assert sorted(found(finder, "big@x.example")) == [("lead", "P2"), ("lead", "Twin")]
    assert found(finder, "p1@x.example", ("contact",)) == [("contact", "C1")]
    assert found(finder, "nobody@x.example") == []
    assert classic.account.requests == spent <= 4  # of whom rows tell one address, those not found are asked for anew


def test_whoever_was_not_asked_for_is_looked_up(classic: Client) -> None:
    classic.account.seed(leads=[person(1), person(2)])
    finder = SearchFinder(classic.reader, {"lead": "p1@x.example"})
    finder.prefetch(PEOPLE, ["other@x.example"])
    classic.account.forget()
    assert found(finder, "p2@x.example") == [("lead", "P2")]
    assert classic.account.requests == 1


def test_an_entity_that_is_empty_costs_nothing(classic: Client) -> None:
    finder = SearchFinder(classic.reader, {})
    classic.account.forget()
    finder.prefetch(PEOPLE, ["a@x.example"])
    assert found(finder, "a@x.example") == []
    assert classic.account.requests == 0


@pytest.mark.parametrize("told", [True, False])
def test_a_second_address_finds_its_contact_whether_rows_tell_it_or_not(suite: Client, told: bool) -> None:
    suite.account.configure(filtered_emails=told)
    suite.account.seed(contacts=[person(1), {"emails": ["a@x.example", "b@x.example"], "last_name": "A"}])
    finder = SearchFinder(suite.reader, {"contact": "p1@x.example"})
    finder.prefetch(("contact",), ["b@x.example", "nobody@x.example"])
    suite.account.forget()
    assert found(finder, "b@x.example", ("contact",)) == [("contact", "A")]
    assert found(finder, "nobody@x.example", ("contact",)) == []
    assert suite.account.requests == 0


def test_more_than_a_page_of_addresses_is_asked_for_by_pages(suite: Client) -> None:
    suite.account.configure(filtered_emails=True)
    suite.account.seed(contacts=[person(number) for number in range(230)])
    finder = SearchFinder(suite.reader, {"contact": "p0@x.example"})
    suite.account.forget()
    finder.prefetch(("contact",), [f"p{number}@x.example" for number in range(1, 230)])
    assert suite.account.requests <= 8
    assert [found(finder, f"p{number}@x.example", ("contact",)) for number in (1, 99, 100, 229)] == [
        [("contact", name)] for name in ("P1", "P99", "P100", "P229")
    ]


@pytest.mark.parametrize("how", ["text", "refused"])
def test_a_search_that_lost_the_one_who_is_there_proves_nobody_absent(suite: Client, how: str) -> None:
    suite.account.seed(contacts=[person(1), person(2)])
    finder = SearchFinder(suite.reader, {"contact": "p1@x.example"})
    suite.account.configure(is_in_list=how)
    finder.prefetch(("contact",), ["p2@x.example"])
    suite.account.forget()
    assert found(finder, "p2@x.example", ("contact",)) == [("contact", "P2")]
    assert suite.account.requests == 1


def test_a_later_batch_that_fails_does_not_leave_the_answers_of_an_earlier_one(suite: Client) -> None:
    suite.account.seed(contacts=[person(1), person(2)])
    finder = SearchFinder(suite.reader, {"contact": "p1@x.example"})
    finder.prefetch(("contact",), ["new@x.example"])
    suite.account.make("contacts", emails="new@x.example", last_name="New")
    suite.account.configure(is_in_list="refused")
    finder.prefetch(("contact",), ["p2@x.example"])
    assert found(finder, "new@x.example", ("contact",)) == [("contact", "New")]
