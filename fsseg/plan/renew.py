"""A plan that was made before other runs delivered something, or took it back, is brought up to date with that."""

from __future__ import annotations

from collections.abc import Iterable

from fsseg.mapping.catalog import Catalog
from fsseg.plan.diff import field_of, same
from fsseg.state.daily_rollup import aggregate
from fsseg.state.deliveries import Values, values_of, written_since
from fsseg.state.fingerprint import fingerprint_keys
from fsseg.state.ledger import Ledger
from fsseg.state.plan_store import Record, Store
from fsseg.state.renewal import (
    create_undecided_entries,
    has_rollups,
    leave_alone,
    open_accounts_and_deals,
    open_entry_keys,
    open_lone_records,
    open_people,
    plan_anew,
    reviewed_updates,
    skip_duplicates,
    take_rollups_apart,
)
from fsseg.state.run_folder import Run


def skip_delivered(store: Store, ledger: Ledger) -> None:
    """Leave out entries and records of which other runs have delivered all that is said by now.

    Those that others hang on stay, to be looked at: their ids are needed.
    """
    delivered = ledger.delivered()
    entries = open_entry_keys(store)
    gone = [entries[key] for key in delivered.among(sorted(entries))]
    records = [id for id, keys in open_lone_records(store) if keys and len(delivered.among(keys)) == len(keys)]
    daily = bool(gone) and has_rollups(store)
    with store.transaction():
        if daily:
            take_rollups_apart(store, gone)
        skip_duplicates(store, gone, records)
        if daily:
            aggregate(store)
            create_undecided_entries(store)


def reopen_touched(store: Store, ledger: Ledger, since: int, *, review: bool) -> int:
    """Plan anew what other runs have delivered to since that generation of the ledger; how many records.

    After an undo that is everything, since nothing tells what is gone. With `review` the changes that somebody has seen
    are kept, for `hold_to_review`.
    """
    everything = ledger.undone > since
    people = [
        record.id
        for record in open_people(store, and_references=everything)
        if everything or _is_touched(store, ledger, record, since)
    ]
    reopened = set(people)
    others = [
        record.id
        for record in open_accounts_and_deals(store)
        if everything or record.parent in reopened or _is_touched(store, ledger, record, since)
    ]
    with store.transaction():
        plan_anew(store, people, others, keep_review=review)
    return len(people) + len(others)


def _is_touched(store: Store, ledger: Ledger, record: Record, since: int) -> bool:
    parent = store.remote_id(record.parent)
    keys = fingerprint_keys(record.kind, record.entity, record.remote_id, record.match_key, parent)
    if record.action is None or ledger.history(keys).generation > since:
        return True
    known = [*map(ledger.known, record.keys), *([ledger.known_by_email(record.match_key)] if record.keys else [])]
    return any(person is not None and person.generation > since for person in known)


def hold_to_review(store: Store, catalog: Catalog, others: Iterable[Run], since: int) -> int:
    """Of what was planned anew, push only what a reviewer has seen or fsseg has written since; how many are conflicts.

    A field that holds neither what the reviewed plan found, nor what it wants, nor what one of the `others` has
    delivered since that generation of the ledger, was changed by somebody else: such a record is left alone, and so is
    one that somebody else has made.
    """
    written = written_since(others, since)

    def delivered(record: Record) -> Values:
        parent = store.remote_id(record.parent)
        return values_of(written, record, parent)

    conflicts = [
        record.id
        for record, reviewed in reviewed_updates(store)
        if not _is_ours(catalog, record, reviewed, delivered(record))
    ]
    with store.transaction():
        leave_alone(store, conflicts)
    return len(conflicts)


def _is_ours(
    catalog: Catalog, record: Record, reviewed: dict[str, list[object]], delivered: dict[str, list[object]]
) -> bool:
    if not delivered and all(before is None for before, _ in reviewed.values()):
        return False
    return all(
        any(
            same(before, known, field_of(catalog, record.entity, name))
            for known in (reviewed.get(name, [after])[0], *delivered.get(name, ()))
        )
        for name, (before, after) in record.fields.items()
    )
