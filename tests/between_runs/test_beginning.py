"""A run that ended before it had planned can be resumed, or was never there."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fsseg.sandbox import Fault
from tests.between_runs.runs import PEOPLE, advised, entries, person, runs, states, under_way
from tests.between_runs.terminal import CTRL_C, on_terminal
from tests.e2e.harness import Machine
from tests.faults.process import finish, when

BEGUN = str(Path(__file__).with_name("begun.py"))

EARLY = [0.0, 0.1, 0.2, 0.3, 0.5]
"""Seconds after its beginning at which somebody presses Ctrl-C: while it imports, opens, waits for an answer."""

STEPS = [9, 22, 24, 30, 48]
"""How many steps a process has done when it is killed; with the 24th the run is written down, with the 50th it plans."""


@pytest.fixture
def path(machine: Machine) -> str:
    return machine.write("events.jsonl", PEOPLE)


def folders(machine: Machine) -> list[Path]:
    """What there is of runs, finished ones or not."""
    return list(machine.state.glob("*/runs/*"))


def begun(machine: Machine, process: subprocess.Popen[bytes]) -> list[Path]:
    """Wait until the process has written a run down; the folders of all that there are."""
    while not (found := list(machine.state.glob("*/runs/*/run.json"))):
        assert process.poll() is None
        time.sleep(0.005)
    return [path.parent for path in found]


def is_whole(machine: Machine) -> None:
    """Everything was imported, once."""
    records = machine.account.records()
    people = sorted(row["email"] for kind in ("leads", "contacts") for row in records.get(kind, ()))
    assert people == ["ada@x.example", "bo@x.example", "cy@x.example"]
    assert [row["name"] for row in records["sales_accounts"]] == ["Acme"]
    assert len(entries(machine.account)) == 3


def comes_to_its_end(machine: Machine, path: str) -> None:
    """There is either no run at all, or one that can be listed, shown and resumed."""
    found = runs(machine)
    if not found:
        assert machine.run("resume").err.startswith("nothing to resume for ")
        assert machine.imports(path).code == 0
    else:
        (run,) = found
        assert run["state"] == "stopped"
        shown = machine.run("runs", "show", run["run_id"])
        assert advised(shown.out, "Go on where it stopped:") == [["resume", run["run_id"]]]
        done = machine.run("resume")
        assert done.code == 0, done.err
        assert states(machine) == ["import done"]
    is_whole(machine)


@pytest.mark.parametrize("budget", ["1", "2"])
def test_a_budget_that_is_spent_before_it_has_planned_leaves_a_run_to_resume(
    machine: Machine, path: str, budget: str
) -> None:
    done = machine.imports(path, "--max-requests", budget)
    assert done.code == 5
    (run,) = runs(machine)
    assert advised(done.err, "go on with:") == [["resume", run["run_id"]]]
    assert machine.account.requests == int(budget)
    again = machine.run("resume", "--max-requests", budget)
    assert again.code == 5
    assert advised(again.err, "go on with:") == [["resume", run["run_id"]]]
    comes_to_its_end(machine, path)


def test_budget_after_budget_it_comes_to_its_end_by_what_it_says_itself(classic: Machine) -> None:
    done = classic.imports(classic.write("events.jsonl", PEOPLE), "--max-requests", "3")
    while done.code == 5:
        before = classic.account.requests
        done = classic.run(*advised(done.err, "go on with:")[0], "--max-requests", "9")
        assert before < classic.account.requests <= before + 9
    assert done.code == 0, done.err
    is_whole(classic)


@pytest.mark.parametrize("budget", [1, 6])
def test_a_budget_that_never_gets_it_further_is_told_with_one_that_does(machine: Machine, budget: int) -> None:
    people = [person(f"p{number}@x.example", "2024-05-01", title="CEO") for number in range(12)]
    done = machine.imports(machine.write("events.jsonl", people), "--max-requests", str(budget))
    tried = [budget]
    while done.code == 5 and len(tried) < 12:
        told = re.search(r"never gets further: --max-requests (\d+) is enough", done.err)
        assert told is None or int(told[1]) > tried[-1]
        tried.append(int(told[1]) if told else tried[-1])
        done = machine.run(*advised(done.err, "go on with:")[0], "--max-requests", str(tried[-1]))
    assert done.code == 0, (tried, done.err)
    assert len(set(tried)) > 1


def test_a_budget_that_gets_it_further_each_time_is_not_called_too_small(machine: Machine) -> None:
    done = machine.imports(machine.write("events.jsonl", PEOPLE), "--max-requests", "15")
    assert done.code == 5
    assert "never gets further" not in done.err


def test_nobody_at_the_address_leaves_a_run_to_resume(classic: Machine) -> None:
    path = classic.write("events.jsonl", PEOPLE)
    server = classic.account.sandbox
    server.kill()  # type: ignore[attr-defined]
    try:
        done = classic.spawn("import", path, "--max-time", "1s")
        assert done.code == 5
        command = advised(done.err, "go on with:")[0]
        again = classic.spawn(*command, "--max-time", "1s")
        assert (again.code, advised(again.err, "go on with:")) == (5, [command])
    finally:
        server.start()  # type: ignore[attr-defined]
    assert classic.run(*command).code == 0
    is_whole(classic)


def test_a_dry_run_that_never_planned_can_be_resumed_and_applied(machine: Machine, path: str) -> None:
    stopped = machine.dry_runs(path, "--max-requests", "2")
    assert stopped.code == 5
    done = machine.run(*advised(stopped.err, "go on with:")[0])
    assert done.code == 0, done.err
    assert machine.account.writes == 0
    assert states(machine) == ["dry-run planned"]
    assert machine.run(*advised(done.out, "Apply exactly this:")[0]).code == 0
    is_whole(machine)


def test_killed_as_soon_as_it_is_written_down_it_can_be_resumed(machine: Machine, path: str) -> None:
    machine.account.faults(Fault("slow", seconds=0.3))
    with under_way(machine, "import", path) as process:
        begun(machine, process)
    machine.account.faults()
    assert len(runs(machine)) == 1
    comes_to_its_end(machine, path)


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_early_step_it_can_be_resumed_or_was_never_there(classic: Machine, step: int) -> None:
    path = classic.write("events.jsonl", PEOPLE)
    classic.environment["DIE_AT"] = str(step)
    with under_way(classic, "import", path, fast=True) as process:
        process.communicate()
    del classic.environment["DIE_AT"]
    assert process.returncode == -signal.SIGKILL
    comes_to_its_end(classic, path)


@pytest.mark.parametrize("seconds", EARLY)
def test_ctrl_c_at_any_early_moment_shows_no_traceback(classic: Machine, seconds: float) -> None:
    path = classic.write("events.jsonl", PEOPLE)
    classic.account.faults(Fault("slow", seconds=0.3))  # so that it can't have ended by itself
    with under_way(classic, "import", path, prefix=[sys.executable, BEGUN]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        done = finish(process)
    classic.account.faults()
    assert done.code == 130, done.err
    if runs(classic):
        assert advised(done.err, "go on with:") == [["resume", runs(classic)[0]["run_id"]]]
    else:
        assert done.err == "interrupted\n"
    comes_to_its_end(classic, path)


def test_ctrl_c_twice_on_a_terminal_before_it_has_planned_says_truly_how_to_go_on(classic: Machine) -> None:
    path = classic.write("events.jsonl", PEOPLE)
    classic.account.faults(Fault("slow", seconds=1.5))
    with on_terminal(classic, "import", path) as terminal:
        begun(classic, terminal.process)
        assert when(classic, terminal.process, 1)
        terminal.type(CTRL_C)
        terminal.type(CTRL_C)
        assert terminal.end() == 130
        (command,) = advised(terminal.seen, "go on with:")
    classic.account.faults()
    assert classic.run(*command).code == 0
    is_whole(classic)


def test_standard_input_that_was_cut_off_is_told_and_not_imported_in_part(classic: Machine) -> None:
    with under_way(classic, "import", "-", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(b'{"type":"identify","userId":"half@x.example","traits":{}}\n')
        process.stdin.flush()
        begun(classic, process)
    done = classic.run("resume")
    assert done.code == 2
    assert "import it again" in done.err
    assert classic.account.writes == 0


def test_one_that_is_turned_away_leaves_nothing_behind(classic: Machine) -> None:
    other = classic.write("other.jsonl", [person("di@x.example", "2024-05-01")])
    classic.account.faults(Fault("slow", seconds=0.3))
    with under_way(classic, "import", classic.write("events.jsonl", PEOPLE)) as first:
        assert when(classic, first, 1)
        first.send_signal(signal.SIGSTOP)
        (folder,) = folders(classic)
        for command in (["import", other], ["resume"]):
            done = classic.run(*command)
            assert done.code == 7, done.err
            assert folder.name in done.err
            assert folders(classic) == [folder]
        assert f"run {folder.name} has not come to its end: it is under way" in classic.run("retry").err
        first.send_signal(signal.SIGCONT)
        classic.account.faults()
        assert finish(first).code == 0
    is_whole(classic)
    assert classic.imports(other).outcomes == {"applied": 1}


def test_a_folder_without_a_run_in_it_is_no_run(classic: Machine) -> None:
    """As a process leaves it that was killed between making the folder and writing the run down."""
    path = classic.write("events.jsonl", PEOPLE)
    classic.imports(path)
    (done,) = folders(classic)
    (done.parent / "2026-01-01-000000-00").mkdir()
    assert [run["run_id"] for run in runs(classic)] == [done.name]
    for command in ("resume", "retry"):
        assert classic.run(command).err.startswith(f"nothing to {command} for ")


def test_an_input_that_is_gone_before_it_was_read_is_told_and_waited_for(machine: Machine, path: str) -> None:
    other = machine.write("other.jsonl", [person("other@x.example", "2024-05-01", title="CEO")])
    assert machine.imports(path, other, "--max-requests", "2").code == 5
    moved = Path(other).rename(machine.home / "moved.jsonl")
    done = machine.run("resume")
    assert done.code == 4
    assert f"{other} is gone" in done.err
    assert states(machine) == ["import stopped"]
    moved.rename(other)
    assert machine.run("resume").code == 0
    assert len(entries(machine.account)) == 3
    assert states(machine) == ["import done"]


def test_inputs_of_no_known_kind_are_told_when_a_run_goes_on_too(machine: Machine) -> None:
    path = machine.write("events.jsonl", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9)
    assert machine.imports(path, "--max-requests", "2").code == 5
    for _ in range(2):
        resumed = machine.run("resume")
        assert resumed.code == 4
        assert f"error: {path}: " in resumed.err and "nothing to read" in resumed.err
    assert states(machine) == ["import stopped"]
    machine.write("events.jsonl", PEOPLE)
    assert machine.run("resume").code == 0
    assert len(entries(machine.account)) == 3


def test_standard_input_is_kept_before_anything_can_stop_the_run(classic: Machine) -> None:
    events = Path(classic.write("events.jsonl", PEOPLE)).read_bytes()
    stopped = classic.spawn("import", "-", "--max-requests", "2", stdin=events)
    assert stopped.code == 5, stopped.err
    assert "import it again" not in stopped.err
    assert classic.run("resume").code == 0
    is_whole(classic)
