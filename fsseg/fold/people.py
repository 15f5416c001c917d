"""The second half of folding: heaps become one record per person, with the timeline entries that belong to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, count, groupby, islice
from typing import Any

import orjson

from fsseg.fold.collect import Gatherer
from fsseg.fold.group import WHEN, Folded, by_key
from fsseg.fold.merge import PERSON, State, dump, merge, restore
from fsseg.fold.partitions import Row
from fsseg.mapping.timeline import entry_email
from fsseg.segment.email_key import email_key
from fsseg.state.ledger import Ledger
from fsseg.state.ledger_format import signed
from fsseg.state.plan_store import REFERENCE, Store, encode

COMPANY = "company:"
AT_ONCE = 16
"""Heaps in one transaction: each costs a wait for the disk."""


def settle(store: Store, gathered: Gatherer, folded: Folded, ledger: Ledger | None) -> None:
    """Make person records, one per e-mail, so that the input alone creates no duplicates, and tie the entries to them.

    Records come in the order of their e-mails, or, where they are too many for memory, in that order within each heap.
    What group events say of accounts is left in `fragment`, for `match.match`.
    """
    ids = count(1)
    stitching = store.count("anonymous") > 0
    heaps = iter(folded)
    while some := list(islice(heaps, 1)):
        with store.transaction() as db:
            for numbers, states in chain(some, islice(heaps, AT_ONCE - 1)):
                known = _settle_people(store, ledger, states, ids)
                _settle_entries(store, gathered.entries.blocks(numbers), known)
                if stitching:
                    db.executemany("INSERT INTO identity VALUES (?, ?)", known.items())
    store.index()
    with store.transaction() as db:
        if stitching:
            _stitch(store)
        _join_shared(store)
        _settle_loose(store, ledger)
        db.executemany("INSERT INTO reject (position, code, message) VALUES (?, ?, ?)", folded.refused)
    gathered.counts.reasons.update(("rejected", code) for _, code, _ in folded.refused)


def _settle_people(store: Store, ledger: Ledger | None, states: dict[str, State], ids: Iterator[int]) -> dict[str, int]:
    """Write a record for every key that has an e-mail; the key's record."""
    companies = [key for key in states if key.startswith(COMPANY)]
    store.db.executemany(
        "INSERT INTO fragment VALUES (?, ?)", ((key, orjson.dumps(dump(states.pop(key)))) for key in companies)
    )
    named = sorted((match_key, key) for key, state in states.items() if (match_key := _match_key(key, state, ledger)))
    known = {key: next(ids) for _, key in named}
    store.db.executemany(
        "INSERT INTO record (id, kind, key, match_key, by_email, keys, state, sources)"
        " VALUES (?, 'person', ?, ?, ?, ?, ?, ?)",
        ((known[key], *_columns(match_key, [key], states[key])) for match_key, key in named),
    )
    return known


def _columns(match_key: str, keys: list[str], state: State) -> tuple[Any, ...]:
    """Key, match_key, by_email, keys, state and sources of a person's record."""
    part = state.get(PERSON)
    email = (part.cell("email") if part else None) or match_key
    by_email = any(key.startswith("@") for key in keys)
    return email, match_key, by_email, encode(keys), orjson.dumps(dump(state)), encode(part.sources if part else [])


def _match_key(key: str, state: State, ledger: Ledger | None) -> str:
    """The e-mail that says who this is, folded, or nothing; one known only by a group event may be in the ledger."""
    if key.startswith("@"):
        return key[1:]
    email = state[PERSON].cell("email") if PERSON in state else None
    if email is None and ledger is not None and (known := ledger.known(key)):
        email = known.email
    return email_key(str(email)) if email else ""


