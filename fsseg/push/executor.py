"""Push: accounts, then people, then deals, then the timeline; a failed record never stops the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TypeVar

from fsseg.freshsales.errors import NotFound
from fsseg.freshsales.names import Entity
from fsseg.push import accounts, deals, people, timeline
from fsseg.push.bulk import MAX_BATCH, MIN_BULK, Bulk
from fsseg.push.context import PushContext
from fsseg.push.journal import Journal
from fsseg.push.outcome import Outcome
from fsseg.push.payload import body
from fsseg.state.actions import Action, Status, is_any
from fsseg.state.plan_store import Entry, Record
from fsseg.state.wanted_keys import CONVERT

T = TypeVar("T")

NOT_SETTLED = is_any("status", Status.PLANNED, Status.SENT)
TO_WRITE = f"{is_any('action', Action.CREATE, Action.UPDATE)} AND {NOT_SETTLED}"
TO_DELETE = f"action = '{Action.DELETE}' AND {NOT_SETTLED}"
WITHOUT_ID = f"status = '{Status.DONE}' AND action = '{Action.CREATE}' AND remote_id IS NULL"
"""Made in bulk, whose answers tell no ids."""

Stages = Callable[[str, int, str], AbstractContextManager[Callable[[int], None]]]
"""Opens a stage of the progress by name, total and unit; it gives what advances it."""


def push(context: PushContext, stages: Stages) -> None:
    """Send everything that is planned and not settled.

    Raises `Halted` (the run stopped early and can go on), `Stop` (credentials or permission) and `RateLimited` (as
    `Halted`), after everything that was under way is settled.
    """
    ways = _ways(context)
    _records(context, stages, "Accounts", "account", ways["account"])
    _resolve_account_ids(context)
    _records(context, stages, "Leads", "lead", ways["lead"])
    _records(context, stages, "Contacts", "contact", ways["contact"])
    _resolve_contact_ids(context)
    _records(context, stages, "Deals", "deal", ways["deal"])
    _timeline(context, stages)
    _deletions(context, stages)


def recover(context: PushContext) -> None:
    """Find out what became of all that was under way when an earlier push ended; nothing is sent. Raises as `push`."""
    for entity, way in _ways(context).items():
        _recover_records(context, Journal(context, "record", lambda count: None), entity, way)
    _recover_entries(context, Journal(context, "entry", lambda count: None))


@dataclass(frozen=True)
class _Way:
    """How the records of an entity are sent: those that may go in bulk, and each of the others by itself.

    `recover` tells what became of one that was under way. `suits` is asked for once all of those are settled, and gives
    what says whether a record may go in bulk.
    """

    send: Callable[[Record], Outcome]
    recover: Callable[[Record], Outcome]
    bulk: Bulk | None = None
    suits: Callable[[], Callable[[Record], bool]] = lambda: lambda record: True


def _ways(context: PushContext) -> dict[Entity, _Way]:
    return {
        "account": _accounts(context),
        "lead": _Way(partial(people.send, context), partial(people.recover, context)),
        "contact": _contacts(context),
        "deal": _deals(context),
    }


def _accounts(context: PushContext) -> _Way:
    send = partial(accounts.send, context)
    bulk = Bulk(context, "account", "name", partial(body, context.catalog), send, _repeatable)
    return _Way(send, _repeatable, bulk)


def _contacts(context: PushContext) -> _Way:
    send, recover = partial(people.send, context), partial(people.recover, context)
    bulk = Bulk(context, "contact", "emails", partial(people.attributes, context), send, recover)
    return _Way(send, recover, bulk, lambda: lambda record: CONVERT not in record.desired)


def _deals(context: PushContext) -> _Way:
    send, recover = partial(deals.send, context), partial(deals.recover, context)
    bulk = Bulk(context, "deal", "name", partial(deals.attributes, context), send, recover)
    return _Way(send, recover, bulk, lambda: deals.nameable(context))


def _repeatable(record: Record) -> Outcome:
    """Updates and upserts by a unique name may be sent again as they are."""
    return Outcome(Status.PLANNED)


def _records(context: PushContext, stages: Stages, name: str, entity: Entity, way: _Way) -> None:
    total = context.store.count("record", f"entity = ? AND {TO_WRITE}", (entity,))
    if not total:
        return
    with stages(name, total, entity + "s") as advance:
        journal, bulk = Journal(context, "record", advance), way.bulk
        _recover_records(context, journal, entity, way)
        suits = way.suits()
        rows = context.store.records(f"entity = ? AND {TO_WRITE} AND status = ?", (entity, Status.PLANNED))
        for chunk in _chunks(rows, journal.size if bulk is None else MAX_BATCH):
            together = [row for row in chunk if bulk is not None and bulk.available and suits(row)]
            if bulk is not None and len(together) >= MIN_BULK:
                journal.push_together(together, bulk.push)
                chunk = [row for row in chunk if row not in together]
            for few in _chunks(iter(chunk), journal.size):
                journal.push(few, way.send, lambda row: row.parent or row.id)


def _recover_records(context: PushContext, journal: Journal, entity: Entity, way: _Way) -> None:
    if way.bulk is not None:
        way.bulk.await_earlier()
    journal.recover(
        context.store.records(f"entity = ? AND {TO_WRITE} AND status = ?", (entity, Status.SENT)), way.recover
    )


def _resolve_account_ids(context: PushContext) -> None:
    """Accounts that contacts or deals of this run point at need their ids."""
    if context.store.count("record", f"entity IN ('contact', 'deal') AND {TO_WRITE}"):
        made = context.store.records(f"entity = 'account' AND {WITHOUT_ID}")
        accounts.resolve_ids(context, "account", made)


def _resolve_contact_ids(context: PushContext) -> None:
    """Contacts with deals or timeline entries of this run need their ids."""
    needed = (
        f"entity = 'contact' AND {WITHOUT_ID}"
        " AND (id IN (SELECT parent FROM record WHERE kind = 'deal')"
        f" OR id IN (SELECT person FROM entry WHERE action = '{Action.CREATE}'))"
    )
    accounts.resolve_ids(context, "contact", context.store.records(needed))


def _timeline(context: PushContext, stages: Stages) -> None:
    total = context.store.count("entry", f"head IS NULL AND {TO_WRITE}")
    if not total:
        return
    with stages("Timeline", total, "entries") as advance:
        journal = Journal(context, "entry", advance)
        _recover_entries(context, journal)
        for chunk in _entry_chunks(context, journal.size):
            journal.push(chunk, lambda row: timeline.send(context, row), lambda row: row.person)


def _recover_entries(context: PushContext, journal: Journal) -> None:
    in_flight = list(context.store.entries(f"head IS NULL AND {TO_WRITE} AND status = ?", (Status.SENT,)))
    journal.recover(in_flight, partial(timeline.recover, context, timeline.CreatedActivities(context, in_flight)))


def _deletions(context: PushContext, stages: Stages) -> None:
    """What an undo deletes: what hangs on others goes first."""
    total = context.store.count("entry", TO_DELETE) + context.store.count("record", TO_DELETE)
    if not total:
        return
    with stages("Deletions", total, "records") as advance:
        entries = Journal(context, "entry", advance)
        for part in _chunks(context.store.entries(TO_DELETE), entries.size):
            entries.push(part, lambda row: _gone(partial(timeline.delete, context, row)))
        records = Journal(context, "record", advance)
        for entity in ("deal", "contact", "lead", "account"):
            for chunk in _chunks(context.store.records(f"entity = '{entity}' AND {TO_DELETE}"), records.size):
                records.push(chunk, lambda row: _gone(partial(context.writer.delete, row.entity, row.remote_id)))


def _gone(delete: Callable[[], None]) -> Outcome:
    """Deleting what isn't there any more has done what was wanted."""
    with suppress(NotFound):
        delete()
    return Outcome(Status.DONE)


def _entry_chunks(context: PushContext, size: int) -> Iterator[Sequence[Entry]]:
    """The entries to send, each person's in the order of their times."""
    after: tuple[int, str, int] = (-1, "", -1)
    while True:
        ids = context.store.db.execute(
            "SELECT person, time, position, id FROM entry WHERE (person, time, position) > (?, ?, ?)"
            f" AND head IS NULL AND action = '{Action.CREATE}' AND status = '{Status.PLANNED}'"
            " ORDER BY person, time, position LIMIT ?",
            (*after, size),
        ).fetchall()
        if not ids:
            return
        after = ids[-1][:3]
        rows = {row.id: row for row in context.store.entries(f"id IN ({','.join(str(row[3]) for row in ids)})")}
        yield [rows[row[3]] for row in ids]


def _chunks(rows: Iterator[T], size: int) -> Iterator[list[T]]:
    while chunk := list(islice(rows, size)):
        yield chunk
