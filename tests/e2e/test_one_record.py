"""Several people of the input whom Freshsales holds as one record."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.events import identify, track
from tests.e2e.harness import Account, Machine, Row

ANN, ZED = "ann@x.example", "zed@x.example"
DEAL = {"name": "Renewal", "amount": 5}


def contact_of_both(account: Account) -> None:
    emails = [{"value": ANN, "is_primary": True}, {"value": ZED, "is_primary": False}]
    account.make("contacts", last_name="Lee", emails=emails)


@pytest.mark.parametrize("users", [(ANN, ZED), (ZED, ANN)])
def test_of_a_contact_with_two_addresses_the_latest_value_counts_whichever_it_came_by(
    machine: Machine, users: tuple[str, str]
) -> None:
    contact_of_both(machine.account)
    earlier, later = users
    events = [identify(earlier, title="CTO", cfRegion="EMEA"), identify(later, title="CEO"), track(earlier, "Zed")]
    assert machine.imports(*BY_EMAIL, events=reversed(events)).outcomes == {"applied": 3}
    person = machine.account.one("contacts", ANN)
    assert (person["job_title"], person["cf_region"]) == ("CEO", "EMEA")
    assert [entry["title"] for entry in machine.account.timeline(ANN)] == ["Zed"]
    writes = machine.account.writes
    assert machine.imports(*BY_EMAIL, "--again", events=events).outcomes == {"unchanged": 3}
    assert machine.account.writes == writes


def test_a_deal_that_is_told_of_by_both_addresses_is_one(machine: Machine) -> None:
    contact_of_both(machine.account)
    machine.imports(
        *BY_EMAIL, events=[identify(user, fsContact=True, deal=DEAL, company="Acme") for user in (ANN, ZED)]
    )
    assert [deal["name"] for deal in machine.account.records()["deals"]] == ["Renewal"]


@pytest.mark.parametrize("match", ["email", "segment"])
def test_whoever_has_the_former_address_of_somebody_gets_a_record_of_their_own(machine: Machine, match: str) -> None:
    earlier = [identify("u-1", email=ANN, cfRegion="EMEA")]
    later = [identify("u-1", email=ZED, title="CTO"), identify(ANN, cfPlan="Pro"), track(ANN, "Zed")]
    machine.imports("--match", match, events=earlier)
    assert machine.imports("--match", match, events=later).outcomes == {"applied": 3}
    people = shown(machine)
    machine.account.empty()
    fresh = Machine(machine.account, machine.home / "other")
    fresh.home.mkdir()
    fresh.imports("--match", match, events=earlier + later)
    one = shown(fresh)
    assert sorted(people) == sorted(one) == [ANN, ZED]
    assert [(people[email].get("cf_plan"), people[email].get("job_title")) for email in (ANN, ZED)] == [
        ("Pro", None), (None, "CTO"),
    ]  # fmt: skip
    if machine.account.edition == "classic":  # a contact keeps the former address, and so what was told of it
        assert people == one


def test_a_reviewed_plan_gives_them_records_of_their_own_too(classic: Machine) -> None:
    classic.imports(events=[identify("u-1", email=ANN, cfRegion="EMEA")])
    events = [identify("u-1", email=ZED, title="CTO"), identify(ANN, cfPlan="Pro")]
    assert classic.dry_runs(*BY_EMAIL, events=events).actions["lead"] == {"create": 1, "update": 1}
    assert classic.run("apply").outcomes == {"applied": 2}
    assert sorted(shown(classic)) == [ANN, ZED]
    assert classic.run("undo", "--yes", "--delete-created").code == 0
    assert shown(classic) == {ANN: {"cf_region": "EMEA"}}


def test_what_comes_late_of_somebody_is_not_written_to_who_has_their_former_address_now(machine: Machine) -> None:
    late = identify("u-1", email=ANN, cfRegion="EMEA")
    machine.imports(*BY_EMAIL, events=[identify("u-1", email=ZED, title="CTO"), identify(ANN, cfPlan="Pro")])
    assert machine.imports(*BY_EMAIL, events=[late]).outcomes == {"applied": 1}
    assert shown(machine) == {ANN: {"cf_plan": "Pro"}, ZED: {"job_title": "CTO", "cf_region": "EMEA"}}


@pytest.mark.parametrize("other", [ZED, "u-2"])
def test_the_address_tells_who_it_is_where_it_may_be_the_later_one(machine: Machine, other: str) -> None:
    """The record has its time from another call than that of the id."""
    earlier, moved = identify("u-1", email=ZED), identify("u-1", email=ANN, cfRegion="EMEA")
    machine.imports(*BY_EMAIL, events=[earlier, identify(other, email=ZED, title="CTO"), identify(ANN, cfPlan="Pro")])
    machine.imports(*BY_EMAIL, events=[moved])
    assert shown(machine) == {ANN: {"cf_plan": "Pro", "cf_region": "EMEA"}, ZED: {"job_title": "CTO"}}


def test_what_comes_late_of_somebody_makes_no_second_record_of_who_shares_the_address(machine: Machine) -> None:
    late = [identify("u-1", email=ANN), identify(ANN, cfPlan="Pro")]
    machine.imports(*BY_EMAIL, events=[identify("u-1", email=ZED, title="CTO")])
    machine.imports(*BY_EMAIL, events=[*late, identify("u-2", email=ZED, cfRegion="EMEA")])
    assert len(shown(machine)) == len(machine.account.records()["leads"] + machine.account.records()["contacts"])


@pytest.mark.parametrize("imports", [1, 2])
def test_entries_by_a_former_address_of_an_earlier_import_are_theirs(machine: Machine, imports: int) -> None:
    told = [identify("u-1", email=ANN), identify("u-1", email=ZED)]
    for events in [told] if imports == 1 else [told[:1], told[1:]]:
        machine.imports(events=events)
    assert machine.imports(events=[track(ANN, "Zed")]).outcomes == {"applied": 1}
    assert [entry["title"] for entry in machine.account.timeline(ZED)] == ["Zed"]


@pytest.mark.parametrize("shape", ["any", "objects"])
@pytest.mark.parametrize("match", ["email", "segment"])
def test_who_goes_back_to_a_former_address_has_it_as_in_one_import(machine: Machine, match: str, shape: str) -> None:
    machine.account.configure(email_shape=shape)
    for number, email in enumerate((ANN, ZED, ANN, ZED)):
        events = [identify("u-1", email=email, lastName="Lee", fsContact=True, cfSeats=number)]
        before = [row["email"] for row in machine.account.records()["contacts"]]
        assert machine.imports("--match", match, events=events).outcomes == {"applied": 1}
        assert machine.account.one("contacts", email)["cf_seats"] == number
    assert machine.run("undo", "--yes").code == 0
    assert [row["email"] for row in machine.account.records()["contacts"]] == before
    assert machine.imports("--match", match, events=events).outcomes == {"applied": 1}
    assert machine.account.one("contacts", ZED)["cf_seats"] == number
    machine.account.forget()
    assert machine.imports("--match", match, "--again", events=events).outcomes == {"unchanged": 1}
    assert machine.account.writes == 0


def test_which_address_somebody_made_the_primary_one_stays(machine: Machine) -> None:
    contact_of_both(machine.account)
    for number in range(2):
        machine.imports(*BY_EMAIL, events=[identify("u-1", email=ZED, cfSeats=number)])
        assert machine.account.one("contacts", ANN)["cf_seats"] == number


BY_EMAIL = ("--match", "email")


def shown(machine: Machine) -> dict[str, Row]:
    """What people hold that these events tell of."""
    resource = "leads" if machine.account.edition == "classic" else "contacts"
    told = ("job_title", "cf_plan", "cf_region")
    found = {row["email"]: {**row, **row["custom_field"]} for row in machine.account.records()[resource]}
    return {email: {name: row[name] for name in told if row[name]} for email, row in found.items()}


def addresses_of(machine: Machine) -> list[tuple[str, list[str]]]:
    """The primary address of each contact, and all that it has."""
    return [
        (row["email"], sorted(one["value"] for one in row["emails"])) for row in machine.account.records()["contacts"]
    ]


def moved(email: str, **traits: Any) -> Row:
    return identify("u-1", email=email, lastName="Lee", fsContact=True, **traits)


@pytest.mark.parametrize("match", ["email", "segment"])
def test_an_older_call_doesnt_bring_a_former_address_back(machine: Machine, match: str) -> None:
    first, older, latest = moved(ANN), moved(ANN, title="CTO"), moved(ZED)
    machine.imports("--match", match, events=[first])
    machine.imports("--match", match, events=[latest])
    before = addresses_of(machine)
    assert before[0][0] == ZED
    machine.imports("--match", match, events=[older])
    assert addresses_of(machine) == before
    assert machine.account.one("contacts", ZED)["job_title"] == "CTO"


@pytest.mark.parametrize("match", ["email", "segment"])
def test_an_undo_of_going_back_leaves_both_addresses(machine: Machine, match: str) -> None:
    for email in (ANN, ZED):
        machine.imports("--match", match, events=[moved(email)])
    before = addresses_of(machine)
    machine.imports("--match", match, events=[moved(ANN)])
    assert machine.run("undo", "--yes").code == 0
    assert addresses_of(machine) == before


@pytest.mark.parametrize("last", [ANN, "new@x.example"])
def test_an_undo_leaves_the_address_that_a_later_import_gave(machine: Machine, last: str) -> None:
    machine.imports(*BY_EMAIL, events=[moved(ANN)])
    run = machine.imports(*BY_EMAIL, events=[moved(ZED)]).folder
    machine.imports(*BY_EMAIL, events=[moved(last)])
    before = addresses_of(machine)
    assert run is not None
    assert machine.run("undo", run.name, "--yes").code == 1
    assert addresses_of(machine) == before


@pytest.mark.parametrize("mode", ["newer", "fill", "keep"])
def test_which_address_is_the_primary_one_is_kept_as_other_fields_are(suite: Machine, mode: str) -> None:
    for email in (ANN, ZED):
        suite.imports(*BY_EMAIL, events=[moved(email)])
    before = addresses_of(suite)
    suite.imports(*BY_EMAIL, "--existing", mode, events=[moved(ANN)])
    assert addresses_of(suite) == before


def test_an_undo_leaves_the_address_that_somebody_has_made_the_primary_one(machine: Machine) -> None:
    for email in (ANN, ZED):
        machine.imports(*BY_EMAIL, events=[moved(email)])
    (row,) = machine.account.records()["contacts"]
    own = {"value": "own@x.example", "is_primary": True}
    machine.account.change(
        "contacts", row["id"], emails=[*({**one, "is_primary": False} for one in row["emails"]), own]
    )
    before = addresses_of(machine)
    assert before[0][0] == "own@x.example"
    assert machine.run("undo", "--yes").code == 1
    assert addresses_of(machine) == before
