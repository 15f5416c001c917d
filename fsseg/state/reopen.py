"""Making rows of a plan ready to be pushed, or looked for, again."""

from __future__ import annotations

from fsseg.state.actions import IS_WRITE, TABLES, WRITES, Action, Code, Status, Table, is_any
from fsseg.state.decided_rows import AS_TOLD
from fsseg.state.plan_store import Store
from fsseg.state.run_meta import PlanStage
from fsseg.state.seal import unseal, unseal_settled

FAILED = f"{WRITES} AND {is_any('status', Status.FAILED, Status.UNKNOWN)}"
HELD_BACK = (
    f"{is_any('action', Action.CONFLICT, Action.SKIPPED)} AND status = '{Status.FAILED}'"
    f" AND {is_any('code', Code.EMAIL_EXISTS, Code.UNKNOWN_OUTCOME, Code.REFUSED)}"
)
"""What was not sent for a reason that may be gone by now."""

Ids = dict[Table, list[int]]
"""Ids of rows by table."""


def failed(store: Store) -> int:
    """How many rows of the plan failed, or may have."""
    return sum(store.count(table, f"({FAILED}) OR ({HELD_BACK})") for table in TABLES)


def reopen_failed(store: Store) -> int:
    """Plan again all that failed: what is unknown is looked for first. How many rows.

    Contacts and deals that were written without an account that failed are written again, to be linked to it.
    """
    with store.transaction() as db:
        count = failed(store)
        if not count:
            return 0
        unseal_settled(store)
        for statement in _linked(f"id IN (SELECT id FROM record WHERE kind = 'account' AND {FAILED})"):
            db.execute(f"UPDATE record SET status = '{Status.PLANNED}' WHERE status = '{Status.DONE}' AND {statement}")
        for table in TABLES:
            db.execute(f"UPDATE {table} SET status = '{Status.SENT}' WHERE {WRITES} AND status = '{Status.UNKNOWN}'")
            db.execute(
                f"UPDATE {table} SET status = '{Status.PLANNED}', code = NULL, message = NULL, http_status = NULL"
                f" WHERE {FAILED}"
            )
        store.meta.stage = PlanStage.PLANNED
        _plan_anew(store)
    return count


def _plan_anew(store: Store) -> None:
    """What was held back is planned as if nobody had looked at it yet."""
    if not store.has_any(HELD_BACK):
        return
    store.meta.stage = PlanStage.RENEWING
    unseal(store)
    anew = f"action = NULL, status = '{Status.PLANNED}', code = NULL, message = NULL"
    store.db.execute(f"UPDATE record SET {anew}, matched = 0, {AS_TOLD} WHERE {HELD_BACK}")
    store.db.execute(f"UPDATE entry SET {anew} WHERE {HELD_BACK}")


def _linked(reopened: str) -> tuple[str, str]:
    """Which records point at an account among those `reopened` that doesn't exist yet."""
    missing = f"a.remote_id IS NULL AND a.{reopened}"
    return (
        f"entity = 'contact' AND {IS_WRITE} AND EXISTS (SELECT 1 FROM record a, json_each(record.companies) n"
        f" WHERE a.kind = 'account' AND a.match_key = n.value AND {missing})",
        f"entity = 'deal' AND {IS_WRITE} AND EXISTS (SELECT 1 FROM record a WHERE a.id = record.account AND {missing})",
    )


def reopen_unknown(store: Store) -> Ids:
    """Let what may have been made be looked for; the rows."""
    unknown = f"action = '{Action.CREATE}' AND status = '{Status.UNKNOWN}'"
    ids = {table: [id for (id,) in store.db.execute(f"SELECT id FROM {table} WHERE {unknown}")] for table in TABLES}
    with store.transaction() as db:
        unseal_settled(store)
        for table in TABLES:
            db.execute(f"UPDATE {table} SET status = '{Status.SENT}' WHERE {unknown}")
    return ids


def close_absent(store: Store, ids: Ids) -> None:
    """Of these rows, those that are still to be sent, if only as updates, have failed until a retry sends them."""
    with store.transaction() as db:
        for table, rows in ids.items():
            db.executemany(
                f"UPDATE {table} SET status = '{Status.FAILED}', code = '{Code.UNAVAILABLE}',"
                " message = iif(remote_id IS NULL, 'it did not arrive', 'its answer did not arrive')"
                f" WHERE id = ? AND status = '{Status.PLANNED}'",
                ((id,) for id in rows),
            )
