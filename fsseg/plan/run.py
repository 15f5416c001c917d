"""The folder of one run, and finding runs again."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from fsseg.plan.store import Store


class NoSuchRun(Exception):
    """The run asked for isn't there, or no run fits (exit 2)."""


class Run:
    """`<state>/<host>/runs/<run-id>/`: the plan, the journal and the reports of one run (folder mode 0700)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name

    @property
    def plan(self) -> Path:
        return self.folder / "plan.db"

    @property
    def summary_path(self) -> Path:
        return self.folder / "summary.json"

    @property
    def changes(self) -> Path:
        return self.folder / "changes.jsonl"

    @property
    def failures(self) -> Path:
        return self.folder / "failures.jsonl"

    def open(self) -> Store:
        """The run's store. Raises `StateError`."""
        return Store(self.plan)

    def summary(self) -> dict[str, Any] | None:
        """The run's summary, None before it has one."""
        try:
            return dict(orjson.loads(self.summary_path.read_bytes()))
        except (OSError, orjson.JSONDecodeError):
            return None


def new_run(account: Path, now: datetime | None = None) -> Run:
    """Make the folder of a new run below the account's state folder."""
    runs = account / "runs"
    runs.mkdir(mode=0o700, parents=True, exist_ok=True)
    stamp = (now or datetime.now(UTC)).astimezone().strftime("%Y-%m-%d-%H%M%S")
    while True:
        folder = runs / f"{stamp}-{secrets.token_hex(1)}"
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return Run(folder)


def all_runs(account: Path) -> Iterator[Run]:
    """The account's runs, newest first."""
    runs = account / "runs"
    if runs.is_dir():
        for folder in sorted(runs.iterdir(), key=lambda path: (path.stat().st_ctime_ns, path.name), reverse=True):
            if (folder / "plan.db").exists():
                yield Run(folder)


def find_run(account: Path, id: str) -> Run:
    """The run of that id. Raises `NoSuchRun`."""
    for run in all_runs(account):
        if run.id == id:
            return run
    raise NoSuchRun(f"there is no run {id} of {account.name}: fsseg runs list shows them")
