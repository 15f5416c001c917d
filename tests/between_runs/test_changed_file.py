"""What failed is told from its file only while that is what was read; else it is named, and nothing false is told."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.between.refusing import coded, refusing
from tests.between_runs.runs import Event, did, person, run_of
from tests.e2e.harness import Machine, Result

BAD = {"type": "identify", "userId": "nobody", "messageId": "bad", "traits": {}, "timestamp": "2024-05-01T09:00:00Z"}
EVENTS: list[Event] = [
    *(person(f"p{n}@x.example", "2024-05-01", title="CEO") for n in range(20)),
    BAD,
    *coded("refused", "A"),
    did("refused0@x.example", "2024-05-02", "Signed Up"),
]


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(orjson.dumps(person("late@x.example", "2024-06-01", title="CFO")) + b"\n")


def moved_on(path: Path) -> None:
    """The lines are others now, though there are as many."""
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[5:], *lines[:5]]))


def grown_at_its_beginning(path: Path) -> None:
    path.write_bytes(orjson.dumps(person("first@x.example", "2024-06-01", title="CFO")) + b"\n" + path.read_bytes())


def touched(path: Path) -> None:
    os.utime(path, (1, 1))


CHANGED = pytest.mark.parametrize("change", [moved_on, grown_at_its_beginning, touched, Path.unlink])


def stopped(machine: Machine) -> tuple[Path, str]:
    """The file, and the run that has read it and stopped before it sent what will be refused."""
    refusing(machine.account, "A")
    path = Path(machine.write("cur.jsonl", EVENTS))
    done = machine.imports(str(path), "--max-requests", "17")
    assert (done.code, done.summary["requests"]["write"] > 0, len(done.failures)) == (5, True, 1)
    return path, run_of(done)


def resumed(machine: Machine, run: str) -> tuple[Result, dict[str, dict[str, Any]], dict[str, Any]]:
    """The resumption, the first line of failures.jsonl for each code, and the summary."""
    done = machine.run("resume", run)
    assert done.code == 1, done.err
    (folder,) = machine.state.glob(f"*/runs/{run}")
    lines = [orjson.loads(line) for line in (folder / "failures.jsonl").read_bytes().splitlines()]
    failures = {line["_fsseg"]["code"]: line for line in reversed(lines)}
    return done, failures, orjson.loads((folder / "summary.json").read_bytes())


@CHANGED
def test_what_cannot_be_read_again_is_named_and_not_given(classic: Machine, change: Callable[[Path], None]) -> None:
    path, run = stopped(classic)
    change(path)
    done, failures, summary = resumed(classic, run)
    refused = failures["refused"]
    assert set(refused) == {"_fsseg"}
    assert (refused["_fsseg"]["key"], refused["_fsseg"]["file"]) == ("refused0@x.example", str(path))
    assert (refused["_fsseg"]["line"], "has changed since" in refused["_fsseg"]["lost"]) == (None, True)
    assert "raw" not in refused["_fsseg"]
    kept = failures["missing_email"]
    assert {name: value for name, value in kept.items() if name != "_fsseg"} == BAD
    assert kept["_fsseg"]["line"] == 21
    (line,) = [line for line in done.err.splitlines() if str(path) in line]
    assert "changed since it was read, or is gone" in line
    assert "line 0" not in done.out
    assert summary["inputs"][0]["lost"] == 2
    report = classic.run("report", run)
    assert "line 0" not in report.out
    assert classic.run("report", run, "--format", "csv").code == 0


def test_several_files_that_have_changed_are_told_in_one_sentence(classic: Machine) -> None:
    refusing(classic.account, "A")
    paths = [classic.write(f"{number}.jsonl", coded(f"refused{number}", "A")) for number in range(2)]
    dry = run_of(classic.run("dry-run", *paths))
    for path in paths:
        touched(Path(path))
    done = classic.run("apply", dry, "--yes")
    assert f"{', '.join(paths)} changed since they were read, or are gone: what failed of them is named in" in done.err


@pytest.mark.parametrize("change", [grown, lambda path: None])
def test_what_was_added_at_the_end_of_a_file_changes_nothing(classic: Machine, change: Callable[[Path], None]) -> None:
    path, run = stopped(classic)
    change(path)
    done, failures, summary = resumed(classic, run)
    assert failures["refused"]["messageId"] == EVENTS[21]["messageId"]
    assert failures["refused"]["_fsseg"]["line"] == 22
    assert "changed since" not in done.err
    assert "lost" not in summary["inputs"][0]


@CHANGED
def test_nobody_is_sent_to_mend_what_is_not_there(classic: Machine, change: Callable[[Path], None]) -> None:
    refusing(classic.account, "A")
    path = Path(classic.write("cur.jsonl", coded("refused", "A")))
    dry = run_of(classic.run("dry-run", str(path)))
    change(path)
    done = classic.run("apply", dry, "--yes")
    assert done.code == 1, done.err
    assert done.outcomes == {"failed": 1}
    assert "Mend " not in done.out
    assert "fsseg retry" in done.out
    again = classic.imports(str(done.folder) + "/failures.jsonl")
    assert again.code == 1
    (failure,) = again.failures
    assert failure["_fsseg"]["message"] == "an earlier run could not give this line"
    assert failure["_fsseg"]["raw"] == "refused0@x.example"
