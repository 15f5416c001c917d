"""What stands in the state folder between two commands."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from fsseg.state.run_folder import Run, RunInfo
from tests.e2e.harness import Machine
from tests.faults.process import Ended, here

Events = Sequence[dict[str, Any]]

BEGINNING = {"classic": 6, "suite": 5}
"""Requests that every process begins with, to read the fields."""


def begun(machine: Machine) -> list[RunInfo]:
    """All runs, in the order in which they began."""
    found = (Run(path.parent).info for path in machine.state.glob("*/runs/*/run.json"))
    return sorted(found, key=lambda info: info.started_at)


def newest(machine: Machine) -> str:
    """The id of the run that began last."""
    return begun(machine)[-1].id


def info_of(machine: Machine, run: str) -> RunInfo:
    return Run(folder_of(machine, run)).info


def folder_of(machine: Machine, run: str) -> Path:
    (found,) = machine.state.glob(f"*/runs/{run}")
    return found


def edit(machine: Machine, run: str, statement: str, *values: Any) -> None:
    """Change the plan of a run behind the back of fsseg, in one row at least."""
    with closing(sqlite3.connect(folder_of(machine, run) / "plan.db")) as db, db:
        assert db.execute(statement, values).rowcount > 0


def rows(machine: Machine, run: str, query: str) -> list[Any]:
    with closing(sqlite3.connect(folder_of(machine, run) / "plan.db")) as db:
        return db.execute(query).fetchall()


def done(machine: Machine, *args: str, code: int = 0) -> Ended:
    """The command in this process, which ends so."""
    ended = here(machine, *args)
    assert ended.code == code, (args, ended.code, ended.out, ended.err)
    return ended


def planned(machine: Machine, events: Events, name: str = "planned.jsonl") -> str:
    """A dry run of these events; its id."""
    done(machine, "dry-run", machine.write(name, events))
    return newest(machine)


def stopped(machine: Machine, events: Events, writes: int, name: str = "stopped.jsonl") -> str:
    """An import of these events that was stopped after so many writes; its id."""
    path = machine.write(name, events)
    before = machine.account.requests
    done(machine, "dry-run", path)
    budget = machine.account.requests - before + writes
    done(machine, "import", path, "--max-requests", str(budget), code=5)
    return newest(machine)


def contents(folder: Path) -> dict[str, bytes]:
    """All that stands in a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rename(machine: Machine, run: str, id: str) -> None:
    """Give a run another id, as if an fsseg with other ideas of time had made it."""
    folder = folder_of(machine, run)
    other = Run(folder.rename(folder.with_name(id)))
    other.note(id=id)
