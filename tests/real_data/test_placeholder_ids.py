"""Ids that software writes where it has none identify nobody: the e-mail says who it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.events import identify, track
from tests.e2e.harness import Machine

PLACEHOLDERS = ("undefined", "undefined", "undefined", "null", "NULL", "0", "0", "anonymous", "Anonymous", "-1", "-1")
NAMES = ("kim", "lou", "max", "ned", "ola", "pat", "quy", "ros", "sal", "tom", "uma")


def emails(machine: Machine) -> dict[str, str | None]:
    """First name by e-mail of everybody in the account."""
    found = machine.account.records()
    return {row["email"]: row["first_name"] for kind in ("leads", "contacts") for row in found[kind]}


@pytest.mark.parametrize("match", ["segment", "email"])
def test_everybody_who_shares_a_placeholder_is_one_person_each(machine: Machine, match: str) -> None:
    events = [
        identify(id, email=f"{name}@north.example", firstName=name)
        for id, name in zip(PLACEHOLDERS, NAMES, strict=True)
    ]
    visit = track("undefined", "Visited", {"email": "kim@north.example"})

    result = machine.imports("--match", match, events=[*events, visit])

    assert result.outcomes == {"applied": 12}
    assert result.warnings == {"placeholder_id userId": 12}
    assert emails(machine) == {f"{name}@north.example": name for name in NAMES}
    assert [len(machine.account.timeline(f"{name}@north.example")) for name in NAMES] == [1] + [0] * 10
    again = machine.imports("--match", match, "--again", events=[*events, visit])
    assert again.outcomes == {"unchanged": 12}


def test_a_later_run_renames_nobody(machine: Machine) -> None:
    machine.imports(events=[identify("undefined", email="kim@north.example", firstName="Kim")])
    machine.imports(events=[identify("undefined", email="lou@north.example", firstName="Lou")])
    stray = machine.imports(events=[track("undefined", "Visited"), track("undefined", "Left")])

    assert emails(machine) == {"kim@north.example": "Kim", "lou@north.example": "Lou"}
    assert (stray.outcomes, stray.reasons) == ({"skipped": 2}, {"anonymous": 2})


def test_events_of_one_placeholder_message_id_are_all_taken(machine: Machine) -> None:
    events = [identify(f"{name}@north.example", envelope={"messageId": "undefined"}, lastName=name) for name in NAMES]

    assert machine.imports(events=[*events, events[0]]).outcomes == {"applied": 11, "skipped": 1}
    assert len(emails(machine)) == 11


def test_strangers_who_share_a_placeholder_anonymous_id_are_not_stitched(machine: Machine) -> None:
    stranger = {"type": "track", "anonymousId": "null", "event": "Visited", "messageId": "s", "timestamp": "2024-02-01"}
    events = [stranger, identify("kim@north.example", envelope={"anonymousId": "null"}, lastName="Vos")]

    result = machine.imports("--stitch-anonymous", events=events)

    assert result.outcomes == {"applied": 1, "skipped": 1}
    assert machine.account.timeline("kim@north.example") == []


def test_an_identify_call_without_an_email_is_anonymous(machine: Machine) -> None:
    result = machine.imports(events=[identify("null", firstName="Kim"), identify("null", email="no address")])

    assert (result.outcomes, result.reasons) == ({"skipped": 2}, {"anonymous": 2})
    assert emails(machine) == {}


def test_more_placeholders_can_be_named(machine: Machine, tmp_path: Path) -> None:
    events = [identify("test-user", email=f"{name}@north.example", firstName=name) for name in NAMES[:3]]
    events += [identify("demo@north.example", email="demo@north.example", firstName="Demo")]

    config = '[identity]\nplaceholder_ids = ["Test-User", "demo@north.example"]\n'
    result = machine.imports("--jobs", "2", events=events, config=config)

    assert result.outcomes == {"applied": 3, "skipped": 1}
    assert emails(machine) == {f"{name}@north.example": name for name in NAMES[:3]}


def test_inspect_tells_them(machine: Machine) -> None:
    path = machine.write("events.jsonl", [identify("null", email="kim@north.example")])
    result = machine.run("inspect", "--offline", path)
    assert "placeholder_id" in result.out or "names nobody" in result.out


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("match", ["segment", "email"])
def test_an_id_of_more_e_mails_than_a_person_has_is_nobody(machine: Machine, match: str, jobs: str) -> None:
    events = [identify("shop-1", email=f"{name}@north.example", firstName=name) for name in (*NAMES, *NAMES)]
    events += [track("shop-1", "Visited", {"email": "KIM@north.example"}), track("shop-1", "Visited")]
    events += [identify("u-1", email=f"moved{n}@north.example", firstName="Mo") for n in range(3)]

    result = machine.imports("--match", match, "--jobs", jobs, events=events)

    assert result.outcomes == {"applied": 26, "skipped": 1}
    assert result.warnings == {"many_emails shop-1": 1}
    assert emails(machine) == {f"{name}@north.example": name for name in NAMES} | {"moved2@north.example": "Mo"}
    assert len(machine.account.timeline("kim@north.example")) == 1
    again = machine.imports("--match", match, "--again", events=events)
    assert again.outcomes == {"unchanged": 26, "skipped": 1}


def test_suppressing_one_of_them_takes_no_other_along(machine: Machine) -> None:
    events = [identify("shop-1", email=f"{name}@north.example", firstName=name) for name in NAMES]
    machine.write("suppressed.txt", "kim@north.example")
    result = machine.imports(events=events, config='[filter]\nsuppress_file = "suppressed.txt"\n')
    assert result.outcomes == {"applied": 10, "skipped": 1}
