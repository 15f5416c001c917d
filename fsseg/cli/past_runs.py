"""The runs of the state folder, as they are listed and deleted."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from fsseg.cli.connect import holder, locked, state_dir
from fsseg.cli.run_end import advised
from fsseg.cli.which_run import folders
from fsseg.settings import Settings
from fsseg.state.database import StateError
from fsseg.state.ledger import Ledger
from fsseg.state.run_folder import OPEN, NoSuchRun, Run, RunInfo, RunState
from fsseg.state.run_selection import LATEST, named, newest_first

DAMAGED = "damaged"


@dataclass(frozen=True)
class Past:
    """One run as it stands. `held`: its process holds the account's lock, so it is under way."""

    run: Run
    held: bool

    @cached_property
    def info(self) -> RunInfo | None:
        """What the run's `run.json` says; None where it can't be read."""
        try:
            return self.run.info
        except StateError:
            return None

    @property
    def account(self) -> str:
        """The host of the run's account; the name of its folder where the run can't say."""
        return self.info.account if self.info else self.run.account_folder.name

    @property
    def state(self) -> str:
        """A `RunState`, or `damaged`; a run whose process is gone is stopped."""
        if self.info is None:
            return DAMAGED
        under_way = self.info.state in (RunState.PLANNING, RunState.RUNNING)
        return RunState.STOPPED if under_way and not self.held else self.info.state

    @property
    def is_open(self) -> bool:
        """Whether it can be resumed."""
        return self.info is not None and self.info.state in OPEN

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The run's summary; empty where there is none that can be read."""
        found = self.run.summary()
        return found if found and isinstance(found.get("events"), dict) else {}

    @property
    def ended(self) -> float:
        """Epoch seconds of its last sign of life."""
        told = self.info and (self.info.finished_at or self.info.started_at)
        return datetime.fromisoformat(told).timestamp() if told else self.run.folder.stat().st_mtime

    @cached_property
    def size(self) -> int:
        """Bytes that it takes up."""
        return sum(file.stat().st_size for file in self.run.folder.rglob("*") if file.is_file())

    def row(self) -> dict[str, Any]:
        """The run as JSON values, for `--json`."""
        info = self.info
        told = {
            "run_id": self.run.id, "command": info and info.command,
            "account": self.account,
            "started_at": info and info.started_at, "state": str(self.state), "inputs": info.inputs if info else [],
            "seconds": info and round(info.seconds, 1), "exit_code": info and info.exit_code,
            "outcomes": info.outcomes if info else {}, "of": info and info.of, "by": info and info.by,
        }  # fmt: skip
        return {**told, "bytes": self.size, "folder": str(self.run.folder)}


def past_runs(settings: Settings) -> list[Past]:
    """The runs of the account that the settings mean, of every account where they mean none; newest first."""
    found = folders(settings)
    holders = {folder: holder(folder) for folder in found}
    return [Past(run, holders[run.account_folder] == run.id) for run in newest_first(found)]


def named_run(settings: Settings, id: str | None) -> Past:
    """The run of that id, whichever the account; `latest` of the named account; without an id one with a report.

    Raises `NoSuchRun`.
    """
    if id in (None, LATEST):
        found = next((past for past in past_runs(settings) if id or past.summary), None)
        if found is None:
            raise NoSuchRun(
                f"there is no finished run yet (looked for in {state_dir(settings)}):"
                " fsseg import or fsseg dry-run makes one"
            )
        return found
    run = named(state_dir(settings), id)
    return Past(run, holder(run.account_folder) == run.id)


def prunable(runs: Iterable[Past], older_than: float) -> list[Past]:
    """The runs whose last sign of life is more than `older_than` seconds ago."""
    limit = datetime.now(UTC).timestamp() - older_than
    return [past for past in runs if past.ended < limit]


def still_needed(runs: Iterable[Past], old: Iterable[Past], *, all: bool) -> dict[str, list[Past]]:
    """The old runs that are to be kept, by the reason why; with `all` being resumable is no reason."""
    kept: dict[str, list[Past]] = defaultdict(list)
    going = []
    for past in old:
        if past.is_open and not all:
            why = "is under way" if past.held else "can be resumed; --all deletes such runs, too"
            kept[f"that {why}"].append(past)
        else:
            going.append(past)
    ids = {past.run.id for past in going}
    users = {past.info.of: past.run for past in runs if past.info and past.is_open and past.run.id not in ids}
    accounts = {past.run.account_folder: past.account for past in going}
    doubted = {folder: _doubted(folder, account) for folder, account in accounts.items()}
    for past in going:
        run = past.run
        if user := users.get(run.id):
            kept[f"that run {user.id} goes back to: {advised('resume', user)}"].append(past)
        elif run.id in doubted[run.account_folder]:
            kept[f"that doesn't know whether all arrived: {advised('retry', run)} looks for it"].append(past)
    return kept


def _doubted(folder: Path, account: str) -> set[str]:
    """The runs that the account's ledger is in doubt of. Raises `Locked` while a run is under way."""
    if not (folder / "ledger.db").exists():
        return set()
    with locked(folder, "runs prune", account), closing(Ledger(folder / "ledger.db")) as ledger:
        return ledger.runs_in_doubt


def delete(past: Past) -> int:
    """Delete all that a run left behind; the bytes that it freed."""
    size = past.size
    shutil.rmtree(past.run.folder)
    return size
