"""Matching: the cheapest correct way, and never a record made because somebody was overlooked."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fsseg.sandbox import running
from tests.e2e import stranger
from tests.e2e.events import identify
from tests.e2e.harness import Account, Machine, Result, Row
from tests.e2e.stranger import Exchange

FULL = bool(os.environ.get("FSSEG_FULL_TESTS"))
"""Whether the large account has its real size, which takes minutes."""

HELD = 100_000 if FULL else 3_000
MANY = 50_000 if FULL else 1_200
FEW = 25 if FULL else 12


def contact(number: int) -> Row:
    stamp = "2024-01-01T00:00:00Z"
    row = {"email": f"p{number}@held.example", "last_name": f"P{number}", "created_at": stamp, "updated_at": stamp}
    return row | {"custom_field": {"cf_seats": number % 10}}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """A suite account that holds many contacts."""
    db = tmp_path_factory.mktemp("large") / "suite.db"
    with running(db, edition="suite", token="token-of-the-large-account") as sandbox:
        account = Account("suite", sandbox, db)
        account.seed(contacts=[contact(number) for number in range(HELD)])
        yield account
        account.close()


@pytest.fixture
def machine(large: Account, tmp_path: Path) -> Machine:
    return Machine(large, tmp_path)


def spent(result: Result) -> int:
    return int(result.summary["requests"]["total"])


def few_people() -> list[Row]:
    people = [identify(f"P{number * 7}@held.example", lastName="New") for number in range(FEW)]
    return people + [identify(f"new{number}@held.example", lastName="New") for number in range(FEW)]


def test_a_few_people_cost_a_few_searches_however_many_there_are(machine: Machine) -> None:
    result = machine.dry_runs(events=few_people())

    assert result.actions == {"contact": {"update": FEW, "create": FEW}}
    assert spent(result) <= 12


@pytest.mark.parametrize("how", ["text", "refused"])
def test_they_cost_a_look_up_each_where_the_search_takes_no_list(machine: Machine, how: str) -> None:
    machine.account.configure(is_in_list=how)
    try:
        result = machine.dry_runs(events=few_people())
    finally:
        machine.account.configure(is_in_list="list")

    assert result.actions == {"contact": {"update": FEW, "create": FEW}}
    assert 2 * FEW <= spent(result) <= 3 * FEW + 12


@pytest.mark.parametrize("email", ["first@held.example", "second@held.example"])
def test_a_search_that_shows_only_the_first_address_is_not_relied_on(
    machine: Machine, large: Account, tmp_path: Path, email: str
) -> None:
    """Who is known by another address would look new."""
    addresses = ["first@held.example", "second@held.example"]
    (id_,) = large.seed(contacts=[{"emails": addresses, "last_name": "Two"}])["contacts"]

    def first_only(exchange: Exchange) -> None:
        if "/filtered_search/" in exchange.path:
            for row in exchange.answer.get("contacts", ()):
                row.pop("emails", None)

    with stranger.before(large, first_only) as server:
        machine = Machine(large, tmp_path, server.base_url)
        result = machine.dry_runs(events=[*few_people(), identify(email, lastName="Two")])
    large.delete("contacts", id_)

    assert result.change("contact", email)["action"] == "unchanged"


def test_many_people_cost_the_pages_of_the_account_and_the_second_time_a_handful(machine: Machine) -> None:
    held = MANY - 100
    events = [
        identify(f"P{number}@held.example", lastName=f"P{number}", cfSeats=str(number % 10)) for number in range(held)
    ]
    events += [identify(f"new{number}@held.example", lastName="New") for number in range(100)]
    path = machine.write("many.jsonl", events)

    first = machine.dry_runs(path)
    second = machine.dry_runs(path)

    for result in (first, second):
        assert result.actions == {"contact": {"unchanged": held, "create": 100}}
    assert spent(first) <= HELD / 100 + 15
    assert spent(second) <= 15
    (announced,) = re.findall(r"([\d,]+) requests more", first.err)
    assert abs(int(announced.replace(",", "")) - HELD / 100) <= 1


def test_the_copy_follows_what_is_made_changed_and_deleted_meanwhile(machine: Machine) -> None:
    wanted = [identify(f"p{number}@held.example", lastName=f"P{number}") for number in range(HELD // 100 + 40)]
    machine.dry_runs(events=wanted)
    ids = [machine.account.people("contacts", f"p{number}@held.example")[0]["id"] for number in (1, 2)]
    machine.account.change("contacts", ids[0], last_name="Renamed")
    made = machine.account.make("contacts", emails="made@held.example", last_name="Made")
    machine.account.delete("contacts", ids[1])
    try:
        result = machine.dry_runs(events=[*wanted, identify("made@held.example", lastName="Made")])

        assert result.fields("contact", "p1@held.example") == {"last_name": ("Renamed", "P1")}
        assert result.change("contact", "p2@held.example")["action"] == "create"
        assert result.change("contact", "made@held.example")["action"] == "unchanged"
    finally:
        machine.account.change("contacts", ids[0], last_name="P1")
        machine.account.delete("contacts", made["id"])
        machine.account.seed(contacts=[contact(2)])


def test_a_deletion_does_not_make_a_few_people_cost_the_whole_account(machine: Machine) -> None:
    many = [identify(f"p{number}@held.example", lastName=f"P{number}") for number in range(HELD // 100 + 40)]
    machine.dry_runs(events=many)
    gone = machine.account.people("contacts", "p3@held.example")[0]["id"]
    machine.account.delete("contacts", gone)
    try:
        result = machine.dry_runs(events=many[:FEW])

        assert result.actions == {"contact": {"unchanged": FEW - 1, "create": 1}}
        assert spent(result) <= FEW + 15
    finally:
        machine.account.seed(contacts=[contact(3)])


def test_a_reading_that_was_cut_short_is_not_taken_for_the_whole(machine: Machine) -> None:
    many = [identify(f"p{number}@held.example", lastName=f"P{number}") for number in range(HELD - 200, HELD)]
    stopped = machine.run("dry-run", "--max-requests", "20", events=many)
    result = machine.dry_runs(events=many)

    assert stopped.code == 5
    assert result.actions == {"contact": {"unchanged": 200}}


def test_pages_that_shrink_while_they_are_read_are_not_taken_for_the_whole(large: Account, tmp_path: Path) -> None:
    """Somebody may have moved from a page that is still to be read to one that was."""
    many = [identify(f"p{number}@held.example", lastName=f"P{number}") for number in range(MANY)]
    read: list[Exchange] = []

    def shrinking(exchange: Exchange) -> None:
        if "/contacts/view/" in exchange.path:
            read.append(exchange)
            exchange.answer["meta"]["total"] -= len(read)

    with stranger.before(large, shrinking) as server:
        result = Machine(large, tmp_path, server.base_url).dry_runs(events=many)

    assert "changed too fast to be read as a whole" in result.err
    assert result.actions == {"contact": {"unchanged": MANY}}
    assert len(read) < HELD / 100


@pytest.mark.parametrize("edition", ["classic", "suite"])
@pytest.mark.parametrize("options", [{"short_pages": True}, {"view_custom_fields": False}, {}], ids=str)
def test_everybody_on_the_pages_is_found(
    accounts: dict[str, Account], tmp_path: Path, edition: str, options: dict[str, Any]
) -> None:
    account = accounts[edition]
    account.empty(**options)
    rows = [contact(number) for number in range(130)]
    account.seed(**({"contacts": rows[:65], "leads": rows[65:]} if edition == "classic" else {"contacts": rows}))

    events = [identify(f"p{number}@held.example", lastName=f"P{number}", cfSeats=number % 10) for number in range(130)]
    result = Machine(account, tmp_path).imports(events=events)

    assert result.outcomes == {"unchanged": 130}


def test_people_of_a_view_that_only_sounds_like_all_are_not_taken_for_everybody(
    accounts: dict[str, Account], tmp_path: Path
) -> None:
    """Users name views; one of few people listed first must not make the others look new."""
    account = accounts["suite"]
    account.empty()
    account.seed(contacts=[contact(number) for number in range(60)])

    def misleading(exchange: Exchange) -> None:
        if exchange.path.endswith("/contacts/filters"):
            views = exchange.answer["filters"]
            exchange.answer["filters"] = [{**views[1], "name": "All my contacts"}, *views[1:3]]
        elif "/contacts/view/" in exchange.path:
            exchange.answer = {"contacts": exchange.answer["contacts"][:5], "meta": {"total": 5, "total_pages": 1}}

    with stranger.before(account, misleading) as server:
        machine = Machine(account, tmp_path, server.base_url)
        events = [identify(f"p{number}@held.example", lastName=f"P{number}") for number in range(60)]
        assert machine.imports(events=events).outcomes == {"unchanged": 60}


def test_a_record_changed_while_its_page_had_been_read_is_read_again_next_time(
    accounts: dict[str, Account], tmp_path: Path
) -> None:
    account = accounts["suite"]
    account.empty()
    account.seed(contacts=[contact(number) for number in range(400)])
    first, last = (account.people("contacts", f"p{number}@held.example")[0]["id"] for number in (0, 399))

    def meanwhile(exchange: Exchange) -> None:
        if (
            "/contacts/view/" in exchange.path
            and "page=3" in exchange.path
            and not account.people("contacts", "new@held.example")
        ):
            account.change("contacts", first, last_name="Renamed")
            account.make("contacts", emails="new@held.example", last_name="New")
            account.change("contacts", last, last_name="Last")

    events = [identify(f"p{number}@held.example", lastName=f"P{number}") for number in range(400)]
    with stranger.before(account, meanwhile) as server:
        machine = Machine(account, tmp_path, server.base_url)
        machine.run("dry-run", events=events)
        result = machine.dry_runs(events=events)

    changed = {row["key"]: row["fields"]["last_name"]["before"] for row in result.changes if row["action"] == "update"}
    assert changed == {"p0@held.example": "Renamed", "p399@held.example": "Last"}


@pytest.mark.parametrize("view", ["All Deals", "All deals I won"])
def test_new_deals_never_change_one_of_somebody_else_that_has_the_name(
    accounts: dict[str, Account], tmp_path: Path, view: str
) -> None:
    """Bulk knows a new deal by its name only."""
    account = accounts["suite"]
    account.empty(short_pages=True)
    account.seed(deals=[{"name": f"Deal {number}", "amount": 1} for number in range(90)])

    def renamed(exchange: Exchange) -> None:
        if exchange.path.endswith("/deals/filters"):
            exchange.answer["filters"] = [
                {**row, "name": view} for row in exchange.answer["filters"] if row["name"] == "All Deals"
            ]
        elif "/deals/view/" in exchange.path and view != "All Deals":
            exchange.answer = {"deals": exchange.answer["deals"][:5], "meta": {"total": 5, "total_pages": 1}}

    with stranger.before(account, renamed) as server:
        events = [
            identify(
                f"p{number}@held.example",
                fsContact=True,
                lastName="P",
                deal={"name": f"Deal {85 + number}", "amount": 7},
            )
            for number in range(10)
        ]
        assert Machine(account, tmp_path, server.base_url).imports(events=events).outcomes == {"applied": 10}

    amounts = [row["amount"] for row in account.records()["deals"]]
    assert (amounts.count("1.0"), amounts.count("7.0")) == (90, 10)
