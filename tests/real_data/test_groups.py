"""Group calls tell of accounts: people are tied to them where they are known, and made only where that is asked for."""

from __future__ import annotations

import pytest

from tests.e2e.events import identify, message, track
from tests.e2e.harness import Machine

NEW, DEAL = "newbie@case.example", "newbie2@case.example"
EVENTS = [
    message("group", userId=NEW, groupId="a-1", traits={"name": "Gamma BV"}),
    message("group", userId="db-5", groupId="a-1", traits={"name": "Delta BV"}),
    track(DEAL, "Segment event"),
]


def people(machine: Machine) -> list[str]:
    found = machine.account.records()
    return [row["email"] for kind in ("leads", "contacts") for row in found[kind]]


def accounts(machine: Machine) -> list[str]:
    return sorted(row["name"] for row in machine.account.records()["sales_accounts"])


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_group_of_an_unknown_person_makes_an_account_and_nobody(machine: Machine, jobs: str) -> None:
    result = machine.imports("--with", "group", "--jobs", jobs, events=EVENTS)

    assert result.outcomes == {"applied": 2, "rejected": 1}
    assert (people(machine), accounts(machine)) == ([], ["Delta BV", "Gamma BV"])
    assert machine.imports("--with", "group", "--again", events=EVENTS[:2]).outcomes == {"unchanged": 2}


def test_they_are_made_where_that_is_asked_for(machine: Machine) -> None:
    machine.imports("--with", "group", "--create-missing", events=EVENTS)
    assert sorted(people(machine)) == [DEAL, NEW]


@pytest.mark.parametrize("later", [False, True])
def test_who_is_known_is_tied_to_the_account(machine: Machine, *, later: bool) -> None:
    known = identify(NEW, lastName="N", fsContact=True)
    if later:
        machine.imports(events=[known])
    result = machine.imports("--with", "group", events=EVENTS[:1] if later else [known, EVENTS[0]])

    assert set(result.outcomes) == {"applied"}
    assert [one["name"] for one in machine.account.one("contacts", NEW)["sales_accounts"]] == ["Gamma BV"]
    entries = machine.imports(events=[track(NEW, "Seen")])
    assert entries.outcomes == {"applied": 1}
