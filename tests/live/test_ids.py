"""Ids that an answer doesn't tell are unknown, and never taken for empty."""

from __future__ import annotations

import pytest

from tests.e2e.events import identify
from tests.e2e.harness import Machine, Row
from tests.live.story import imported_twice, records

WAYS: dict[str, Row] = {
    "only where included": {"association_ids": "included"},
    "never, as includes are refused": {"association_ids": "included", "unknown_includes": "refuse"},
    "partial look-ups": {"association_ids": "included", "lookup_rows": "partial"},
    "always": {"association_ids": "always"},
}
MANY = 12


@pytest.fixture(params=WAYS)
def told(request: pytest.FixtureRequest, machine: Machine) -> None:
    machine.account.configure(**WAYS[request.param])


def contacts(machine: Machine, count: int) -> list[int]:
    account = machine.account
    owner = account.choice("owners", "sam@fsseg.example")
    stage = {"lifecycle_stage_id": account.choice("lifecycle_stages", "Customer")} if account.edition == "suite" else {}
    return [
        int(account.make("contacts", email=f"p{n}@x.example", last_name="P", owner_id=owner, **stage)["id"])
        for n in range(count)
    ]


@pytest.mark.parametrize("count", [2, MANY])
@pytest.mark.usefixtures("told")
def test_an_owner_that_is_there_already_is_no_change(machine: Machine, count: int) -> None:
    contacts(machine, count)
    events = [identify(f"p{n}@x.example", ownerId="sam@fsseg.example", fsContact=True) for n in range(count)]
    shown = machine.dry_runs(events=events)
    assert shown.actions == {"contact": {"unchanged": count}}, shown.changes
    assert imported_twice(machine, events) == {}


@pytest.mark.parametrize("count", [2, MANY])
@pytest.mark.usefixtures("told")
def test_the_owner_before_is_told_and_put_back(machine: Machine, count: int) -> None:
    ids = contacts(machine, count)
    sam, robin = (machine.account.choice("owners", f"{name}@fsseg.example") for name in ("sam", "robin"))
    events = [identify(f"p{n}@x.example", ownerId="robin@fsseg.example", fsContact=True) for n in range(count)]
    shown = machine.dry_runs(events=events)
    assert {row["fields"]["owner_id"]["before"] for row in shown.changes} == {sam}
    assert imported_twice(machine, events) == {id: {"owner_id": robin} for id in ids}


@pytest.mark.parametrize("count", [2, MANY])
@pytest.mark.usefixtures("told")
def test_nobody_is_moved_to_another_owner_or_stage_without_a_word_of_it(machine: Machine, count: int) -> None:
    ids = contacts(machine, count)
    events = [identify(f"p{n}@x.example", lastName="Q") for n in range(count)]
    named = {id: {"last_name": "Q", "display_name": "Q"} for id in ids}
    assert imported_twice(machine, events) == named


@pytest.mark.parametrize("count", [2, MANY])
@pytest.mark.usefixtures("told")
def test_a_deal_stays_with_its_account(machine: Machine, count: int) -> None:
    ids = contacts(machine, count)
    theirs = machine.account.make("sales_accounts", name="Theirs")["id"]
    machine.account.make("sales_accounts", name="Ours")
    deals = [
        machine.account.make(
            "deals", name=f"Pilot {n}", amount=5, sales_account_id=theirs, contacts_added_list=[ids[n]]
        )["id"]
        for n in range(count)
    ]
    events = [
        identify(f"p{n}@x.example", company={"name": "Ours"}, deal={"name": f"Pilot {n}", "amount": 6})
        for n in range(count)
    ]
    changed = imported_twice(machine, events)
    assert {id: changed[id] for id in deals} == {
        id: dict.fromkeys(("amount", "base_currency_amount", "expected_deal_value"), "6.0") for id in deals
    }


@pytest.mark.usefixtures("told")
def test_a_field_that_no_answer_tells_is_unknown_and_not_cleared_by_undo(machine: Machine) -> None:
    (id,) = contacts(machine, 1)
    account = machine.account
    europe, america = (account.choice("territories", name) for name in ("Europe", "North America"))
    deal = account.make("deals", name="Pilot", amount=5, territory_id=europe, contacts_added_list=[id])["id"]
    done = machine.imports(
        events=[identify("p0@x.example", fsContact=True, deal={"name": "Pilot", "territoryId": "North America"})]
    )
    assert done.code == 0
    assert records(machine)[deal]["territory_id"] == america
    shown = done.change("deal", "Pilot")["fields"]["territory_id"]
    undone = machine.run("undo", "--yes")
    if "before" in shown and shown["before"] == europe:
        assert (undone.code, records(machine)[deal]["territory_id"]) == (0, europe)
    else:
        assert shown == {"after": america}
        assert (undone.code, records(machine)[deal]["territory_id"]) == (1, america)


def test_a_token_in_a_row_is_kept_nowhere(suite: Machine) -> None:
    (id,) = contacts(suite, 1)
    suite.account.make("deals", name="Pilot", amount=5, contacts_added_list=[id])
    assert suite.imports(events=[identify("p0@x.example", deal={"name": "Pilot", "amount": 6})]).code == 0
    assert suite.run("undo", "--yes").code == 0
    kept = b"".join(path.read_bytes() for path in suite.state.rglob("*") if path.is_file())
    assert b"eyJhbGciOiJIUzI1NiJ9" not in kept
