"""One e-mail address in several spellings is one person: within a run, between runs, and in the ledger."""

from __future__ import annotations

import pytest

from tests.e2e.events import identify, track
from tests.e2e.harness import Machine

SPELLINGS = {
    "jorg@bücher.example": ["Jorg@BÜCHER.example", "jorg@xn--bcher-kva.example", "Jörg <jorg@bücher.example>"],
    "kim@north.example": [
        "KIM@north.example",
        "kim@north.example\u200b",
        "mailto:kim@north.example",
        "Kim <kim@north.example>",
    ],
}


@pytest.mark.parametrize("email", SPELLINGS)
def test_all_spellings_in_one_run_are_one_person(machine: Machine, email: str) -> None:
    events = [identify(spelled, lastName="Vos") for spelled in (email, *SPELLINGS[email])]
    events += [track(spelled, "Visited") for spelled in SPELLINGS[email]]

    result = machine.imports(events=events)

    assert result.outcomes == {"applied": len(events)}
    (person,) = [row for kind in ("leads", "contacts") for row in machine.account.records()[kind]]
    assert person["email"] in (email, *SPELLINGS[email])
    assert len(machine.account.timeline(person["email"])) == len(SPELLINGS[email])


@pytest.mark.parametrize("email", SPELLINGS)
def test_all_spellings_between_runs_are_one_person(machine: Machine, email: str) -> None:
    machine.imports(events=[identify("u-1", email=email, lastName="Vos")])
    for number, spelled in enumerate(SPELLINGS[email]):
        result = machine.imports(
            "--match", "email", events=[identify(spelled, title=f"T{number}"), track(spelled, "Seen")]
        )
        assert result.outcomes == {"applied": 2}, spelled

    (person,) = [row for kind in ("leads", "contacts") for row in machine.account.records()[kind]]
    assert person["job_title"] == f"T{len(SPELLINGS[email]) - 1}"
