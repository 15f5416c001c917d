"""Which records are still to be looked for in Freshsales."""

from __future__ import annotations

from collections.abc import Iterator

from fsseg.state.plan_store import Record, Store

_UNMATCHED = "kind = 'person' AND NOT matched"
_UNMATCHED_ACCOUNTS = "kind = 'account' AND action IS NULL AND existing IS NULL"
_UNDECIDED_DEALS = "kind = 'deal' AND action IS NULL"


def count_unmatched_people(store: Store) -> int:
    """How many people are still to be looked for."""
    return store.count("record", _UNMATCHED)


def unmatched_people(store: Store, size: int) -> Iterator[list[Record]]:
    """The people who are still to be looked for, so many at a time."""
    return store.pages(_UNMATCHED, size=size)


def match_everybody(store: Store) -> None:
    """Nobody is known, so everybody is what the events ask for."""
    # Who is to be created is written once, when it is decided what with.
    store.db.execute(f"UPDATE record SET matched = 1 WHERE {_UNMATCHED} AND action IS NOT NULL")


def count_unmatched_accounts(store: Store) -> int:
    """How many accounts are still to be looked for."""
    return store.count("record", _UNMATCHED_ACCOUNTS)


def unmatched_accounts(store: Store) -> Iterator[Record]:
    """The accounts that are still to be looked for."""
    return store.records(_UNMATCHED_ACCOUNTS)


def undecided_deals(store: Store) -> Iterator[Record]:
    """The deals that are still to be decided on; those of one contact stand together."""
    return store.records(_UNDECIDED_DEALS, order="parent, id")


def contacts_of_undecided_deals(store: Store) -> dict[int, int]:
    """The ids in Freshsales of the contacts whose deals `undecided_deals` gives, as far as they are known, by id."""
    return store.remote_parents(_UNDECIDED_DEALS)
