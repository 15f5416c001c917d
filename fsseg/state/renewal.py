"""Rows of a plan that is brought up to date: what other runs have delivered since, and what a reviewer has seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from fsseg.state.actions import IS_WRITE, Action, Code, Status
from fsseg.state.decided_rows import AS_TOLD
from fsseg.state.ledger_format import unsigned
from fsseg.state.plan_store import Record, Store

_IS_PLANNED = f"status = '{Status.PLANNED}'"
_STILL_TO_SEND = f"{_IS_PLANNED} AND {IS_WRITE}"
"""What is still to be sent."""
_REPLANNED = (
    f"status = '{Status.PLANNED}', code = NULL, message = NULL, http_status = NULL, existing = NULL,"
    " remote_id = NULL, proof = NULL, siblings = '[]', fields = '{}',"
    " warnings = (SELECT json_group_array(iif(w.type = 'object', json(w.value), w.value)) FROM json_each(warnings) w"
    f" WHERE w.type = 'object' OR w.value = '{Code.SHARED_EMAIL}'),"
    f" action = iif(action = '{Action.REFERENCE}', action, NULL), {AS_TOLD}"
)
"""As if nobody had looked at the record yet."""

DRIFTED = "changed since the dry run"
"""Why a record is left alone that isn't any more what the reviewer has seen."""

_CHECKED = f"{_STILL_TO_SEND} AND reviewed IS NULL AND claimed_at IS NULL"
"""What was planned anew since is up to date, and what was sent once holds what this run has written."""


def open_entry_keys(store: Store) -> dict[int, int]:
    """The ids of the timeline entries still to be sent, by event key."""
    return {unsigned(hash): id for id, hash in store.db.execute(f"SELECT id, hash FROM entry WHERE {_STILL_TO_SEND}")}


def open_lone_records(store: Store) -> Iterator[tuple[int, list[int]]]:
    """The people and deals still to be sent on which nothing else hangs that is: their ids, and their events' keys."""
    needed = (
        f"SELECT person FROM entry WHERE {_STILL_TO_SEND} AND person IS NOT NULL"
        f" UNION SELECT parent FROM record WHERE {_STILL_TO_SEND} AND parent IS NOT NULL"
    )
    alone = f"SELECT id, sources FROM record WHERE {_STILL_TO_SEND} AND kind != 'account' AND id NOT IN ({needed})"
    for id, sources in store.db.execute(alone):
        yield id, sorted({key for _, key in orjson.loads(sources)})


def has_rollups(store: Store) -> bool:
    """Whether entries of a day stand for one."""
    return store.db.execute("SELECT 1 FROM entry WHERE head IS NOT NULL LIMIT 1").fetchone() is not None


def take_rollups_apart(store: Store, entries: Iterable[int]) -> None:
    """Make single entries again of the days that these belong to, as far as nothing of them was sent."""
    for id in entries:
        (head,) = store.db.execute("SELECT coalesce(head, id) FROM entry WHERE id = ?", (id,)).fetchone()
        store.db.execute(f"UPDATE entry SET action = NULL, head = NULL WHERE head = ? AND {_IS_PLANNED}", (head,))
        store.db.execute(
            f"UPDATE entry SET action = NULL, payload = json_remove(payload, '$.count') WHERE id = ? AND {_IS_PLANNED}",
            (head,),
        )


def skip_duplicates(store: Store, entries: Iterable[int], records: Iterable[int]) -> None:
    """Leave these out: another run has delivered them."""
    skip = f"action = '{Action.SKIPPED}', status = '{Status.DONE}', code = '{Code.DUPLICATE}'"
    store.db.executemany(f"UPDATE entry SET {skip}, head = NULL WHERE id = ?", ((id,) for id in entries))
    store.db.executemany(f"UPDATE record SET {skip} WHERE id = ?", ((id,) for id in records))


def create_undecided_entries(store: Store) -> None:
    """Send the entries of which nothing was decided since their days were taken apart."""
    store.db.execute(f"UPDATE entry SET action = '{Action.CREATE}' WHERE action IS NULL AND {_IS_PLANNED}")


