"""The runs of the state folder: finding them, how each stands, deleting old ones."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from fsseg.cli.connect import account_of, folder_of, state_dir
from fsseg.plan.again import resumable, unapplied
from fsseg.plan.database import StateError
from fsseg.plan.run import NoSuchRun, Run, all_runs
from fsseg.settings import Settings


@dataclass(frozen=True)
class Past:
    """One run as it stands, from its summary, or, before it has one, from its store."""

    run: Run

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Empty where there is none that can be read."""
        found = self.run.summary()
        return found if found and isinstance(found.get("events"), dict) else {}

    @cached_property
    def state(self) -> str:
        """`done`, `resumable`, `to apply` (a dry run), `stopped` (refused), or `damaged`."""
        try:
            with closing(self.run.open()) as store:
                if resumable(store):
                    return "resumable"
                if unapplied(store) and self.outcomes.get("applied"):
                    return "to apply"
        except (StateError, sqlite3.DatabaseError):
            return "damaged"
        return "done" if self.exit_code in (0, 1, None) else "stopped"

    @cached_property
    def meta(self) -> dict[str, Any]:
        """What the store knows of a run without a summary."""
        try:
            with closing(self.run.open()) as store:
                return {name: store.get(name) for name in ("command", "started_at", "account")}
        except (StateError, sqlite3.DatabaseError):
            return {}

    @property
    def account(self) -> str:
        known = self.summary.get("account") or (self.meta.get("account") or {}).get("host")
        return str(known or self.run.folder.parent.parent.name)

    @property
    def command(self) -> str:
        return str(self.summary.get("command") or self.meta.get("command") or "?")

    @property
    def started_at(self) -> str | None:
        return self.summary.get("started_at") or self.meta.get("started_at")

    @property
    def exit_code(self) -> int | None:
        return self.summary.get("exit_code")

    @property
    def outcomes(self) -> dict[str, int]:
        """Events by outcome."""
        return dict(self.summary.get("events", {}).get("outcomes") or {})

    @property
    def ended(self) -> float:
        """Epoch seconds of its last sign of life."""
        try:
            return datetime.fromisoformat(self.summary["finished_at"]).timestamp()
        except (KeyError, TypeError, ValueError):
            return self.run.plan.stat().st_mtime

    @cached_property
    def size(self) -> int:
        """Bytes that it takes up."""
        return sum(file.stat().st_size for file in self.run.folder.rglob("*") if file.is_file())

    def row(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "run_id": self.run.id, "command": self.command, "account": self.account, "started_at": self.started_at,
            "state": self.state, "exit_code": self.exit_code, "outcomes": self.outcomes, "bytes": self.size,
            "folder": str(self.run.folder),
        }  # fmt: skip


def past_runs(settings: Settings) -> list[Past]:
    """The runs of the account that the settings mean, of every account where they mean none; newest first."""
    return _newest_first(_folders(settings))


def named_run(settings: Settings, id: str | None, fits: Callable[[Past], bool] = bool) -> Past:
    """The run of that id, of whichever account; without one the newest that fits. Raises `NoSuchRun`."""
    if id is None:
        found = next(filter(fits, past_runs(settings)), None)
        if found is None:
            raise NoSuchRun("there is no finished run yet: fsseg import or fsseg dry-run makes one")
        return found
    for past in [*past_runs(settings), *_newest_first(_all_folders(settings))]:
        if past.run.id == id:
            return past
    raise NoSuchRun(f"there is no run {id}: fsseg runs list shows them")


def prunable(runs: Iterable[Past], older_than: float, now: datetime | None = None) -> list[Past]:
    """Those whose last sign of life is more than `older_than` seconds ago."""
    limit = (now or datetime.now(UTC)).timestamp() - older_than
    return [past for past in runs if past.ended < limit]


def delete(past: Past) -> int:
    """Delete all that a run left behind; the bytes that it freed."""
    size = past.size
    shutil.rmtree(past.run.folder)
    return size


def _folders(settings: Settings) -> list[Path]:
    chosen = settings.freshsales
    if settings.sandbox or chosen.domain or chosen.base_url:
        return [folder_of(settings, account_of(settings).host)]
    return _all_folders(settings)


def _all_folders(settings: Settings) -> list[Path]:
    return [folder for folder in state_dir(settings).iterdir() if folder.is_dir()]


def _newest_first(folders: Iterable[Path]) -> list[Past]:
    runs = (run for folder in folders for run in all_runs(folder))
    return [Past(run) for run in sorted(runs, key=lambda run: run.id, reverse=True)]
