"""Which earlier run a command means."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from fsseg.state.database import StateError
from fsseg.state.run_folder import OPEN, STDIN, NoSuchRun, Run, RunInfo, RunState, all_runs, readable_runs

LATEST = "latest"
"""What may be given instead of a run's id: the newest of the account that fits."""

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
        except StateError as error:
            if number == 0:  # the one that is most likely meant
                error.add_note(f"name another run (fsseg runs list shows them), or delete {run.folder}")
                raise
    return None


def account_folders(state: Path) -> list[Path]:
    """The folders of all accounts that there ever was a run of, in that state folder."""
    return [folder for folder in state.iterdir() if folder.is_dir()]


def named(state: Path, id: str) -> Run:
    """The run of this id in that state folder, or the only one whose id begins so. Raises `NoSuchRun`."""
    runs = newest_first(account_folders(state))
    meant = [run for run in runs if run.id == id] or [run for run in runs if id and run.id.startswith(id)]
    if len(meant) == 1:
        return meant[0]
    if not meant:
        raise NoSuchRun(f"there is no run {id} (looked for in {state}): fsseg runs list shows them")
    several = ", ".join([*(run.id for run in meant[:5]), *(["…"] if len(meant) > 5 else [])])
    raise NoSuchRun(f"{len(meant)} runs begin with {id}: give more of the id ({several})")


def supersede(account: Path, later: RunInfo) -> None:
    """Note the earlier runs that `later` leaves nothing to do for, as it has taken all of their files.

    Those are dry runs to apply, and imports that stopped before they had sent anything. To be called under the lock.
    """
    for run, info in readable_runs(account):
        is_older = info.id not in (later.id, later.of) and info.started_at < later.started_at
        takes_all = STDIN not in info.inputs and {*info.inputs} <= {*later.inputs}
        if is_older and takes_all and (info.state is RunState.PLANNED or _has_sent_nothing(run, info, later)):
            run.note(state=RunState.SUPERSEDED, by=later.id)


def _has_sent_nothing(run: Run, info: RunInfo, later: RunInfo) -> bool:
    if not (info.command == later.command == "import" and info.state in OPEN):
        return False
    try:
        return not run.has_sent
    except StateError:
        return False


def imported_since(account: Path, stopped: RunInfo) -> str | None:
    """The latest import that has come to its end with all files of one that stopped, and left out no other events."""
    if stopped.command != "import" or stopped.state not in OPEN or STDIN in stopped.inputs:
        return None
    later = [
        info
        for _, info in readable_runs(account)
        if (info.command, info.state) == ("import", RunState.DONE)
        and info.started_at > stopped.started_at
        and {*stopped.inputs} <= {*info.inputs}
        and all(info.settings.get(name) == stopped.settings.get(name) for name in ("filter", "limit"))
    ]
    return max(later, key=lambda info: info.started_at).id if later else None


def open_undos(account: Path, inputs: Iterable[str]) -> list[Run]:
    """The undos that stopped on their way, of runs that have read one of these inputs. To be called under the lock."""
    runs = {run.id: (run, info) for run, info in readable_runs(account)}
    paths = {*inputs}
    undos = []
    for run, info in runs.values():
        if info.command == "undo" and not info.dry and info.state in OPEN and info.of in runs:
            _, undone = runs[info.of]
            undos += [run] if paths.intersection(undone.inputs) else []
    return undos


def supersede_undos(account: Path, later: RunInfo) -> None:
    """Note the undos that `later` has finished the work of. To be called under the lock."""
    for run, info in readable_runs(account):
        if info.id != later.id and (info.command, info.of) == ("undo", later.of) and info.state in OPEN:
            run.note(state=RunState.SUPERSEDED, by=later.id)
