"""What a plan was sealed with, so that nothing is pushed but what was planned."""

from __future__ import annotations

from xxhash import xxh3_64_intdigest, xxh3_128

from fsseg.plan.database import StateError
from fsseg.plan.key import plan_key
from fsseg.plan.ledger_format import signed
from fsseg.plan.store import Store, encode

SEAL = "seal"
"""Under this name the store keeps the digest of the plan."""

_ID = "iif(proof IS NULL, remote_id, NULL)"
_PLANNED = (
    "SELECT id, kind, entity, key, match_key, by_email, keys, parent, account, sources, desired, times, existing,"
    f" {_ID}, action, fields, siblings FROM record ORDER BY id",
    f"SELECT id, key, person, position, hash, time, email, payload, head, {_ID}, action FROM entry ORDER BY id",
)
"""All that decides what is sent; an id that is learnt only later has a `proof` of its own."""

_NOTES = ("settings", "undoes", "delete_created")


def seal(store: Store) -> None:
    """Keep what the plan is now."""
    store.put(SEAL, _digest(store))


def unseal(store: Store) -> None:
    """The plan is about to be changed."""
    store.put(SEAL, None)


def check(store: Store, run: str) -> None:
    """Raise `StateError` if a finished plan, or an id that the run has learnt, isn't any more what fsseg wrote."""
    if store.get("stage") not in ("planned", "pushed"):
        return
    if store.get(SEAL) != _digest(store) or not _proven(store):
        raise StateError(
            f"the plan of {run} was changed since fsseg made it, so nothing of it is sent: import its files again"
        )


def proof(table: str, id: int, remote_id: int) -> int:
    """What goes along with the id that Freshsales gave to a row."""
    return signed(xxh3_64_intdigest(f"{table} {id} {remote_id}".encode()))


def _digest(store: Store) -> str:
    digest = xxh3_128()
    key = plan_key(store)
    digest.update(encode([key.account, key.edition, *map(store.get, _NOTES)]).encode())
    for query in _PLANNED:
        for row in store.db.execute(query):
            digest.update(repr(row).encode())
    return digest.hexdigest()


def _proven(store: Store) -> bool:
    return all(
        proof(table, id, remote_id) == known
        for table in ("record", "entry")
        for id, remote_id, known in store.db.execute(
            f"SELECT id, remote_id, proof FROM {table} WHERE proof IS NOT NULL"
        )
    )
