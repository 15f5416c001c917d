"""What a plan was sealed with, so that nothing is pushed but what was planned."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.msgpack import Encoder
from xxhash import xxh3_64_intdigest, xxh3_128

from fsseg.state.actions import TABLES, Status, Table
from fsseg.state.database import StateError
from fsseg.state.ledger_format import signed
from fsseg.state.plan_store import Store, encode
from fsseg.state.run_meta import PlanStage

_ID = "iif(proof IS NULL, remote_id, NULL)"
_PLANNED = (
    "SELECT id, kind, entity, key, match_key, by_email, keys, parent, account, sources, desired,"
    " times || coalesce(told_times, ''), companies,"
    f" asks_contact, converts, links, dropped, existing, {_ID}, action, fields, siblings FROM record ORDER BY id",
    f"SELECT id, key, person, position, hash, time, email, payload, head, {_ID}, action FROM entry ORDER BY id",
)
"""All that decides what is sent; an id that is learnt only later has a `proof` of its own."""

_READ = (
    "SELECT id, kind, entity, key, match_key, by_email, keys, parent, asks_contact, desired, times, sources, companies,"
    " state FROM record LEFT JOIN folded ON person = id ORDER BY id",
    "SELECT key, person, state FROM fragment ORDER BY rowid",
    "SELECT id, key, person, position, hash, time, email, payload FROM entry ORDER BY id",
    "SELECT position, hash FROM repeat ORDER BY position",
)
"""All that was read of the events."""

_NOT_DONE = (
    f"SELECT id, status FROM record WHERE status != '{Status.DONE}' ORDER BY id",
    f"SELECT id, status FROM entry WHERE status != '{Status.DONE}' ORDER BY id",
)

_encode = Encoder().encode

PAGE = 1_000
"""Rows that are read at a time."""

_UNPLANNED = (PlanStage.FOLDED, PlanStage.MATCHED)


def seal(store: Store) -> None:
    """Keep what the plan is now."""
    store.meta.seal = _digest(store, _PLANNED)


def seal_read(store: Store) -> None:
    """Keep what was read, of a run that stops before it has planned."""
    if store.meta.stage in _UNPLANNED and store.meta.undoes is None:
        store.meta.read_seal = _digest(store, _READ)


def unseal_read(store: Store) -> None:
    """Planning goes on, which changes what was read."""
    if store.meta.read_seal is not None:
        store.meta.read_seal = None


def unseal(store: Store) -> None:
    """The plan is about to be changed."""
    store.meta.seal = None


def begin_renewal(store: Store) -> None:
    """The plan is about to be brought up to date; what ends the process meanwhile leaves it to be done again."""
    with store.transaction():
        store.meta.stage = PlanStage.RENEWING
        unseal(store)


def seal_settled(store: Store) -> None:
    """Keep how the rows stand: those that aren't done can be sent again."""
    store.meta.settled_seal = _digest(store, _NOT_DONE)


def unseal_settled(store: Store) -> None:
    """Rows are about to be settled, or made ready to be sent again."""
    store.meta.settled_seal = None


def check(store: Store, run: str) -> None:
    """Raise `StateError` if a finished plan, or an id that the run has learnt, isn't any more what fsseg wrote."""
    stage, read = store.meta.stage, store.meta.read_seal
    if stage in (PlanStage.PLANNED, PlanStage.PUSHED):
        settled = store.meta.settled_seal
        is_ours = store.meta.seal == _digest(store, _PLANNED) and _proven(store)
        is_ours = is_ours and settled in (None, _digest(store, _NOT_DONE))
    else:
        is_ours = stage not in _UNPLANNED or read is None or read == _digest(store, _READ)
    if not is_ours:
        raise edited(run)


def edited(run: str) -> StateError:
    """The refusal of what isn't as fsseg wrote it."""
    return StateError(
        f"the plan of {run} was changed since fsseg made it, so nothing of it is sent: import its files again"
    )


def proof(table: Table, id: int, remote_id: int) -> int:
    """What goes along with the id that Freshsales gave to a row."""
    return signed(xxh3_64_intdigest(f"{table} {id} {remote_id}".encode()))


def _digest(store: Store, queries: Iterable[str]) -> str:
    digest = xxh3_128()
    key, meta = store.meta.key, store.meta
    digest.update(encode([key.account, key.edition, meta.settings, meta.undoes, meta.delete_created]).encode())
    for query in queries:
        rows = store.db.execute(query)
        while page := rows.fetchmany(PAGE):
            digest.update(_encode(page))
    return digest.hexdigest()


def _proven(store: Store) -> bool:
    return all(
        proof(table, id, remote_id) == known
        for table in TABLES
        for id, remote_id, known in store.db.execute(
            f"SELECT id, remote_id, proof FROM {table} WHERE proof IS NOT NULL"
        )
    )
