"""What a plan was sealed with, so that nothing is pushed but what was planned."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.msgpack import Encoder
from xxhash import xxh3_64_intdigest, xxh3_128

from fsseg.state.database import StateError
from fsseg.state.ledger_format import signed
from fsseg.state.plan_key import plan_key
from fsseg.state.plan_store import Store, encode

SEAL = "seal"
"""Under this name the store keeps the digest of the plan."""

_ID = "iif(proof IS NULL, remote_id, NULL)"
_PLANNED = (
    "SELECT id, kind, entity, key, match_key, by_email, keys, parent, account, sources, desired, times, companies,"
    f" asks_contact, converts, links, dropped, existing, {_ID}, action, fields, siblings FROM record ORDER BY id",
    f"SELECT id, key, person, position, hash, time, email, payload, head, {_ID}, action FROM entry ORDER BY id",
)
"""All that decides what is sent; an id that is learnt only later has a `proof` of its own."""

_READ = (
    "SELECT id, key, match_key, by_email, keys, asks_contact, state FROM record LEFT JOIN folded ON person = id"
    " WHERE kind = 'person' ORDER BY id",
    "SELECT id, key, person, position, hash, time, email, payload FROM entry ORDER BY id",
)
"""All that was read of the events, which matching doesn't change."""

READ_SEAL = "read_seal"
"""Under this name the store keeps the digest of what was read, where the run stopped before it was a plan."""

SETTLED_SEAL = "settled_seal"
"""Under this name the store keeps the digest of how the rows stand while nothing is under way; none while it pushes."""

_SETTLED = (
    "SELECT id, status FROM record WHERE status != 'done' ORDER BY id",
    "SELECT id, status FROM entry WHERE status != 'done' ORDER BY id",
)

_encode = Encoder().encode

PAGE = 1_000
"""Rows that are read at a time."""

_NOTES = ("settings", "undoes", "delete_created")


def seal(store: Store) -> None:
    """Keep what the plan is now."""
    store.put(SEAL, _digest(store, _PLANNED))


def seal_read(store: Store) -> None:
    """Keep what was read, of a run that stops before it has planned."""
    if store.get("stage") in ("gathered", "matched") and store.get("undoes") is None:
        store.put(READ_SEAL, _digest(store, _READ))


def unseal(store: Store) -> None:
    """The plan is about to be changed."""
    store.put(SEAL, None)


def begin_renewal(store: Store) -> None:
    """The plan is about to be brought up to date; what ends the process meanwhile leaves it to be done again."""
    with store.transaction():
        store.put("stage", "renewing")
        unseal(store)


def seal_settled(store: Store) -> None:
    """Keep how the rows stand: those that aren't done can be sent again."""
    store.put(SETTLED_SEAL, _digest(store, _SETTLED))


def unseal_settled(store: Store) -> None:
    """Rows are about to be settled, or made ready to be sent again."""
    store.put(SETTLED_SEAL, None)


def check(store: Store, run: str) -> None:
    """Raise `StateError` if a finished plan, or an id that the run has learnt, isn't any more what fsseg wrote."""
    stage, read = store.get("stage"), store.get(READ_SEAL)
    if stage in ("planned", "pushed"):
        settled = store.get(SETTLED_SEAL)
        is_ours = store.get(SEAL) == _digest(store, _PLANNED) and _proven(store)
        is_ours = is_ours and settled in (None, _digest(store, _SETTLED))
    else:
        is_ours = stage not in ("gathered", "matched") or read is None or read == _digest(store, _READ)
    if not is_ours:
        raise edited(run)


def edited(run: str) -> StateError:
    """The refusal of what isn't as fsseg wrote it."""
    return StateError(
        f"the plan of {run} was changed since fsseg made it, so nothing of it is sent: import its files again"
    )


def proof(table: str, id: int, remote_id: int) -> int:
    """What goes along with the id that Freshsales gave to a row."""
    return signed(xxh3_64_intdigest(f"{table} {id} {remote_id}".encode()))


def _digest(store: Store, queries: Iterable[str]) -> str:
    digest = xxh3_128()
    key = plan_key(store)
    digest.update(encode([key.account, key.edition, *map(store.get, _NOTES)]).encode())
    for query in queries:
        rows = store.db.execute(query)
        while page := rows.fetchmany(PAGE):
            digest.update(_encode(page))
    return digest.hexdigest()


def _proven(store: Store) -> bool:
    return all(
        proof(table, id, remote_id) == known
        for table in ("record", "entry")
        for id, remote_id, known in store.db.execute(
            f"SELECT id, remote_id, proof FROM {table} WHERE proof IS NOT NULL"
        )
    )
