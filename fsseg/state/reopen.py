"""Making rows of a plan ready to be pushed, or looked for, again."""

from __future__ import annotations

from fsseg.state.plan_store import Store
from fsseg.state.seal import unseal, unseal_settled

WRITES = "action IN ('create', 'update', 'delete')"
FAILED = f"{WRITES} AND status IN ('failed', 'unknown')"
HELD_BACK = "action IN ('conflict', 'skipped') AND status = 'failed' AND code IN ('email_exists', 'unknown_outcome')"
"""What was not sent for a reason that may be gone by now."""
TABLES = ("record", "entry")

Ids = dict[str, list[int]]
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
            db.execute(f"UPDATE record SET status = 'planned' WHERE status = 'done' AND {statement}")
        for table in TABLES:
            db.execute(f"UPDATE {table} SET status = 'sent' WHERE {WRITES} AND status = 'unknown'")
            db.execute(
                f"UPDATE {table} SET status = 'planned', code = NULL, message = NULL, http_status = NULL WHERE {FAILED}"
            )
        store.put("stage", "planned")
        _plan_anew(store)
    return count


def _plan_anew(store: Store) -> None:
    """What was held back is planned as if nobody had looked at it yet."""
    if not any(store.count(table, HELD_BACK) for table in TABLES):
        return
    store.put("stage", "renewing")
    unseal(store)
    anew = "action = NULL, status = 'planned', code = NULL, message = NULL"
    store.db.execute(f"UPDATE record SET {anew}, matched = 0 WHERE {HELD_BACK}")
    store.db.execute(f"UPDATE entry SET {anew} WHERE {HELD_BACK}")


def _linked(reopened: str) -> tuple[str, str]:
    """Which records point at an account among those `reopened` that doesn't exist yet."""
    missing = f"a.remote_id IS NULL AND a.{reopened}"
    return (
        "entity = 'contact' AND action IN ('create', 'update') AND EXISTS (SELECT 1 FROM record a,"
        " json_each(record.companies) n"
        f" WHERE a.kind = 'account' AND a.match_key = n.value AND {missing})",
        "entity = 'deal' AND action IN ('create', 'update') AND EXISTS (SELECT 1 FROM record a"
        f" WHERE a.id = record.account AND {missing})",
    )


def reopen_unknown(store: Store) -> Ids:
    """Let what may have been made be looked for; the rows."""
    unknown = "action = 'create' AND status = 'unknown'"
    ids = {table: [id for (id,) in store.db.execute(f"SELECT id FROM {table} WHERE {unknown}")] for table in TABLES}
    with store.transaction() as db:
        unseal_settled(store)
        for table in TABLES:
            db.execute(f"UPDATE {table} SET status = 'sent' WHERE {unknown}")
    return ids


def close_absent(store: Store, ids: Ids) -> None:
    """Of these rows, those that were proven not to have arrived have failed: a retry sends them."""
    with store.transaction() as db:
        for table, rows in ids.items():
            db.executemany(
                f"UPDATE {table} SET status = 'failed', code = 'unavailable', message = 'it did not arrive'"
                " WHERE id = ? AND status = 'planned'",
                ((id,) for id in rows),
            )
