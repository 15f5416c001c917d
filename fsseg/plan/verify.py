"""Before a reviewed plan is applied: what has drifted in Freshsales since it was made is left alone, as a conflict."""

from __future__ import annotations

from fsseg.freshsales.names import Entity
from fsseg.mapping.names import fold_name
from fsseg.match.deal_finder import DealFinder
from fsseg.match.finders import OnlineFinder, fetch
from fsseg.match.matching import Matching
from fsseg.match.records import found_deals
from fsseg.match.remote_record import Existing, updated
from fsseg.match.strategy import choose
from fsseg.plan.diff import field_of, same
from fsseg.state.plan_store import Record
from fsseg.state.renewal import (
    contacts_of_deals_to_check,
    count_conflicts,
    count_deals_to_compare,
    count_records_to_check,
    leave_alone,
    leave_entries_of_conflicts_alone,
    records_to_check,
)
from fsseg.state.seal import seal


def verify_unchanged(work: Matching) -> int:
    """Read again every record that the plan would create or update; how many are conflicts since.

    A record to create that has appeared, and one to update that is gone or was changed, are conflicts. What hangs on a
    person that appeared (deals, timeline) goes with it. Raises the client's errors; nothing is half done then.
    """
    people: tuple[Entity, ...] = ("lead", "contact") if work.catalog.edition == "classic" else ("contact",)
    conflicts = [
        id
        for kind, entities in (("account", ("account",)), ("person", people))
        for id in _drifted(work, kind, entities)
    ]
    conflicts += _drifted_deals(work, set(conflicts))
    drifted = len(conflicts) + count_conflicts(work.store)
    with work.store.transaction():
        leave_alone(work.store, conflicts)
        leave_entries_of_conflicts_alone(work.store)
        work.store.meta.drifted = drifted
        seal(work.store)
    return drifted


def _drifted(work: Matching, kind: str, entities: tuple[Entity, ...]) -> list[int]:
    assert work.reader is not None
    finder = choose(work.reader, work.mirror, entities, count_records_to_check(work.store, kind), work.say)
    drifted = []
    for record in records_to_check(work.store, kind):
        if _has_drifted(work, finder, entities, record):
            drifted.append(record.id)
        work.tick(1)
    return drifted


def _has_drifted(work: Matching, finder: OnlineFinder, entities: tuple[Entity, ...], record: Record) -> bool:
    if record.converts is not None:
        lead = finder.get("lead", record.converts)
        return lead is None or changed(work, record, lead)
    if record.remote_id is None:
        matches = [match for _, match in finder.find(entities, record.key)]
        if record.kind == "account":
            return any(fold_name(account.get("name")) == record.match_key for account in matches)
        return bool({int(person["id"]) for person in matches} - set(record.siblings))
    current = finder.get(record.entity, record.remote_id)
    return current is None or changed(work, record, current)


def changed(work: Matching, record: Record, current: Existing) -> bool:
    """Whether a record to update isn't any more what the plan was made for."""
    before = record.existing or {}
    if "updated_at" in before and "updated_at" in current:
        return updated(before) != updated(current)
    return any(
        name in current and not same(current[name], was, field_of(work.catalog, record.entity, name))
        for name, (was, _) in record.fields.items()
    )


def _drifted_deals(work: Matching, conflicts: set[int]) -> list[int]:
    assert work.reader is not None
    there = count_deals_to_compare(work.store)
    finder = DealFinder(work.reader, contacts_of_deals_to_check(work.store), work.say, there=there)
    return [
        record.id
        for record in records_to_check(work.store, "deal")
        if _has_deal_drifted(work, finder, record, conflicts)
    ]


def _has_deal_drifted(work: Matching, finder: DealFinder, record: Record, conflicts: set[int]) -> bool:
    assert work.reader is not None
    contact = work.store.record(int(record.parent or 0))
    if contact.remote_id is None:
        return contact.id in conflicts
    namesakes = found_deals(work, finder, record, contact.remote_id, made=record.remote_id is not None)
    if record.remote_id is None:
        return bool(namesakes)
    current = next((deal for deal in namesakes if deal["id"] == record.remote_id), None)
    if current is None or "updated_at" not in current:
        current = fetch(work.reader, "deal", record.remote_id)
    return current is None or changed(work, record, current)
