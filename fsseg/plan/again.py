"""Which earlier run a command means, and making it ready to go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from fsseg.plan.database import StateError
from fsseg.plan.run import NoSuchRun, Run, all_runs
from fsseg.plan.store import Store

Fits = Callable[[Store], bool]

WRITES = "action IN ('create', 'update', 'delete')"
OPEN = f"{WRITES} AND status IN ('planned', 'sent')"
RETRYABLE = f"{WRITES} AND (status = 'unknown' OR status = 'failed' AND code IN ('unavailable', 'rate_limited', 'unknown_outcome'))"
FAILED = f"{WRITES} AND status = 'failed'"


def resumable(store: Store) -> bool:
    """A run that was to write and hasn't come to its end, or a dry run that stopped before its plan was whole."""
    stage = store.get("stage", "new")
    return store.get("command") is not None and stage != "pushed" and not (is_dry(store) and stage == "planned")


def retryable(store: Store) -> bool:
    """A run that wrote, and in which something failed that may succeed now."""
    return not is_dry(store) and any(store.count(table, RETRYABLE) for table in ("record", "entry"))


def applicable(store: Store) -> bool:
    """A dry run whose plan is whole."""
    return is_dry(store) and store.get("command") == "dry-run" and store.get("stage") == "planned"


def unapplied(store: Store) -> bool:
    """An applicable run that hasn't been applied, and was compared with what Freshsales holds."""
    return applicable(store) and not store.get("applied_by") and not store.get("offline")


def undoable(store: Store) -> bool:
    """A run that has written something, an undo apart."""
    return store.get("command") in ("import", "apply") and store.count("record", f"{WRITES} AND status = 'done'") > 0


def is_dry(store: Store) -> bool:
    """Whether the run never was to write."""
    return bool(store.get("dry", False))


def failed(store: Store) -> bool:
    """A run that wrote, and in which something failed."""
    return not is_dry(store) and any(store.count(table, FAILED) for table in ("record", "entry"))


def latest(folders: Iterable[Path], fits: Fits, id: str | None) -> Run | None:
    """The newest run that `fits`, among these accounts' folders, and of that `id` if one is given; None if none does.

    Raises `NoSuchRun` for an unknown id, and `StateError` if the one asked for can't be opened.
    """
    runs = sorted((run for folder in folders for run in all_runs(folder)), key=lambda run: run.id, reverse=True)
    if id is not None:
        runs = [run for run in runs if run.id == id]
        if not runs:
            raise NoSuchRun(f"there is no run {id}: fsseg runs list shows them")
    for run in runs:
        try:
            with closing(run.open()) as store:
                if fits(store):
                    return run
        except StateError:
            if id is not None:
                raise
    return None


def reopen_failed(store: Store, *, refused: bool) -> int:
    """Plan again what failed and may succeed now: what is unknown is looked for first. How many rows."""
    which = FAILED if refused else RETRYABLE
    count = 0
    with store.transaction() as db:
        for table in ("record", "entry"):
            db.execute(f"UPDATE {table} SET status = 'sent' WHERE {WRITES} AND status = 'unknown'")
            count += db.execute("SELECT changes()").fetchone()[0]
            db.execute(
                f"UPDATE {table} SET status = 'planned', code = NULL, message = NULL, http_status = NULL WHERE {which}"
            )
            count += db.execute("SELECT changes()").fetchone()[0]
        if count:
            store.put("stage", "planned")
    return count
