"""Events without a usable time of their own get the best that can be told, the same in a dry run and an import."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.events import identify, message, track
from tests.e2e.harness import Machine

KIM = "kim@north.example"
RECEIVED = "2025-03-04T10:00:00.000Z"


def starts(machine: Machine) -> list[str]:
    found = (datetime.fromisoformat(entry["start_date"]) for entry in machine.account.timeline(KIM))
    return [time.astimezone(UTC).isoformat() for time in found]


def test_what_the_dry_run_promises_the_import_does(machine: Machine) -> None:
    machine.imports(events=[identify(KIM, lastName="Vos")])
    path = machine.write("undated.jsonl", [{"type": "track", "userId": KIM, "event": "Visited", "messageId": "t"}])
    os.utime(path, (1717200000, 1717200000))

    dry, wet = machine.dry_runs(path), machine.imports(path)

    for result in (dry, wet):
        assert (result.outcomes, result.warnings) == ({"applied": 1}, {"no_time file": 1})
        assert result.fields("timeline", KIM)["start_date"] == (None, "2024-06-01T00:00:00.000Z")
    assert starts(machine) == ["2024-06-01T00:00:00+00:00"]


@pytest.mark.parametrize(
    "time", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", 0, "2999-01-01", "2025-01-01T00:00:00+99:00"]
)
def test_an_impossible_time_gives_way_to_the_time_of_receipt(machine: Machine, time: Any) -> None:
    sent = {"timestamp": time, "receivedAt": RECEIVED}
    result = machine.imports(events=[identify(KIM, lastName="Vos"), message("track", userId=KIM, event="Seen", **sent)])

    assert result.warnings == {"no_time receivedAt": 1}
    assert starts(machine) == ["2025-03-04T10:00:00+00:00"]


def test_an_undated_call_wins_where_its_file_is_newer(machine: Machine) -> None:
    resource = "leads" if machine.account.edition == "classic" else "contacts"
    dated = identify(KIM, title="Intern", envelope={"timestamp": "2024-01-01T00:00:00Z"})
    undated = identify(KIM, title="CEO", envelope={"timestamp": None})

    machine.imports(events=[undated, dated])
    assert machine.account.one(resource, KIM)["job_title"] == "CEO"
    path = machine.write("old.jsonl", [identify(KIM, title="Clerk", envelope={"timestamp": None})])
    os.utime(path, (1600000000, 1600000000))
    machine.imports(path)
    assert machine.account.one(resource, KIM)["job_title"] == "CEO"


def test_no_usable_time_among_some_is_rejected(machine: Machine) -> None:
    result = machine.imports(events=[track(KIM, "Seen", timestamp="soon", receivedAt="1970-01-01")])
    assert result.reasons == {"bad_timestamp": 1}


def test_a_time_that_cannot_be_is_told_with_the_clock_that_it_is_measured_by(machine: Machine) -> None:
    """Or a machine whose clock is wrong would call all times unreadable."""
    result = machine.imports(
        events=[
            track(KIM, "Seen", timestamp="2999-01-01T12:00:00+02:00", receivedAt="soon"),
            track(KIM, "Seen", timestamp="1985-06-30"),
        ]
    )
    ahead, old = [failed["_fsseg"]["message"] for failed in result.failures]
    told, clock = ahead.removesuffix(" in UTC").split(" says ")
    assert told == "timestamp is 2999-01-01T10:00:00.000, and the clock here"
    assert datetime.now(UTC) - datetime.fromisoformat(clock + "Z") < timedelta(hours=1)
    assert old == "timestamp is 1985-06-30T00:00:00.000, and no event is older than 1990"


def test_a_time_that_is_none_is_told_and_an_empty_value_tells_no_time(classic: Machine) -> None:
    times: list[Any] = [0, False, [], {}, " "]
    result = classic.imports(
        events=[identify(KIM, lastName="Vos"), *(track(KIM, "Seen", timestamp=time) for time in times)]
    )
    assert [failed["_fsseg"]["message"] for failed in result.failures] == [
        "timestamp is 1970-01-01T00:00:00.000, and no event is older than 1990",
        'no readable time in {"timestamp":false}',
    ]
    assert result.warnings == {"no_time file": 3}


def test_an_event_name_of_blanks_is_none(machine: Machine) -> None:
    result = machine.imports(events=[identify(KIM, lastName="Vos"), track(KIM, " "), track(KIM, "\u3000")])
    assert result.reasons == {"event_not_defined": 2}
