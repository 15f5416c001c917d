"""What goes on with a run is told once on a terminal, and one of anything is no plural."""

from __future__ import annotations

import re

import pytest

from tests.between_runs.runs import PEOPLE, run_of, runs
from tests.between_runs.terminal import answered
from tests.e2e.harness import Machine

PLURAL = re.compile(r"(?<![\d,./])1 (?:[a-z]+s|people|entries)\b(?! of)")


@pytest.mark.parametrize("budget", ["1", "15"])
@pytest.mark.parametrize("command", [["import", "--yes"], ["dry-run"]])
def test_a_stop_tells_once_how_to_go_on(classic: Machine, command: list[str], budget: str) -> None:
    path = classic.write("events.jsonl", PEOPLE)
    budget = "8" if (command, budget) == (["dry-run"], "15") else budget
    code, seen = answered(classic, *command, path, "--max-requests", budget)
    assert code == 5, seen
    assert seen.count(f"fsseg resume {runs(classic)[0]['run_id']}") == 1, seen


def test_a_no_tells_once_what_would_still_push_it(classic: Machine) -> None:
    _, seen = answered(classic, "import", classic.write("events.jsonl", PEOPLE), answers="n")
    (run,) = runs(classic)
    assert seen.count(f"fsseg apply {run['run_id']}") == 1, seen
    code, seen = answered(classic, "resume", run["run_id"])
    assert code == 0
    assert seen.count(f"fsseg apply {run['run_id']}") == 1, seen


def test_in_a_pipe_both_streams_tell_it_since_only_one_may_be_kept(classic: Machine) -> None:
    done = classic.spawn("import", "--max-requests", "15", events=PEOPLE)
    assert done.code == 5
    assert [text.count(f"fsseg resume {run_of(done)}") for text in (done.out, done.err)] == [1, 1]


def test_one_of_anything_is_no_plural(machine: Machine) -> None:
    path = machine.write("events.jsonl", PEOPLE[:1])
    for command in (
        ["dry-run"],
        ["import", "--max-requests", "1"],
        ["import"],
        ["inspect"],
        ["undo", "--yes"],
        ["check"],
    ):
        done = machine.spawn(*command, *([] if command[0] in ("undo", "check") else [path]))
        assert not PLURAL.findall(done.out + done.err), done.out + done.err
    spent = machine.spawn("import", "--max-requests", "1", "--again", path)
    assert "the one request allowed is spent" in spent.err
