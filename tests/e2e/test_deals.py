"""Deals of contacts that are there: found in few requests, whatever the view of all deals tells, and never made twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e import stranger
from tests.e2e.events import identify
from tests.e2e.harness import Account, Machine, Row
from tests.e2e.stranger import Exchange

MANY = 30
EVENTS = [
    identify(f"p{number}@x.example", fsContact=True, deal={"name": "Pilot", "amount": 1 + number % 2})
    for number in range(MANY)
]
"""Every second deal is to be changed."""


@pytest.fixture(params=["classic", "suite"])
def account(request: pytest.FixtureRequest, accounts: dict[str, Account]) -> Account:
    """Contacts with a deal each, beside deals of nobody."""
    account = accounts[request.param]
    account.empty()
    people = account.seed(contacts=[{"email": f"p{number}@x.example", "last_name": "P"} for number in range(MANY)])
    account.seed(deals=[{"name": f"Deal {number}", "amount": 1} for number in range(120)])
    for number in people["contacts"]:
        account.make("deals", name="Pilot", amount=1, contacts_added_list=[number])
    account.forget()
    return account


def pilots(account: Account) -> Counter[str]:
    return Counter(row["amount"] for row in account.records()["deals"] if row["name"] == "Pilot")


def as_documented(exchange: Exchange) -> None:
    """Nothing is changed."""


def contacts_in_the_rows(exchange: Exchange) -> None:
    for row in exchange.answer["deals"]:
        row["contacts"] = [{"id": str(id)} for id in row.pop("contact_ids")]


def nothing_of_contacts(exchange: Exchange) -> None:
    for row in exchange.answer["deals"]:
        del row["contact_ids"]


def no_contacts_named(exchange: Exchange) -> None:
    for row in exchange.answer["deals"]:
        row["contact_ids"] = []


def no_total(exchange: Exchange) -> None:
    exchange.answer.pop("meta")


def a_row_less(exchange: Exchange) -> None:
    exchange.answer["deals"] = exchange.answer["deals"][:-1]


TOLD = [as_documented, contacts_in_the_rows]
UNTOLD = [nothing_of_contacts, no_contacts_named, no_total, a_row_less]


@pytest.mark.parametrize("way", [*TOLD, *UNTOLD])
def test_deals_are_found_whatever_the_view_tells(
    account: Account, tmp_path: Path, way: Callable[[Exchange], None]
) -> None:
    def view(exchange: Exchange) -> None:
        if "/deals/view/" in exchange.path and exchange.status == 200:
            way(exchange)

    with stranger.before(account, view) as server:
        machine = Machine(account, tmp_path, server.base_url)
        shown = machine.dry_runs(events=EVENTS)
        assert shown.actions["deal"] == {"update": MANY // 2, "unchanged": MANY // 2}
        spent = shown.summary["requests"]["total"]
        assert spent < 16 if way in TOLD else spent > MANY
        account.forget()
        applied = machine.run("apply")
        assert applied.outcomes == {"applied": MANY // 2, "unchanged": MANY // 2}
        assert (account.requests < 20) == (way in TOLD)
    assert pilots(account) == {"1.0": MANY // 2, "2.0": MANY // 2}


def test_a_deal_of_an_earlier_run_that_the_view_does_not_have_yet_is_not_made_again(
    account: Account, tmp_path: Path
) -> None:
    account.empty()

    def late(exchange: Exchange) -> None:
        if "/deals/view/" in exchange.path:
            exchange.answer = {"deals": [], "meta": {"total": 0, "total_pages": 0}}

    with stranger.before(account, late) as server:
        machine = Machine(account, tmp_path, server.base_url)
        assert machine.imports(events=EVENTS).outcomes == {"applied": MANY}
        again = machine.imports("--again", events=EVENTS)
    assert again.outcomes == {"unchanged": MANY}
    assert pilots(account) == {"1.0": MANY // 2, "2.0": MANY // 2}


def test_who_has_no_deal_among_all_of_them_costs_no_look_up(account: Account, tmp_path: Path) -> None:
    events: list[Row] = [
        identify(f"p{number}@x.example", fsContact=True, deal={"name": f"New {number}", "amount": 3})
        for number in range(MANY)
    ]
    machine = Machine(account, tmp_path)
    shown = machine.dry_runs(events=events)
    assert shown.actions["deal"] == {"create": MANY}
    assert shown.summary["requests"]["total"] < 16


def test_amounts_that_freshsales_rounds_are_written_once_and_can_be_undone(account: Account, tmp_path: Path) -> None:
    def to_cents(exchange: Exchange) -> None:
        for deal in [*(exchange.answer.get("deals") or []), exchange.answer.get("deal") or {}]:
            if "amount" in deal:
                deal["amount"] = str(round(float(deal["amount"]), 2))

    def deal_of(number: int, amount: float) -> Row:
        return identify(f"p{number}@x.example", fsContact=True, deal={"name": "Pilot", "amount": amount})

    events = [deal_of(1, 1028.456), deal_of(2, 5600.004), deal_of(3, 3)]
    with stranger.before(account, to_cents) as server:
        machine = Machine(account, tmp_path, server.base_url)
        first = machine.imports(events=events)
        assert first.actions["deal"] == {"update": 3}
        assert machine.imports("--again", events=events).actions["deal"] == {"unchanged": 3}
        deals = {row["amount"]: row["id"] for row in account.records()["deals"]}
        account.change("deals", deals["3.0"], amount=3.5)
        account.change("deals", deals["5600.004"], amount=5600.05)
        assert machine.imports("--again", events=events).actions["deal"] == {"update": 2, "unchanged": 1}
        assert machine.run("undo", first.summary["run_id"], "--yes").actions["deal"] == {"update": 3}
    assert pilots(account) == {"1.0": MANY}
