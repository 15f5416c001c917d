"""Which earlier run a command means, and making it ready to go on."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from fsseg.plan.database import StateError, as_state_error
from fsseg.plan.run import NoSuchRun, Run, all_runs
from fsseg.plan.store import Store

Fits = Callable[[Store], bool]

WRITES = "action IN ('create', 'update', 'delete')"
OPEN = f"{WRITES} AND status IN ('planned', 'sent')"
HEALS = "'unavailable', 'rate_limited', 'unknown_outcome'"
"""Codes of failures that time may heal."""
RETRYABLE = f"{WRITES} AND (status = 'unknown' OR status = 'failed' AND code IN ({HEALS}))"
FAILED = f"{WRITES} AND status IN ('failed', 'unknown')"


def resumable(store: Store) -> bool:
    """A run that hasn't come to its end: a dry run its plan, any other its push; and then its report and the ledger."""
    end = "planned" if is_dry(store) else "pushed"
    return store.get("command") is not None and not (store.get("stage") == store.get("accounted") == end)


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

    Raises `NoSuchRun` for an unknown id, and `StateError` if the one asked for, or the newest, can't be opened.
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
        except (StateError, sqlite3.DatabaseError) as error:
            if run is runs[0]:  # the one that is most likely meant
                raise as_state_error(error, run.plan) from None
    return None


def reopen_failed(store: Store, *, refused: bool) -> int:
    """Plan again what failed and may succeed now: what is unknown is looked for first. How many rows.

    Contacts and deals that were written without an account that failed are written again, to be linked to it.
    """
    which = FAILED if refused else RETRYABLE
    with store.transaction() as db:
        count = sum(store.count(table, which) for table in ("record", "entry"))
        if not count:
            return 0
        for statement in _linked(f"id IN (SELECT id FROM record WHERE kind = 'account' AND {which})"):
            db.execute(f"UPDATE record SET status = 'planned' WHERE status = 'done' AND {statement}")
        for table in ("record", "entry"):
            db.execute(f"UPDATE {table} SET status = 'sent' WHERE {WRITES} AND status = 'unknown'")
            db.execute(
                f"UPDATE {table} SET status = 'planned', code = NULL, message = NULL, http_status = NULL WHERE {which}"
            )
        store.put("stage", "planned")
        store.put("accounted", None)
    return count


def _linked(reopened: str) -> tuple[str, str]:
    """Which records point at an account among those `reopened` that doesn't exist yet."""
    missing = f"a.remote_id IS NULL AND a.{reopened}"
    return (
        "entity = 'contact' AND action IN ('create', 'update') AND EXISTS (SELECT 1 FROM record a,"
        " json_each(record.desired, '$.\"$accounts\"') n"
        f" WHERE a.kind = 'account' AND a.match_key = n.value AND {missing})",
        "entity = 'deal' AND action IN ('create', 'update') AND EXISTS (SELECT 1 FROM record a"
        f" WHERE a.id = record.account AND {missing})",
    )
