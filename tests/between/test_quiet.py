"""Under `--quiet` nobody hears of what went well, and everybody of what didn't."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.between.refusing import coded, mend, refusing
from tests.between.runs import done, newest, planned, stopped
from tests.e2e.harness import Machine
from tests.faults.process import Ended

LINES = 8
CODES = ("A", "B", "C")


def quiet(classic: Machine, *command: str, code: int) -> Ended:
    ended = done(classic, *command, "--quiet", code=code)
    assert ended.out == ""
    return ended


def to_import(classic: Machine) -> list[str]:
    return ["import", classic.write("e.jsonl", coded("p", *CODES))]


def to_apply(classic: Machine) -> list[str]:
    return ["apply", planned(classic, coded("p", *CODES))]


def to_resume(classic: Machine) -> list[str]:
    return ["resume", stopped(classic, coded("p", *reversed(CODES)), 1)]


def to_retry(classic: Machine) -> list[str]:
    done(classic, *to_import(classic), code=1)
    return ["retry", newest(classic)]


PUSHES = pytest.mark.parametrize("to_push", [to_import, to_apply, to_resume, to_retry])


@PUSHES
def test_whatever_ends_with_1_tells_how_many_why_and_what_shows_more(
    classic: Machine, to_push: Callable[[Machine], list[str]]
) -> None:
    refusing(classic.account, "A")
    command = to_push(classic)
    ended = quiet(classic, *command, code=1)
    lines = ended.err.strip().splitlines()
    assert 1 < len(lines) <= LINES, ended.err
    assert " failed of 3 events" in lines[0]
    assert "refused" in ended.err
    assert f"fsseg report {newest(classic)}" in ended.err
    assert f"fsseg retry {newest(classic)}" in ended.err


@PUSHES
def test_whatever_ends_well_is_silent(classic: Machine, to_push: Callable[[Machine], list[str]]) -> None:
    refusing(classic.account, "A")
    command = to_push(classic)
    mend(classic.account, "A")
    assert quiet(classic, *command, code=0).err == ""


def test_an_import_with_rejected_events_tells_why(classic: Machine) -> None:
    path = classic.write("e.jsonl", [{"type": "identify", "userId": str(n), "traits": {"a": 1}} for n in range(1, 9)])
    ended = quiet(classic, "import", path, code=1)
    assert "8 rejected of 8 events" in ended.err
    assert "8 missing_email" in ended.err
    assert len(ended.err.strip().splitlines()) <= LINES


def test_an_undo_tells_what_it_had_to_leave_and_is_silent_else(classic: Machine) -> None:
    refusing(classic.account)
    runs = []
    for title, code in (("first", "A"), ("second", "B")):
        done(classic, "import", classic.write(f"{title}.jsonl", coded(title, code)))
        runs.append(newest(classic))
    contact = classic.account.one("contacts", "first0@x.example")
    classic.account.change("contacts", contact["id"], job_title="Theirs")
    left = quiet(classic, "undo", runs[0], "--yes", "--delete-created", code=1)
    assert "1 record was not put back" in left.err
    assert f"fsseg report {newest(classic)}" in left.err
    assert quiet(classic, "undo", runs[1], "--yes", "--delete-created", code=0).err == ""
    assert classic.account.one("contacts", "first0@x.example")["job_title"] == "Theirs"


@pytest.mark.parametrize("command", ["resume", "retry", "undo --yes"])
def test_where_there_is_nothing_to_do_nothing_is_said(classic: Machine, command: str) -> None:
    assert quiet(classic, *command.split(), code=0).err == ""