def open_people(store: Store, *, and_references: bool) -> Iterator[Record]:
    """The people still to be sent or decided on; with `and_references` also those who were only looked up."""
    references = f" OR action = '{Action.REFERENCE}'" if and_references else ""
    return store.records(f"kind = 'person' AND ({_STILL_TO_SEND} OR action IS NULL{references})")


def open_accounts_and_deals(store: Store) -> Iterator[Record]:
    """The accounts and deals still to be sent or decided on."""
    return store.records(f"kind != 'person' AND ({_STILL_TO_SEND} OR action IS NULL)")


def plan_anew(store: Store, people: Iterable[int], others: Iterable[int], *, keep_review: bool) -> None:
    """Have these people, and these accounts and deals, matched and decided on again.

    With `keep_review` the changes that a reviewer has seen are kept beside the new ones. A person may turn out to be a
    lead or a contact now, and their timeline entries are looked for again.
    """
    people = list(people)
    kept = "reviewed = coalesce(reviewed, fields), " if keep_review else ""
    for ids in (people, others):
        store.db.executemany(
            f"UPDATE record SET {kept}matched = 0, converts = NULL, {_REPLANNED} WHERE id = ?", ((id,) for id in ids)
        )
    store.db.executemany(
        f"UPDATE entry SET action = NULL WHERE person = ? AND action = '{Action.CREATE}' AND {_IS_PLANNED}"
        " AND head IS NULL",
        ((id,) for id in people),
    )


def reviewed_updates(store: Store) -> Iterator[tuple[Record, dict[str, list[Any]]]]:
    """The records to update that were planned anew, with the changes that the reviewer has seen."""
    for record in store.records(f"reviewed IS NOT NULL AND action = '{Action.UPDATE}' AND {_IS_PLANNED}"):
        (text,) = store.db.execute("SELECT reviewed FROM record WHERE id = ?", (record.id,)).fetchone()
        yield record, orjson.loads(text)


def forget_review(store: Store) -> None:
    """What the plan says now is what somebody has reviewed."""
    store.db.execute("UPDATE record SET reviewed = NULL")


def records_to_check(store: Store, kind: str) -> Iterator[Record]:
    """The records to send that are still what the reviewer has seen; deals of one contact stand together."""
    return store.records(f"kind = ? AND {_CHECKED}", (kind,), order="parent, id" if kind == "deal" else "id")


def count_records_to_check(store: Store, kind: str) -> int:
    """How many records `records_to_check` gives."""
    return store.count("record", f"kind = ? AND {_CHECKED}", (kind,))


def count_deals_to_compare(store: Store) -> int:
    """How many deals that `records_to_check` gives were there when the plan was made."""
    return store.count("record", f"kind = 'deal' AND {_CHECKED} AND remote_id IS NOT NULL")


def contacts_of_deals_to_check(store: Store) -> set[int]:
    """The ids in Freshsales of the contacts whose deals `records_to_check` gives."""
    return set(store.remote_parents(f"kind = 'deal' AND {_CHECKED}").values())


def leave_alone(store: Store, records: Iterable[int]) -> None:
    """These records aren't any more what the reviewer has seen, so nothing of them is sent."""
    store.db.executemany(
        f"UPDATE record SET action = '{Action.CONFLICT}', status = '{Status.FAILED}', code = '{Code.CONFLICT}',"
        " message = ? WHERE id = ?",
        ((DRIFTED, id) for id in records),
    )


def leave_entries_of_conflicts_alone(store: Store) -> None:
    """Nothing goes onto the timelines of people who were to be made, and appeared meanwhile."""
    store.db.execute(
        f"UPDATE entry SET action = '{Action.CONFLICT}', status = '{Status.FAILED}', code = '{Code.CONFLICT}'"
        f" WHERE action = '{Action.CREATE}' AND person IN"
        f" (SELECT id FROM record WHERE code = '{Code.CONFLICT}' AND remote_id IS NULL)"
    )


def count_conflicts(store: Store) -> int:
    """How many records are left alone, since they aren't what the plan was made for."""
    return store.count("record", f"code = '{Code.CONFLICT}'")
