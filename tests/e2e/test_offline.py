"""An offline dry run tells the same however many processes it has, whatever matching finds out of entries meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.events import identify, page, track
from tests.e2e.harness import Machine, Row

KIM, SUP = "kim@north.example", "sup@case.example"

IMPORTED = [identify("u1", email=KIM, lastName="Vos"), track("u1", "Visited"), identify("u9", email=SUP, title="CEO")]
EVENTS = [
    identify("u1", email=KIM, title="CTO"),
    identify("u2", email=KIM.upper(), firstName="Kim"),
    *(track(user, "Ordered", {"at": at}) for at in range(9) for user in ("u1", "u2", "u9")),
    page("u9", "Home"),
    track("nobody", "Visited"),
    track("nobody", "Left", context={"traits": {"email": SUP}}),
    *(identify(f"c{at}@north.example", lastName=f"C{at}") for at in range(9)),
    *(track(f"c{at}@north.example", "Visited") for at in range(9)),
]

SUPPRESSED = '[filter]\nsuppress_file = "suppressed.txt"\n'
DAILY = '[timeline]\naggregate = "daily"\n'

WAYS: dict[str, tuple[bool, str, tuple[str, ...]]] = {
    "nothing is known": (False, "", ()),
    "some were imported": (True, "", ()),
    "someone is suppressed": (False, SUPPRESSED, ()),
    "someone was imported who is suppressed": (True, SUPPRESSED, ()),
    "all of it is compared anew": (True, "", ("--again",)),
    "a day's events are one entry": (True, DAILY, ()),
    "who is missing is made": (True, SUPPRESSED, ("--create-missing",)),
}
"""What is known beforehand, the settings, and the flags."""


@pytest.mark.parametrize("name", WAYS)
def test_any_number_of_processes_tells_the_same(machine: Machine, name: str) -> None:
    imported, config, flags = WAYS[name]
    machine.write("suppressed.txt", SUP)
    if imported:
        assert machine.imports(events=IMPORTED).outcomes == {"applied": len(IMPORTED)}
    path = machine.write("later.jsonl", EVENTS)

    def told(jobs: str) -> tuple[list[Row], dict[str, Any], list[Row], str]:
        result = machine.dry_runs(path, "--offline", *flags, "--jobs", jobs, config=config)
        of_this_run = ("run_id", "started_at", "finished_at", "seconds", "run_dir")
        summary = {key: value for key, value in result.summary.items() if key not in of_this_run}
        return result.changes, summary, result.failures, result.out.replace(result.summary["run_id"], "the run")

    assert told("2") == told("4") == told("1")
