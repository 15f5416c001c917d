"""What the latest run into the sandbox has changed, for the page that shows its records."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from fsseg.report.files import read_lines
from fsseg.sandbox.browse import NO_RUN, LastRun
from fsseg.state.actions import Action
from fsseg.state.run_folder import Run, RunInfo, readable_runs

MOST = 300_000
"""Records and entries that are kept in memory to be marked."""


def latest_run(folders: Callable[[], Iterable[Path]]) -> Callable[[], LastRun]:
    """Tells the latest run of these accounts, each time anew; it is read again only when there is another one."""
    known: dict[str, tuple[Any, LastRun]] = {}

    def tell() -> LastRun:
        found = [pair for folder in folders() for pair in readable_runs(folder) if _has_written(*pair)]
        if not found:
            return NO_RUN
        run, info = max(found, key=lambda pair: pair[1].finished_at or "")
        stamp = (run.folder, run.changes.stat().st_mtime_ns)
        if known.get("run", (None, NO_RUN))[0] != stamp:
            known["run"] = stamp, _read(run, info)
        return known["run"][1]

    return tell


def _has_written(run: Run, info: RunInfo) -> bool:
    return not info.dry and info.finished_at is not None and run.changes.exists()


def _read(run: Run, info: RunInfo) -> LastRun:
    changes: dict[int, dict[str, Any]] = {}
    for change in read_lines(run.changes):
        is_written = change["action"] in (Action.CREATE, Action.UPDATE) and "outcome" not in change
        if is_written and change.get("id") is not None:
            changes[change["id"]] = {"action": change["action"], "fields": change.get("fields")}
            if len(changes) >= MOST:
                break
    return LastRun(run.id, info.finished_at or "", changes)
