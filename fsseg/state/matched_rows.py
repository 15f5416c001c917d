"""Which records are still to be looked for in Freshsales."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fsseg.state.plan_store import Record, Store

_UNMATCHED = "kind = 'person' AND NOT matched"


def count_unmatched_people(store: Store) -> int:
    """How many people are still to be looked for."""
    return store.count("record", _UNMATCHED)


def unmatched_people(store: Store, size: int) -> Iterator[list[Record]]:
    """The people who are still to be looked for, so many at a time."""
    return store.pages(_UNMATCHED, size=size)


def match_everybody(store: Store) -> None:
    """Nobody is known, so everybody is what the events ask for."""
    store.db.execute(f"UPDATE record SET matched = 1 WHERE {_UNMATCHED}")


def unmatched_accounts(store: Store) -> list[Record]:
    """The accounts that are still to be looked for."""
    return list(store.records("kind = 'account' AND action IS NULL AND existing IS NULL"))


def undecided_deals(store: Store) -> list[Record]:
    """The deals that are still to be decided on; those of one contact stand together."""
    return list(store.records("kind = 'deal' AND action IS NULL", order="parent, id"))


def remote_ids(store: Store, people: Iterable[int | None]) -> dict[int, int]:
    """The ids in Freshsales of these people, as far as they are known, by id."""
    return {id: person.remote_id for id, person in store.around(people).items() if person.remote_id is not None}
