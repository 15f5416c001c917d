"""Which earlier run a command means."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from fsseg.plan.database import StateError
from fsseg.plan.run import STDIN, NoSuchRun, Run, RunInfo, RunState, all_runs

LATEST = "latest"

Fits = Callable[[Run], bool]


def newest_first(folders: Iterable[Path]) -> list[Run]:
    """All runs of these accounts' folders; damaged ones, whose time isn't known, come by their ids."""
    return sorted((run for folder in folders for run in all_runs(folder)), key=_began, reverse=True)


def _began(run: Run) -> tuple[str, str]:
    try:
        began = run.info.started_at
    except StateError:
        began = f"{run.id[:10]}T{run.id[11:13]}:{run.id[13:15]}:{run.id[15:17]}"
    return began, run.id


def latest(folders: Iterable[Path], fits: Fits) -> Run | None:
    """The newest run that fits, None if none does. Raises `StateError` if the newest of all can't be read."""
    for number, run in enumerate(newest_first(folders)):
        try:
            if fits(run):
                return run
        except StateError:
            if number == 0:  # the one that is most likely meant
                raise
    return None


def named(folders: Iterable[Path], id: str) -> Run:
    """The run of this id, or the only one whose id begins so, or the newest of all for `latest`. Raises `NoSuchRun`."""
    runs = newest_first(folders)
    if id == LATEST and runs:
        return runs[0]
    found = [run for run in runs if run.id == id] or [run for run in runs if id and run.id.startswith(id)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise NoSuchRun(f"there is no run {id}: fsseg runs list shows them")
    several = ", ".join(run.id for run in found[:5])
    raise NoSuchRun(f"{len(found)} runs begin with {id}: give more of the id ({several})")


def supersede(account: Path, later: RunInfo) -> None:
    """Earlier dry runs all of whose files `later` has taken are not what is to be applied any more."""
    for run in all_runs(account):
        info = run.info
        is_older = info.id not in (later.id, later.of) and info.started_at < later.started_at
        if (
            info.state is RunState.PLANNED
            and is_older
            and STDIN not in info.inputs
            and {*info.inputs} <= {*later.inputs}
        ):
            run.note(state=RunState.SUPERSEDED, by=later.id)
