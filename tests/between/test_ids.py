"""How runs are named, in which order they stand, and which of them a command means."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from fsseg.state.run_folder import new_run
from tests.between.refusing import coded, mend, refusing
from tests.between.runs import begun, done, folder_of, info_of, newest, planned, rename, stopped
from tests.e2e.events import identify
from tests.e2e.harness import Machine
from tests.faults.process import run

ID = re.compile(r"(\d{4}-\d\d-\d\d-\d{6})-[0-9a-f]+")
COMMANDS = ["resume", "retry", "apply", "undo --yes", "report", "runs show"]


def imported(machine: Machine, *emails: str) -> str:
    """An import of these people; its id."""
    done(machine, "import", machine.write("e.jsonl", [identify(email, lastName="P") for email in emails]))
    return newest(machine)


def begin(machine: Machine, count: int) -> list[str]:
    """So many runs, one after the other, of an account that nobody asks anything; their ids."""
    host = machine.account.sandbox.origin.removeprefix("http://")
    account = machine.state / host.replace(":", "_")
    return [new_run(account, account=host, edition="classic", command="import").id for _ in range(count)]


def listed(machine: Machine) -> list[str]:
    """The ids as `runs list` shows them: the newest first."""
    return [row["run_id"] for row in orjson.loads(done(machine, "runs", "list", "--json").out)]


def beginning(id: str, ids: Iterable[str]) -> str:
    """The shortest text with which this id begins and no other of them does."""
    others = {*ids} - {id}
    return next(id[:end] for end in range(1, len(id) + 1) if not any(one.startswith(id[:end]) for one in others))


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/St_Johns"])
def test_an_id_is_the_utc_time_wherever_the_machine_stands(classic: Machine, zone: str) -> None:
    classic.environment["TZ"] = zone
    path, began = classic.write("e.jsonl", [identify("kim@x.example")]), datetime.now(UTC)
    told = run(classic, "dry-run", path, "--json").summary
    matched = ID.fullmatch(told["run_id"])
    assert matched
    at = datetime.strptime(matched[1], "%Y-%m-%d-%H%M%S").replace(tzinfo=UTC)
    assert began - timedelta(seconds=1) < at <= datetime.now(UTC)
    assert datetime.fromisoformat(told["started_at"]) == at


def test_runs_stand_in_the_order_in_which_they_began_whatever_their_ids_say(classic: Machine) -> None:
    """Such as ids by local time, in the hour when clocks go back."""
    first, second, third = (imported(classic, f"p{number}@x.example") for number in range(3))
    rename(classic, first, "2099-11-01-013000-ff")
    rename(classic, third, "2001-11-01-010000-00")
    assert listed(classic) == ["2001-11-01-010000-00", second, "2099-11-01-013000-ff"]
    assert "2001-11-01-010000-00" in done(classic, "report").out
    done(classic, "undo", "--yes", "--delete-created")
    assert info_of(classic, newest(classic)).of == "2001-11-01-010000-00"
    assert sorted(lead["email"] for lead in classic.account.records()["leads"]) == ["p0@x.example", "p1@x.example"]


def test_of_two_runs_that_were_stopped_the_one_that_began_later_is_resumed(classic: Machine) -> None:
    earlier = stopped(classic, [identify("a@x.example"), identify("b@x.example")], 1, "earlier.jsonl")
    later = stopped(classic, [identify("c@x.example"), identify("d@x.example")], 1, "later.jsonl")
    rename(classic, earlier, "2099-11-01-013000-ff")
    assert done(classic, "resume", "--json").summary["run_id"] == later
    assert done(classic, "resume", "--json").summary["run_id"] == "2099-11-01-013000-ff"


def test_runs_of_the_same_second_stand_in_the_order_in_which_they_began(classic: Machine) -> None:
    made = begin(classic, 9)
    assert listed(classic) == made[::-1]
    assert made[-1] in done(classic, "runs", "show", "latest").out


def ids(machine: Machine) -> list[str]:
    return [info.id for info in begun(machine)]


@pytest.mark.parametrize("named", ["a beginning", "latest"])
def test_a_run_is_named_by_a_unique_beginning_or_as_the_latest(classic: Machine, named: str) -> None:
    def name(id: str) -> str:
        return "latest" if named == "latest" else beginning(id, ids(classic))

    refusing(classic.account, "A")
    done(classic, "import", classic.write("e.jsonl", coded("failing", "A", "B")), code=1)
    failing = newest(classic)
    mend(classic.account, "A")
    assert done(classic, "retry", name(failing), "--json").summary["run_id"] == failing
    assert failing in done(classic, "report", name(failing)).out
    assert failing in done(classic, "runs", "show", name(failing)).out
    dry = planned(classic, coded("dry", "C"))
    assert f"applying {dry}" in done(classic, "apply", name(dry)).err
    applied = newest(classic)
    done(classic, "undo", name(applied), "--yes")
    assert info_of(classic, newest(classic)).of == applied
    half = stopped(classic, coded("half", "E", "F"), 1)
    assert done(classic, "resume", name(half), "--json").summary["run_id"] == half


@pytest.mark.parametrize("command", COMMANDS)
def test_a_beginning_of_several_runs_and_one_of_none_are_refused(classic: Machine, command: str) -> None:
    made = begin(classic, 2)
    word, *rest = command.split()
    ambiguous = done(classic, word, *rest, made[0][:4], code=2)
    assert all(id in ambiguous.err for id in made), ambiguous.err
    unknown = done(classic, word, *rest, "1999", code=2)
    assert "there is no run 1999" in unknown.err
    assert (ambiguous.out, unknown.out, classic.account.requests) == ("", "", 0)
    assert ids(classic) == made


def test_an_id_that_others_begin_with_is_itself(classic: Machine) -> None:
    short, long = imported(classic, "a@x.example"), imported(classic, "b@x.example")
    rename(classic, short, "2024-01-01-000000-a")
    rename(classic, long, "2024-01-01-000000-ab")
    told = done(classic, "report", "2024-01-01-000000-a", "--json").out
    assert orjson.loads(told)["inputs"][0]["path"]
    assert str(folder_of(classic, "2024-01-01-000000-a")) in done(classic, "runs", "show", "2024-01-01-000000-a").out
