"""Rows of a plan that are about suppressed people, and which ids and addresses its events tie together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import orjson

from fsseg.state.actions import Action, Code, Status, is_any
from fsseg.state.plan_store import Store

_SKIPPED = f"action = '{Action.SKIPPED}', status = '{Status.DONE}', code = '{Code.SUPPRESSED}', message = NULL"
_UNSENT = f"status = '{Status.PLANNED}' AND (action IS NULL OR {is_any('action', Action.CREATE, Action.UPDATE)})"


class PersonRow(NamedTuple):
    """A person of the plan: its keys, folded e-mail or key, and the addresses that Freshsales has of it."""

    id: int
    keys: list[str]
    match_key: str
    emails: list[str]


def person_rows(store: Store) -> Iterator[PersonRow]:
    """Everybody in the plan."""
    rows = store.db.execute(
        "SELECT id, keys, match_key, json_extract(existing, '$.emails') FROM record WHERE kind = 'person'"
    )
    for id, keys, match_key, emails in rows:
        yield PersonRow(id, orjson.loads(keys), match_key, orjson.loads(emails) if emails else [])


def loose_identities(store: Store) -> list[tuple[str, str | None]]:
    """Key and e-mail of the timeline entries that belong to nobody in the plan."""
    return store.db.execute("SELECT DISTINCT key, email FROM entry WHERE person IS NULL AND key IS NOT NULL").fetchall()


def ties_of(store: Store) -> list[tuple[str, str, int]]:
    """Two ids or addresses of one person, as events have them, and whether such an event was suppressed itself."""
    return store.db.execute("SELECT one, other, suppressed FROM tie").fetchall()


def emails_tied_to(store: Store, id: str) -> list[str]:
    """The addresses that events tell of a folded id which has had several."""
    rows = store.db.execute("SELECT other FROM tie WHERE one = ? AND other LIKE '%@%'", (id,))
    return [email for (email,) in rows]


def add_ties(store: Store, ties: Iterable[tuple[str, str, int]]) -> None:
    """Keep what `ties_of` gives; transactions are the caller's."""
    store.db.executemany(
        "INSERT INTO tie VALUES (?, ?, ?)"
        " ON CONFLICT (one, other) DO UPDATE SET suppressed = max(suppressed, excluded.suppressed)",
        ties,
    )


def suppress_people(store: Store, people: Iterable[int]) -> None:
    """Nothing of what is still open of these people is to be written, nor of their deals, companies and timelines."""
    reference = f"action = '{Action.REFERENCE}' AND existing IS NULL"
    for id in people:
        store.db.execute(
            f"UPDATE record SET {_SKIPPED}, matched = 1, fields = '{{}}' WHERE id = ? AND ({_UNSENT} OR {reference})",
            (id,),
        )
        store.db.execute(f"UPDATE record SET {_SKIPPED}, fields = '{{}}' WHERE parent = ? AND {_UNSENT}", (id,))
        store.db.execute(f"UPDATE entry SET {_SKIPPED} WHERE person = ? AND {_UNSENT}", (id,))
        store.db.execute("DELETE FROM fragment WHERE person = ?", (id,))


def suppress_loose(store: Store, identities: Iterable[tuple[str, str | None]]) -> None:
    """Nor is anything of these entries, which belong to nobody in the plan."""
    store.db.executemany(
        f"UPDATE entry SET {_SKIPPED} WHERE person IS NULL AND key = ? AND email IS ?"
        f" AND ({_UNSENT} OR code = '{Code.UNKNOWN_PERSON}')",
        identities,
    )
