"""Several people of the input whom Freshsales holds as one record."""

from __future__ import annotations

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


BY_EMAIL = ("--match", "email")


def shown(machine: Machine) -> dict[str, Row]:
    """What people hold that these events tell of."""
    resource = "leads" if machine.account.edition == "classic" else "contacts"
    told = ("job_title", "cf_plan", "cf_region")
    found = {row["email"]: {**row, **row["custom_field"]} for row in machine.account.records()[resource]}
    return {email: {name: row[name] for name in told if row[name]} for email, row in found.items()}
