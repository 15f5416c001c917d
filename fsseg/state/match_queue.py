"""Which records are still to be looked for in Freshsales."""

from __future__ import annotations

from collections.abc import Iterator

from fsseg.state.actions import TABLES, Status
from fsseg.state.plan_store import Record, Store
from fsseg.state.run_meta import PlanStage

_UNMATCHED = "kind = 'person' AND NOT matched"
_UNMATCHED_ACCOUNTS = "kind = 'account' AND action IS NULL AND existing IS NULL"
_UNDECIDED_DEALS = "kind = 'deal' AND action IS NULL"

TO_MATCH = 2
"""Requests that it takes at most to find a record and read it whole."""


def most_requests(store: Store) -> int:
    """Requests that it takes at most to find out what is still not known of the account."""
    records = store.count("record", "NOT matched AND action IS NULL")
    people = store.count("record", "id IN (SELECT person FROM entry WHERE action IS NULL)")
    return TO_MATCH * records + people + 20


def how_far(store: Store) -> tuple[bool, int, int]:
    """Whether all is matched, how many people are, and of how many rows something was sent."""
    sent = sum(store.count(table, f"status != '{Status.PLANNED}'") for table in TABLES)
    return store.meta.stage in (PlanStage.NEW, PlanStage.FOLDED), store.count("record", "matched"), sent


def count_unmatched_people(store: Store) -> int:
    """How many people are still to be looked for."""
    return store.count("record", _UNMATCHED)


def unmatched_people(store: Store, size: int) -> Iterator[list[Record]]:
    """The people who are still to be looked for, so many at a time."""
    return store.pages(_UNMATCHED, size=size)


def people_of_one_record(store: Store) -> Iterator[list[Record]]:
    """The people who were found to be the same record, which aren't decided on yet; those of each together."""
    shared = store.db.execute(
        "SELECT json_group_array(id) FROM record WHERE kind = 'person' AND matched AND action IS NULL"
        " AND coalesce(remote_id, converts) IS NOT NULL"
        " GROUP BY iif(converts IS NULL, entity, 'lead'), coalesce(remote_id, converts) HAVING count(*) > 1"
    ).fetchall()
    for (ids,) in shared:
        yield [*store.records("id IN (SELECT value FROM json_each(?))", (ids,))]


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
