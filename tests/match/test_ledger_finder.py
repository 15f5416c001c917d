"""Finding offline: there is what earlier runs found or made, and nothing is known of what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fsseg.freshsales.names import Entity
from fsseg.match.ledger_finder import LedgerDealFinder, LedgerFinder
from fsseg.state.fingerprint import fingerprint_keys
from fsseg.state.ledger import Ledger

PEOPLE: tuple[Entity, ...] = ("lead", "contact")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(tmp_path / "ledger.db")) as ledger:
        yield ledger


def test_an_empty_ledger_knows_nobody(ledger: Ledger) -> None:
    finder = LedgerFinder(ledger)
    assert finder.knows_nobody
    assert not finder.sees_all
    assert [*finder.find(PEOPLE, "ann@x.example")] == []
    assert [*finder.find(("account",), "Acme")] == []


def test_people_are_known_by_their_address_and_with_their_id(ledger: Ledger) -> None:
    with ledger.changing() as change:
        change.people([("@ann@x.example", "lead", 7, "ann@x.example")])
    finder = LedgerFinder(ledger)
    assert not finder.knows_nobody
    assert [*finder.find(PEOPLE, "Ann@X.example")] == [
        ("lead", {"id": 7, "email": "ann@x.example", "emails": ["ann@x.example"]})
    ]
    assert [*finder.find(("contact",), "ann@x.example")] == []
    assert [*finder.by_field(PEOPLE, "cf_user_id", "7")] == []


def test_companies_are_known_by_their_folded_name(ledger: Ledger) -> None:
    with ledger.changing() as change:
        change.records([(fingerprint_keys("account", "account", None, "acme bv", None)[0], {"city": 1}, 5)])
    finder = LedgerFinder(ledger)
    assert [*finder.find(("account",), "ACME  BV")] == [("account", {"id": None})]
    assert [*finder.find(("account",), "Other")] == []
    row = {"id": None}
    assert finder.complete("account", row, ["city"]) is row


def test_a_deal_is_there_if_something_of_it_was_delivered() -> None:
    deals = LedgerDealFinder()
    for made in (True, False):
        assert bool(deals.find(1, "renewal", made=made)) is made
        assert bool(deals.find_own("cf_ref", "D-1", made=made)) is made
    assert deals.read(1) is None
