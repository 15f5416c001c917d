"""A damaged file of one run stands in no other run's way, and what the run delivered isn't forgotten."""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from fsseg.sandbox import Fault
from fsseg.state.run_folder import Run, RunState
from tests.between_runs.runs import PEOPLE, entries, imports, person, run_of, runs, under_way
from tests.between_runs.terminal import QUESTION, on_terminal
from tests.e2e.harness import Machine
from tests.faults.process import when
from tests.faults.test_state_folder import Spoil, cut_off, damaged_inside, overwritten

OTHER = [person("eve@x.example", "2024-05-01", title="CFO")]
SPOILT = pytest.mark.parametrize("spoil", [overwritten, damaged_inside, cut_off])
DAMAGED = pytest.mark.parametrize("text", ["", "{", '{"id": 1}'])


SLOW = 0.6


def folder_of(machine: Machine, run: str) -> Path:
    (folder,) = machine.state.glob(f"*/runs/{run}")
    return folder


def without_log(plan: Path) -> None:
    """What SQLite has not yet put in its place is gone."""
    for log in plan.parent.glob("plan.db-*"):
        log.unlink()


def killed(machine: Machine) -> Path:
    """The folder of an import that was killed while it pushed the timeline, all else being delivered."""
    machine.account.faults(Fault("slow", path="/sales_activities", method="POST", seconds=SLOW))
    with under_way(machine, "import", machine.write("killed.jsonl", PEOPLE)) as process:
        while when(machine, process, 1) and not machine.account.records()["sales_activities"]:
            pass
        process.kill()
        process.communicate()
    machine.account.faults()
    time.sleep(SLOW + 0.2)  # what was under way arrives, and not in the account of the next test
    (folder,) = machine.state.glob("*/runs/*")
    assert Run(folder).info.state is RunState.RUNNING
    return folder


@DAMAGED
def test_a_run_that_cannot_say_what_it_is_is_told_and_stops_no_other(classic: Machine, text: str) -> None:
    imports(classic, PEOPLE)
    (old,) = classic.state.glob("*/runs/*")
    (old / "run.json").write_text(text)
    dry = classic.run("dry-run", classic.write("other.jsonl", OTHER))
    applied = classic.run("apply", run_of(dry), "--yes")
    again = classic.imports(classic.write("again.jsonl", PEOPLE))
    undone = classic.run("undo", applied.folder.name if applied.folder else "", "--yes")
    for done in (dry, applied, again, undone):
        assert done.code == 0, done.err
        (line,) = [line for line in done.err.splitlines() if "damaged" in line]
        assert line.startswith(f"run {old.name} is damaged")
        assert "fsseg runs prune" in line
        assert str(old) in line
    assert again.outcomes == {"skipped": 6}
    assert (old / "run.json").read_text() == text


def test_what_it_had_delivered_when_it_was_killed_is_not_sent_again(classic: Machine) -> None:
    folder = killed(classic)
    (folder / "run.json").write_text("")
    done = classic.imports(classic.write("again.jsonl", PEOPLE))
    assert done.code == 0, done.err
    assert done.outcomes["skipped"] >= 2
    assert len(entries(classic.account)) == 3
    assert sum(len(classic.account.records()[kind]) for kind in ("leads", "contacts")) == 3


def test_the_ledger_is_told_once_of_what_it_delivered(classic: Machine) -> None:
    folder = killed(classic)
    (folder / "run.json").write_text("")
    path = classic.write("again.jsonl", PEOPLE)
    for _ in range(2):
        assert classic.imports(path).code == 0
    before = [path.read_bytes() for path in classic.state.glob("*/ledger.db")]
    assert classic.dry_runs(path).code == 0
    assert [path.read_bytes() for path in classic.state.glob("*/ledger.db")] == before


def test_a_damaged_dry_run_counts_nothing_as_delivered(classic: Machine) -> None:
    imports(classic, PEOPLE)
    for ledger in classic.state.glob("*/ledger.db*"):
        ledger.unlink()
    dry = run_of(classic.run("dry-run", classic.write("again.jsonl", PEOPLE)))
    (folder_of(classic, dry) / "run.json").write_text("")
    done = classic.imports(classic.write("other.jsonl", OTHER))
    again = classic.run("dry-run", classic.write("again.jsonl", PEOPLE))
    assert (done.code, again.code) == (0, 0)
    assert "skipped" not in again.outcomes


@pytest.mark.parametrize("spoil", [overwritten, damaged_inside, cut_off, without_log])
def test_a_plan_that_cannot_be_read_is_told_with_what_may_be_lost(classic: Machine, spoil: Spoil) -> None:
    folder = killed(classic)
    if spoil is not without_log:
        with closing(sqlite3.connect(folder / "plan.db")) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    without_log(folder / "plan.db")
    spoil(folder / "plan.db")
    for command in ("import", "dry-run"):
        done = classic.run(command, classic.write("other.jsonl", OTHER))
        assert done.code == 0, done.err
        (line,) = [line for line in done.err.splitlines() if "damaged" in line]
        assert line.startswith(f"run {folder.name} is damaged")
        assert "may not be known" in line
        assert str(folder) in line


