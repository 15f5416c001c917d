"""Each command that is advised does what it is advised for, typed as it stands, whichever flags the first one had."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.between_runs.runs import PEOPLE, advised, person, runs
from tests.between_runs.terminal import answered
from tests.e2e.harness import Machine, Result

BAD: list[dict[str, Any]] = [*PEOPLE, person("nobody", "2024-05-07", title="CEO")]
"""The last of them has no e-mail."""

NO_ACCOUNT = dict.fromkeys(("FSSEG_BASE_URL", "FSSEG_EDITION", "FSSEG_API_TOKEN"))


ELSEWHERE = "--base-url where another is set"
OF_THE_SUITE = "--sandbox of the suite where classic is set"


@pytest.fixture(
    params=["--state-dir", "--sandbox where an account is set", "--sandbox --state-dir", ELSEWHERE, OF_THE_SUITE]
)
def flags(request: pytest.FixtureRequest, classic: Machine) -> list[str]:
    """How the first command is told where to go; no other one is told."""
    classic.environment |= {"FSSEG_STATE_DIR": None, "XDG_STATE_HOME": None}
    if request.param == ELSEWHERE:
        classic.environment["FSSEG_BASE_URL"] = "http://127.0.0.1:9"
        return ["--base-url", classic.account.sandbox.base_url]
    if request.param == OF_THE_SUITE:
        return ["--sandbox", "--edition", "suite"]
    if "--sandbox" in request.param and "where" not in request.param:
        classic.environment |= NO_ACCOUNT
    state = ["--state-dir", str(classic.home / "else where")] if "--state-dir" in request.param else []
    return [*(["--sandbox"] if "--sandbox" in request.param else []), *state]


def typed(machine: Machine, text: str, before: str) -> Result:
    (command,) = {tuple(one) for one in advised(text, before)}
    return machine.run(*command)


def stood(machine: Machine, flags: list[str]) -> list[str]:
    return [f"{run['command']} {run['state']}" for run in runs(machine, *flags)]


def stopped(machine: Machine, flags: list[str]) -> None:
    done = machine.imports(*flags, "--max-requests", "15", events=PEOPLE)
    assert done.code == 5, done.err
    assert typed(machine, done.out, "Go on where it stopped:").code == 0
    assert stood(machine, flags) == ["import done"]


def stopped_at_once(machine: Machine, flags: list[str]) -> None:
    done = machine.imports(*flags, "--max-requests", "1", events=PEOPLE)
    assert done.code == 5, done.err
    again = typed(machine, done.err, "go on with:")
    assert again.code == 0, again.err
    assert stood(machine, flags) == ["import done"]


def planned(machine: Machine, flags: list[str]) -> None:
    done = machine.run("dry-run", *flags, events=PEOPLE)
    applied = typed(machine, done.out, "Apply exactly this:")
    assert applied.code == 0, applied.err
    assert stood(machine, flags) == ["apply done", "dry-run applied"]


def reported(machine: Machine, flags: list[str]) -> None:
    done = machine.imports(*flags, events=BAD)
    assert done.code == 1, done.err
    report = typed(machine, done.out, "1 event needs you:")
    assert report.code == 0, report.err
    assert "missing_email" in report.out


def mended(machine: Machine, flags: list[str]) -> None:
    done = machine.imports(*flags, events=BAD)
    (command,) = advised(done.out, "Mend it, then:")
    path = machine.home / command[1]
    path.write_text(path.read_text().replace('"title":"CEO"', '"title":"CEO","email":"now@x.example"', 1))
    again = machine.run(*command)
    assert again.code == 0, again.err
    assert stood(machine, flags) == ["import done", "import done"]


ADVICE: list[Callable[[Machine, list[str]], None]] = [stopped, stopped_at_once, planned, reported, mended]


@pytest.mark.parametrize("advice", ADVICE, ids=lambda advice: advice.__name__)
def test_what_is_advised_finds_the_run(
    classic: Machine, flags: list[str], advice: Callable[[Machine, list[str]], None]
) -> None:
    advice(classic, flags)


def test_mended_events_are_mapped_by_the_settings_of_their_run(classic: Machine) -> None:
    """The file of settings is told too, where it was given."""
    bad = [PEOPLE[0], person("nobody", "2024-05-07", title="CEO", plan="Pro")]
    done = classic.imports(events=bad, config='[mapping.person]\nplan = "cf_plan"\n')
    (command,) = advised(done.out, "Mend it, then:")
    path = classic.home / command[1]
    path.write_text(path.read_text().replace('"title":"CEO"', '"title":"CEO","email":"now@x.example"', 1))
    assert classic.run(*command).code == 0
    assert classic.account.one("leads", "now@x.example")["cf_plan"] == "Pro"


def test_what_a_no_advises_finds_the_run(classic: Machine) -> None:
    classic.environment |= {"FSSEG_STATE_DIR": None, "XDG_STATE_HOME": None}
    flags = ["--state-dir", str(classic.home / "else where")]
    _, seen = answered(classic, "import", *flags, classic.write("events.jsonl", PEOPLE), answers="n")
    done = typed(classic, seen, "what would still push it:")
    assert done.code == 0, done.err
    assert stood(classic, flags) == ["apply done", "import applied"]


def test_a_run_that_was_stopped_can_be_resumed_from_another_folder(classic: Machine) -> None:
    """Its inputs, given by a path from where it began, are found all the same."""
    classic.write("events.jsonl", PEOPLE)
    classic.environment["FSSEG_STATE_DIR"] = "state"
    done = classic.spawn("import", "events.jsonl", "--max-requests", "1")
    assert done.code == 5
    (classic.home / "below").mkdir()
    classic.environment["FSSEG_STATE_DIR"] = str(classic.state)
    assert classic.run(*advised(done.err, "go on with:")[0]).code == 0
