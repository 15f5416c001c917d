"""A rejected event makes no later one a duplicate: a mended event has the messageId of its original."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from tests.e2e.events import identify, track
from tests.e2e.harness import Machine

MIA = "mia@case.example"


def call(user: str, traits: dict[str, Any]) -> dict[str, Any]:
    return identify(user, traits, envelope={"messageId": "MM1", "timestamp": "2025-03-04T09:00:00Z"})


ORIGINAL = call("m1", {"email": "broken(at)case.example", "firstName": "Mia"})
MENDED = call("m1", {"email": MIA, "firstName": "Mia"})
OTHER_ID = call(MIA, {"firstName": "Mia"})
EMPTY = call("m1", {"firstName": "Mia"})


def people(machine: Machine) -> list[str]:
    found = machine.account.records()
    return [row["email"] for kind in ("leads", "contacts") for row in found[kind]]


@pytest.mark.parametrize("mended", [MENDED, OTHER_ID])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_in_one_run_in_any_order(machine: Machine, mended: dict[str, Any], jobs: str) -> None:
    orders = [[*order] for order in permutations((ORIGINAL, EMPTY, mended, mended))]
    for number, order in enumerate(order for at, order in enumerate(orders) if order not in orders[:at]):
        machine.account.empty()
        machine.state.exists() and machine.state.rename(machine.home / f"state-{number}")
        result = machine.dry_runs("--offline", "--jobs", jobs, events=order)
        assert result.outcomes.get("applied") == 1, result.reasons
        assert result.fields("lead" if machine.account.edition == "classic" else "contact", MIA)["first_name"] == (
            None,
            "Mia",
        )


@pytest.mark.parametrize("first", [ORIGINAL, MENDED])
def test_in_one_run_with_a_timeline(machine: Machine, first: dict[str, Any]) -> None:
    second = MENDED if first is ORIGINAL else ORIGINAL
    result = machine.imports(events=[first, second, track("m1", "Seen")])
    rejected = {"rejected": 1} if first is ORIGINAL else {"skipped": 1}
    assert result.outcomes == {"applied": 2, **rejected}
    assert people(machine) == [MIA]
    assert len(machine.account.timeline(MIA)) == 1
    assert machine.imports(events=[MENDED, track("m1", "Left")]).outcomes == {"applied": 1, "skipped": 1}


def test_beside_other_events_of_the_same_person(machine: Machine) -> None:
    events = [identify("m1", email=MIA, title="CEO"), ORIGINAL, MENDED]
    assert machine.imports(events=events).outcomes == {"applied": 2, "rejected": 1}
    (found,) = [row for kind in ("leads", "contacts") for row in machine.account.records()[kind]]
    assert (found["first_name"], found["job_title"]) == ("Mia", "CEO")


def test_one_after_the_other(machine: Machine) -> None:
    assert machine.imports(events=[ORIGINAL]).outcomes == {"rejected": 1}
    assert machine.imports(events=[MENDED]).outcomes == {"applied": 1}
    assert people(machine) == [MIA]


def test_a_mended_track_call(machine: Machine) -> None:
    machine.imports(events=[identify(MIA, lastName="M")])
    types = '[timeline]\nvia = "sales_activity"\nevent_type = "No such type"\n'
    seen = track(MIA, "Unheard Of")
    mended = {**seen, "event": "Email"}
    result = machine.imports(events=[seen, mended], config=types)
    assert result.reasons.get("duplicate") is None
    assert result.outcomes["rejected"] >= 1


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_track_call_of_somebody_unknown_that_is_mended_in_the_same_run(machine: Machine, jobs: str) -> None:
    seen = track("m9", "Seen", timestamp="2025-03-04T09:00:00Z")
    told = {**seen, "properties": {"email": MIA}}
    other = {**seen, "userId": "m1"}
    in_context = {**seen, "context": {"traits": {"email": MIA}}}
    for number, mended in enumerate((told, other, in_context)):
        machine.account.empty()
        machine.state.exists() and machine.state.rename(machine.home / f"state-{number}")
        events = [seen, seen, mended, mended, identify("m1", email=MIA, lastName="M")]
        result = machine.imports("--jobs", jobs, events=events)
        assert result.outcomes == {"applied": 2, "rejected": 1, "skipped": 2}
        assert result.reasons == {"unknown_person": 1, "duplicate": 2}
        assert [row["properties"] for row in result.failures] == [seen["properties"]]
        assert [entry["title"] for entry in machine.account.timeline(MIA)] == ["Seen"]
        assert machine.imports(events=events).outcomes == {"skipped": 5}


@pytest.mark.parametrize("broken", ["mia(at)case.example", "m9"])
def test_a_track_call_whose_address_is_none_is_mended_in_the_same_run(classic: Machine, broken: str) -> None:
    seen = track(broken, "Seen", {"email": "mia(at)case"}, timestamp="2025-03-04T09:00:00Z")
    result = classic.imports(events=[identify(MIA, lastName="M"), seen, {**seen, "userId": MIA}])
    assert result.outcomes == {"applied": 2, "rejected": 1}
    assert [entry["title"] for entry in classic.account.timeline(MIA)] == ["Seen"]


NOBODY = track("mai@case.example", "Seen", timestamp="2025-03-04T09:00:00Z")
"""Of an address that nobody has, which only matching tells."""


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_track_call_of_an_address_that_nobody_has_is_mended_in_the_same_run(machine: Machine, jobs: str) -> None:
    machine.account.make("contacts", email=MIA, last_name="M")
    nobody_either = {**NOBODY, "userId": "mae@case.example"}
    by_id = {**NOBODY, "userId": "o1"}
    mended = {**NOBODY, "userId": MIA}
    two_ids = [identify(user, email="other@case.example", lastName="O") for user in ("o1", "o2")]
    for number, (repeats, whose, rejected) in enumerate((
        ([mended, mended], MIA, 1), ([NOBODY, nobody_either, NOBODY, mended, by_id], MIA, 2),
        ([by_id, mended], "other@case.example", 1), ([NOBODY, nobody_either], None, 2),
    )):  # fmt: skip
        events = [NOBODY, *repeats, *two_ids]
        machine.state.exists() and machine.state.rename(machine.home / f"state-{number}")
        result = machine.dry_runs("--match", "email", "--jobs", jobs, events=events)
        taken = 3 if whose else 2
        duplicates = len(events) - taken - rejected
        assert result.reasons == {"unknown_person": rejected, **({"duplicate": duplicates} if duplicates else {})}
        assert result.outcomes["applied"] == taken
        made = [
            change["key"]
            for change in result.changes
            if change["entity"] == "timeline" and change["action"] == "create"
        ]
        assert made == [whose] * bool(whose)
        assert result.failures[0]["userId"] == NOBODY["userId"]


def test_what_is_mended_so_is_sent_once(machine: Machine) -> None:
    machine.account.make("contacts", email=MIA, last_name="M")
    events = [NOBODY, {**NOBODY, "userId": MIA}, {**NOBODY, "userId": "mae@case.example"}]
    machine.dry_runs("--match", "email", events=events)
    assert machine.run("apply", "latest", "--yes").code == 1
    assert [entry["title"] for entry in machine.account.timeline(MIA)] == ["Seen"]
    assert machine.imports("--match", "email", events=events).outcomes == {"skipped": 3}
    assert len(machine.account.timeline(MIA)) == 1


def test_what_is_mended_so_sets_fields_and_is_counted_by_the_day(classic: Machine) -> None:
    classic.account.make("contacts", email=MIA, last_name="M")
    config = """
        [timeline]
        aggregate = "daily"
        [mapping.event.Seen]
        fields = { job_title = { of = "title", take = "last" } }
    """
    wrong = {**NOBODY, "properties": {"title": "CEO"}}
    told = {**wrong, "userId": MIA}
    events = [wrong, told, track(MIA, "Seen", timestamp=NOBODY["timestamp"])]
    result = classic.imports("--match", "email", events=events, config=config)
    assert result.outcomes == {"applied": 2, "rejected": 1}
    assert classic.account.one("contacts", MIA)["job_title"] == "CEO"
    assert len(classic.account.timeline(MIA)) == 1


def test_strict_refusals_too(machine: Machine) -> None:
    bad = call("m1", {"email": MIA, "cfSeats": "many"})
    result = machine.imports("--strict", events=[bad, MENDED])
    assert result.outcomes == {"applied": 1, "rejected": 1}
    assert people(machine) == [MIA]