@SPOILT
@pytest.mark.parametrize("state", [RunState.STOPPED, RunState.DONE])
def test_a_damaged_plan_of_an_older_run_stops_nothing(classic: Machine, spoil: Spoil, state: RunState) -> None:
    path = classic.write("events.jsonl", PEOPLE)
    old = run_of(classic.imports(path))
    Run(folder_of(classic, old)).note(state=state)
    spoil(folder_of(classic, old) / "plan.db")
    new = classic.imports(path, "--again")
    other = classic.imports(classic.write("other.jsonl", OTHER))
    dry = classic.run("dry-run", path)
    undone = classic.run("undo", run_of(other), "--yes", "--delete-created")
    for done in (new, other, dry, undone):
        assert done.code == 0, done.err
    assert classic.run("undo", "--yes").code == 0


@pytest.mark.parametrize("command", ["resume", "retry", "undo"])
def test_where_the_newest_cannot_be_read_the_way_out_is_told(classic: Machine, command: str) -> None:
    imports(classic, PEOPLE)
    newest = runs(classic)[0]["run_id"]
    (folder_of(classic, newest) / "run.json").write_text("")
    done = classic.run(command)
    assert done.code == 2
    assert "name another run (fsseg runs list shows them)" in done.err
    assert f"delete {folder_of(classic, newest)}" in done.err


@pytest.mark.parametrize("left", [None, "", "{"], ids=["gone", "empty", "cut off"])
def test_a_no_to_an_apply_whose_dry_run_is_gone_just_ends_it(classic: Machine, left: str | None) -> None:
    dry = run_of(classic.run("dry-run", classic.write("events.jsonl", PEOPLE)))
    with on_terminal(classic, "apply", dry) as terminal:
        terminal.until(QUESTION)
        if left is None:
            shutil.rmtree(folder_of(classic, dry))
        else:
            (folder_of(classic, dry) / "run.json").write_text(left)
        terminal.answer("n")
        assert terminal.end() == 0
    assert "nothing was written" in terminal.seen
    assert "damaged" not in terminal.seen
    assert "apply" not in terminal.seen.partition("nothing was written")[2]
    assert classic.account.writes == 0
    assert [run.name for run in classic.state.glob("*/runs/*")] == ([] if left is None else [dry])


def test_a_run_of_which_neither_file_can_be_read_is_told_with_what_may_be_lost(classic: Machine) -> None:
    folder = killed(classic)
    (folder / "run.json").write_text("")
    without_log(folder / "plan.db")
    overwritten(folder / "plan.db")
    done = classic.imports(classic.write("other.jsonl", OTHER))
    assert done.code == 0, done.err
    (line,) = [line for line in done.err.splitlines() if "damaged" in line]
    assert "may not be known" in line
    assert str(folder) in line


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("fate", ["damaged", "gone"])
def test_an_undo_goes_on_without_a_run_that_cannot_say_any_more_what_it_sent(classic: Machine, fate: str) -> None:
    """Of an entry it could not tell whether it was made."""
    folder = killed(classic)
    classic.account.faults(Fault("error", method="GET", path="/sales_activities"))
    assert classic.run("resume").code == 1
    classic.account.faults()
    other = run_of(classic.imports(events=OTHER))
    if fate == "gone":
        shutil.rmtree(folder)
    else:
        without_log(folder / "plan.db")
        overwritten(folder / "plan.db")
    done = classic.run("undo", other, "--yes", "--delete-created")
    assert done.code == 0, done.err
    told = f"run {folder.name} is damaged: what it may have sent can't be looked for"
    assert (told in done.err) == (fate == "damaged")
    assert not classic.account.people("leads", "eve@x.example")


def test_an_undo_that_was_killed_after_its_run_was_deleted_is_told_and_stops_nothing(classic: Machine) -> None:
    first = imports(classic, PEOPLE)[0]
    run = run_of(first)
    classic.account.faults(Fault("slow", method="DELETE", seconds=SLOW))
    with under_way(classic, "undo", run, "--yes", "--delete-created") as process:
        while when(classic, process, 1) and "DELETE" not in str(classic.account.sandbox.stats()["requests"]):
            pass
        process.kill()
        process.communicate()
    classic.account.faults()
    time.sleep(SLOW + 0.2)
    shutil.rmtree(folder_of(classic, run))
    done = classic.imports(classic.write("other.jsonl", OTHER))
    assert done.code == 0, done.err
    assert f"run {run}, which " in done.err
    assert "is gone: what it has put back isn't known" in done.err
    assert classic.account.people("leads", "eve@x.example")
