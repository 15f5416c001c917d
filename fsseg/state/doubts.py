"""What an earlier run sent without learning what came of it: it is not sent again until that is known."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from fsseg.state.actions import Action, Code, Status
from fsseg.state.ledger import Ledger
from fsseg.state.ledger_format import hashed, unsigned
from fsseg.state.plan_store import Store

ENTRY = f"status = '{Status.PLANNED}' AND (action IS NULL OR action = '{Action.CREATE}')"
PERSON = f"kind = 'person' AND by_email = 0 AND status = '{Status.PLANNED}' AND existing IS NULL"
"""Who may be made twice: who is made by e-mail is found by it."""


def doubted_runs(store: Store, ledger: Ledger, own: str) -> set[str]:
    """The other runs of which it matters to this plan what became of what they sent."""
    if not ledger.runs_in_doubt:
        return set()
    sent = {key for _, keys in (*_entries(store), *_people(store)) for key in keys}
    return set(ledger.doubts(sent).values()) - {own}


def fail_doubted(store: Store, ledger: Ledger, own: str, *, entries: bool = True) -> None:
    """Let fail what is in doubt all the same; `entries` on timelines too."""
    if not ledger.runs_in_doubt:
        return
    message = "sent by run {}, and whether it arrived can't be told"
    for table, action, rows in (
        ("entry", Action.SKIPPED, list(_entries(store)) if entries else []),
        ("record", Action.CONFLICT, list(_people(store))),
    ):
        doubts = ledger.doubts(key for _, keys in rows for key in keys)
        runs = ((next((doubts[key] for key in keys if key in doubts), own), id) for id, keys in rows)
        with store.transaction() as db:
            db.executemany(
                f"UPDATE {table} SET action = '{action}', status = '{Status.FAILED}', code = '{Code.UNKNOWN_OUTCOME}',"
                " message = ? WHERE id = ?",
                ((message.format(run), id) for run, id in runs if run != own),
            )


def _entries(store: Store) -> Iterator[tuple[int, list[int]]]:
    for id, hash in store.db.execute(f"SELECT id, hash FROM entry WHERE {ENTRY}"):
        yield id, [unsigned(hash)]


def _people(store: Store) -> Iterator[tuple[int, list[int]]]:
    for id, keys in store.db.execute(f"SELECT id, keys FROM record WHERE {PERSON}"):
        yield id, [unsigned(hashed(key)) for key in orjson.loads(keys)]