def _settle_entries(store: Store, blocks: Iterable[list[Row]], known: dict[str, int]) -> None:
    """Write the entries of some heaps, each person's by time; of whom nothing is known here, `person` stays null.

    Key and e-mail matter only until it is known whose an entry is.
    """
    for found in by_key(blocks):
        owned = sorted((known[key], key) for key in found if key in known)
        store.db.executemany(
            "INSERT INTO entry (person, time, position, hash, payload) VALUES (?, ?, ?, ?, ?)",
            (
                (person, time, position, signed(event), payload)
                for person, key in owned
                for _, position, time, event, _, payload in sorted(found[key], key=WHEN)
            ),
        )
        store.db.executemany(
            "INSERT INTO entry (key, time, position, hash, email, payload) VALUES (?, ?, ?, ?, ?, ?)",
            (
                (key, time, position, signed(event), entry_email(traits, payload), payload)
                for key in sorted(found.keys() - known.keys())
                for _, position, time, event, traits, payload in sorted(found[key], key=WHEN)
            ),
        )


def _join_shared(store: Store) -> None:
    """Make one record of those with the same e-mail: the first, with everything that was said of any of them."""
    db = store.db
    shared = db.execute(
        "SELECT match_key FROM record WHERE kind = 'person' GROUP BY match_key HAVING count(*) > 1"
    ).fetchall()
    for (match_key,) in shared:
        rows = db.execute(
            "SELECT id, keys, state FROM record WHERE kind = 'person' AND match_key = ? ORDER BY id", (match_key,)
        ).fetchall()
        state: State = {}
        for _, _, plain in rows:
            state = merge(state, restore(orjson.loads(plain)))
        keys = sorted(key for _, some, _ in rows for key in orjson.loads(some))
        (first, _, _), *others = rows
        db.execute(
            "UPDATE record SET key = ?, match_key = ?, by_email = ?, keys = ?, state = ?, sources = ?,"
            " warnings = '[\"shared_email\"]' WHERE id = ?",
            (*_columns(match_key, keys, state), first),
        )
        for id, _, _ in others:
            db.execute("UPDATE entry SET person = ? WHERE person = ?", (first, id))
            db.execute("DELETE FROM record WHERE id = ?", (id,))


def _stitch(store: Store) -> None:
    """Give anonymous entries to the person whom the next identify call with the same anonymousId names."""
    store.db.execute(
        "UPDATE entry SET key = coalesce((SELECT a.key FROM anonymous a JOIN identity USING (key)"
        " WHERE a.id = substr(entry.key, 2) AND a.time >= entry.time ORDER BY a.time LIMIT 1), key)"
        " WHERE key >= '?' AND key < '@'"
    )
    store.db.execute(
        "UPDATE entry SET person = (SELECT record FROM identity WHERE identity.key = entry.key) WHERE person IS NULL"
    )


def _settle_loose(store: Store, ledger: Ledger | None) -> None:
    """Tie the other entries to somebody, by the order of the destination's rules.

    An identify of the same userId in an earlier run (the ledger), then the e-mail that came with the event. Who is only
    pointed at gets a record with the action `reference`. What is tied to nobody keeps `person` null.
    """
    loose = store.db.execute("SELECT id, key, email FROM entry WHERE person IS NULL ORDER BY key, email, id")
    for (key, email), group in groupby(loose, key=lambda row: row[1:]):
        person = _pointed_at(store, ledger, key, email)
        if person is not None:
            store.db.executemany("UPDATE entry SET person = ? WHERE id = ?", ((person, id) for id, _, _ in group))


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
    match_key = email_key(email) if email else key
    found = store.db.execute("SELECT id FROM record WHERE kind = 'person' AND match_key = ?", (match_key,)).fetchone()
    if found:
        if key.startswith("@"):
            store.db.execute("UPDATE record SET by_email = 1 WHERE id = ?", found)
        return int(found[0])
    row: tuple[Any, ...] = (email or key, match_key, bool(email) and known is None, encode([key]), REFERENCE)
    return store.db.execute(
        "INSERT INTO record (kind, key, match_key, by_email, keys, action) VALUES ('person', ?, ?, ?, ?, ?)", row
    ).lastrowid
