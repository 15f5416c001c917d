"""Fold, second half: fragments become one record per person; timeline entries find the person they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import orjson

from fsseg.plan.fold import PERSON, State, dump, merge, restore
from fsseg.plan.ledger import Ledger
from fsseg.plan.store import Store, encode

COMPANY = "company:"
REFERENCE = "reference"
"""The action of a person who is only pointed at by timeline entries: looked up, never written."""


def settle_people(store: Store, ledger: Ledger | None) -> None:
    """Make person records from the fragments: one per e-mail, so that the input alone can't create duplicates.

    Fragments of accounts (group events) stay where they are, for `plan.shape`.
    """
    with store.transaction() as db:
        rows = db.execute("SELECT key, state FROM fragment WHERE key < 'company:' OR key >= 'company;' ORDER BY key")
        db.executemany("INSERT INTO folded VALUES (?, ?, ?)", _identities(rows, ledger))
        db.execute("DELETE FROM fragment WHERE key < 'company:' OR key >= 'company;'")
    with store.transaction() as db:
        rows = db.execute("SELECT match_key, key, state FROM folded ORDER BY match_key, key")
        for match_key, group in groupby(rows, key=lambda row: row[0]):
            _person(store, match_key, list(group))
        db.execute("DELETE FROM folded")


def _identities(rows: Iterable[tuple[str, bytes]], ledger: Ledger | None) -> Iterator[tuple[str, str, bytes]]:
    for key, group in groupby(rows, key=lambda row: row[0]):
        states = [plain for _, plain in group]
        state = restore(orjson.loads(states[0]))
        for plain in states[1:]:
            state = merge(state, restore(orjson.loads(plain)))
        match_key = _match_key(key, state, ledger)
        if match_key:
            yield match_key, key, orjson.dumps(dump(state))


def _match_key(key: str, state: State, ledger: Ledger | None) -> str | None:
    """The e-mail that says who this is, folded; a userId known only by a group event may be in the ledger."""
    if key.startswith("@"):
        return key[1:]
    email = state[PERSON].cells().get("email") if PERSON in state else None
    if email is None and ledger is not None and (known := ledger.known(key)):
        email = known.email
    return str(email).casefold() if email else None


def _person(store: Store, match_key: str, rows: list[tuple[str, str, bytes]]) -> None:
    state: State = {}
    keys = [key for _, key, _ in rows]
    for _, _, plain in rows:
        state = merge(state, restore(orjson.loads(plain)))
    cells = state[PERSON].cells() if PERSON in state else {}
    id = store.db.execute(
        "INSERT INTO record (kind, key, match_key, by_email, keys, state, sources, warnings)"
        " VALUES ('person', ?, ?, ?, ?, ?, ?, ?)",
        (
            cells.get("email") or match_key,
            match_key,
            any(key.startswith("@") for key in keys),
            encode(keys),
            orjson.dumps(dump(state)),
            encode(state[PERSON].sources if PERSON in state else []),
            encode(["shared_email"] if len(keys) > 1 else []),
        ),
    ).lastrowid
    store.db.executemany("INSERT OR REPLACE INTO identity VALUES (?, ?)", ((key, id) for key in keys))


def settle_entries(store: Store, ledger: Ledger | None) -> None:
    """Tie every timeline entry to a person record, by the order of the destination's rules.

    An identify of the same userId in this input, one of an earlier run (the ledger), then the e-mail that came with the
    event. Who is only pointed at gets a record with the action `reference`. What is tied to nobody keeps `person` null.
    """
    with store.transaction() as db:
        db.execute(
            "UPDATE entry SET key = coalesce((SELECT a.key FROM anonymous a WHERE a.id = substr(entry.key, 2)"
            " AND a.time >= entry.time ORDER BY a.time LIMIT 1), key) WHERE key >= '?' AND key < '@'"
        )
        db.execute("UPDATE entry SET person = (SELECT record FROM identity WHERE identity.key = entry.key)")
        loose = db.execute("SELECT DISTINCT key, email FROM entry WHERE person IS NULL ORDER BY key, email").fetchall()
        for key, email in loose:
            person = _pointed_at(store, ledger, key, email)
            if person is not None:
                db.execute(
                    "UPDATE entry SET person = ? WHERE person IS NULL AND key = ? AND email IS ?", (person, key, email)
                )


def _pointed_at(store: Store, ledger: Ledger | None, key: str, email: str | None) -> int | None:
    if key.startswith("?"):
        return None
    known = ledger.known(key) if ledger is not None else None
    if key.startswith("@"):
        email = key[1:]
    elif known is not None:
        email = known.email or email
    if not email and known is None:
        return None
    match_key = email.casefold() if email else key
    found = store.db.execute("SELECT id FROM record WHERE kind = 'person' AND match_key = ?", (match_key,)).fetchone()
    if found:
        if key.startswith("@"):
            store.db.execute("UPDATE record SET by_email = 1 WHERE id = ?", found)
        return int(found[0])
    row: tuple[Any, ...] = (email or key, match_key, bool(email) and known is None, encode([key]), REFERENCE)
    return store.db.execute(
        "INSERT INTO record (kind, key, match_key, by_email, keys, action) VALUES ('person', ?, ?, ?, ?, ?)", row
    ).lastrowid
