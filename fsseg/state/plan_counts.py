"""How many rows of a plan are to be written, were, or failed."""

from __future__ import annotations

from typing import NamedTuple

from fsseg.freshsales.names import Entity
from fsseg.state.actions import IS_EMPTIED, WRITES, Action, Code, Status, is_any
from fsseg.state.plan_store import Store


class MatchedCounts(NamedTuple):
    """How many records of the account were matched, and how many of them would be updated, or lose a value."""

    matched: int
    updated: int
    cleared: int


def count_matched(store: Store) -> MatchedCounts:
    """The records that are in Freshsales, whatever the plan does with them short of leaving them alone."""
    row = store.db.execute(
        "SELECT count(*), coalesce(sum(action = ?1), 0), coalesce(sum(action = ?1 AND clears), 0)"
        " FROM (SELECT action, EXISTS (SELECT 1 FROM json_each(fields) f"
        f" WHERE {IS_EMPTIED})"
        f" AS clears FROM record WHERE existing IS NOT NULL AND {is_any('action', Action.UPDATE, Action.UNCHANGED)})",
        (Action.UPDATE,),
    ).fetchone()
    return MatchedCounts(*row)


def count_planned(store: Store) -> dict[tuple[Entity, Action], int]:
    """The records and timeline entries of which nothing was sent yet, by entity and action."""
    rows = store.db.execute(
        "SELECT entity, action, count(*) FROM record WHERE status = ?1 AND action IS NOT NULL"
        " GROUP BY 1, 2 UNION ALL SELECT 'timeline', action, count(*) FROM entry"
        " WHERE status = ?1 AND head IS NULL GROUP BY 1, 2",
        (Status.PLANNED,),
    )
    return {(entity, action): count for entity, action, count in rows}


class UpdateCounts(NamedTuple):
    """How many updates of an entity there are that go one by one, or have to be read anew, by what they carry."""

    custom: int
    """Those with custom fields, but for leads that become contacts."""
    read: int
    """Those with custom fields or tags, but for leads that become contacts."""
    converted: int
    """Leads that become contacts."""
    converted_with: int
    """What they carry of that, and accounts they are tied to, each once."""
    tied: int
    """Deals that are tied to a contact or an account."""
    relinked: int
    """Contacts that an undo takes accounts away from; each is read once more, unless it goes in bulk."""


NO_UPDATES = UpdateCounts(0, 0, 0, 0, 0, 0)


def count_updates(store: Store) -> dict[Entity, UpdateCounts]:
    """Of the updates of which nothing was sent yet."""
    rows = store.db.execute(
        "SELECT entity, sum(stays AND cf), sum(stays AND (cf OR tags)), sum(NOT stays),"
        " sum(NOT stays AND (cf OR tags)) + sum(NOT stays AND ties), sum(tied), sum(relinked)"
        " FROM (SELECT entity, converts IS NULL AS stays, links IS NOT NULL AS relinked,"
        " kind = 'deal' AND EXISTS (SELECT 1 FROM json_each(fields) f WHERE f.key IN ('contacts', 'sales_account'))"
        " AS tied,"
        " companies != '[]' AS ties, EXISTS (SELECT 1 FROM json_each(fields) f WHERE f.key GLOB 'cf_*') AS cf,"
        " EXISTS (SELECT 1 FROM json_each(fields) f WHERE f.key = 'tags') AS tags FROM record"
        " WHERE status = ? AND action = ?) GROUP BY 1",
        (Status.PLANNED, Action.UPDATE),
    )
    return {entity: UpdateCounts(*counts) for entity, *counts in rows}


def count_people(store: Store) -> int:
    """The people of the plan."""
    return store.count("record", "kind = 'person'")


def entities_of(store: Store) -> set[Entity]:
    """The entities of which the plan has records."""
    return {entity for (entity,) in store.db.execute("SELECT DISTINCT entity FROM record WHERE entity IS NOT NULL")}


def has_writes_to_come(store: Store) -> bool:
    """Whether anything of the plan that nothing was sent of yet changes something in Freshsales."""
    return store.has_any(f"{WRITES} AND status = '{Status.PLANNED}'")


def has_written(store: Store, *actions: Action) -> bool:
    """Whether any of these actions was done."""
    return store.has_any(f"{is_any('action', *actions)} AND status = '{Status.DONE}'")


def may_have_written(store: Store, *actions: Action) -> bool:
    """Whether any of these actions was done, or was sent and nobody knows what came of it."""
    in_doubt = f"claimed_at IS NOT NULL AND {is_any('status', Status.PLANNED, Status.SENT, Status.UNKNOWN)}"
    return store.has_any(f"{is_any('action', *actions)} AND (status = '{Status.DONE}' OR ({in_doubt}))")


def has_failed(store: Store) -> bool:
    """Whether any row failed, or may have."""
    return store.has_any(is_any("status", Status.FAILED, Status.UNKNOWN))


def has_stayed(store: Store) -> bool:
    """Whether an undo has left something as its run made it: a contact of a lead, or a field that doesn't store it."""
    is_warned = " OR ".join(f"warnings LIKE '%\"{code}%'" for code in (f'{Code.CONVERTED}"', f"{Code.NOT_STORED}: "))
    return bool(store.count("record", is_warned))
