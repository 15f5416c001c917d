"""How a run stands now, which may be otherwise than when its summary was written."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from fsseg.report.advice import command
from fsseg.state.database import StateError
from fsseg.state.run_folder import APPLICABLE, OPEN, Run, RunState
from fsseg.state.run_selection import imported_since


class Standing(NamedTuple):
    """What is still to be done about a run."""

    state: str
    """A `RunState`, or another word where that can't be read."""
    undo: str = ""
    """Of an undo that was tried out, and not done since: the command that does it."""
    imported_by: str = ""
    """Of an import that stopped: the run that has imported all of its files since."""

    @property
    def can_be_resumed(self) -> bool:
        """Whether it stopped on its way, and no other run has done its work."""
        return self.state == RunState.STOPPED

    @property
    def can_be_retried(self) -> bool:
        """Whether what failed in it can still be pushed."""
        return self.state in (RunState.STOPPED, RunState.DONE)

    @property
    def can_be_applied(self) -> bool:
        """Whether nobody has pushed its plan."""
        return self.state in APPLICABLE


def standing(run: Run, state: str | None = None) -> Standing:
    """How a run stands whose process is gone: as `state` says, else run.json. Raises `StateError`."""
    if state is None:
        state = RunState.STOPPED if run.info.state in OPEN else run.info.state
    undo = _undo(run) if state == RunState.DONE else ""
    is_stopped = state == RunState.STOPPED
    return Standing(state, undo, (imported_since(run.account_folder, run.info) or "") if is_stopped else "")


def _undo(run: Run) -> str:
    info = run.info
    if not (info.command == "undo" and info.dry and info.of):
        return ""
    original = run.beside(info.of)
    with suppress(StateError):  # where one of the runs is gone, nothing is advised
        by = original.info.by if original.info.state is RunState.UNDONE else None
        if by is None or run.beside(by).info.started_at < info.started_at:
            with run.reading() as store:
                more = "--delete-created" if store.meta.delete_created else ""
            return command("undo", original.id, account=info.account, run_dir=original.folder, more=more)
    return ""
