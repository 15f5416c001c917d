"""Push: accounts, then people, then deals, then the timeline; a failed record never stops the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from functools import partial
from itertools import islice
from typing import TypeVar

from fsseg.freshsales.errors import BulkBusy, Halted, NotFound
from fsseg.freshsales.names import Entity
from fsseg.freshsales.sizes import MIN_BULK, PAGE_SIZE
from fsseg.push import timeline
from fsseg.push.accounts import AccountPusher
from fsseg.push.bulk import BUSY_PAUSES_S
from fsseg.push.bulk_ids import resolve_ids
from fsseg.push.context import PushContext
from fsseg.push.deals import DealPusher
from fsseg.push.journal import Journal
from fsseg.push.outcome import Outcome
from fsseg.push.people import ContactPusher, LeadPusher
from fsseg.push.pusher import EntityPusher
from fsseg.state.actions import Action, Status, is_any
from fsseg.state.plan_store import Entry

T = TypeVar("T")

NOT_SETTLED = is_any("status", Status.PLANNED, Status.SENT)
"""Still to be sent, or in flight when an earlier push ended."""

TO_WRITE = f"{is_any('action', Action.CREATE, Action.UPDATE)} AND {NOT_SETTLED}"
TO_DELETE = f"action = '{Action.DELETE}' AND {NOT_SETTLED}"

LEFT = f"SELECT id FROM record WHERE {TO_WRITE}"
FREE_CONTACT = """json_type(desired, '$."$accounts"') IS NULL"""
FREE_DEAL = f"parent NOT IN ({LEFT}) AND coalesce(account, 0) NOT IN ({LEFT})"
FREE_ENTRY = f"person NOT IN ({LEFT})"
"""What doesn't hang on anything that is still to be written."""

WITHOUT_ID = f"status = '{Status.DONE}' AND action = '{Action.CREATE}' AND remote_id IS NULL"
"""Made in bulk, whose answers tell no ids."""

Stages = Callable[[str, int, str], AbstractContextManager[Callable[[int], None]]]
"""Opens a stage of the progress by name, total and unit; it gives what advances it."""


def push(context: PushContext, stages: Stages) -> None:
    """Send everything that is planned, and what an earlier push left in flight.

    Raises `Halted` (the run stopped early and can go on), `Stop` (credentials or permission) and `RateLimited` (as
    `Halted`), after the outcomes of all that was in flight are written down.
    """
    pushers, pauses = _pushers(context), iter(BUSY_PAUSES_S)
    while _push_all(context, stages, pushers):
        seconds = next(pauses, None)
        if seconds is None:
            raise Halted("this account has had as many unfinished bulk jobs as it may have for too long")
        context.pause(seconds)
    _push_deletions(context, stages)


def _push_all(context: PushContext, stages: Stages, pushers: dict[Entity, EntityPusher]) -> bool:
    """Send all that can be sent now; whether something is left, since others' bulk jobs are in the way.

    What hangs on that is left, too.
    """
    busy = _push_records(context, stages, "Accounts", "account", pushers["account"])
    _resolve_account_ids(context)
    _push_records(context, stages, "Leads", "lead", pushers["lead"])
    free = FREE_CONTACT if busy else "1"
    busy |= _push_records(context, stages, "Contacts", "contact", pushers["contact"], free)
    _resolve_contact_ids(context)
    busy |= _push_records(context, stages, "Deals", "deal", pushers["deal"], FREE_DEAL if busy else "1")
    _push_timeline(context, stages, FREE_ENTRY if busy else "1")
    return busy


def recover(context: PushContext) -> None:
    """Find out what became of all that was in flight when an earlier push ended; nothing is sent. Raises as `push`."""
    for entity, pusher in _pushers(context).items():
        _recover_records(context, Journal(context, "record", lambda count: None), entity, pusher)
    _recover_entries(context, Journal(context, "entry", lambda count: None))


def _pushers(context: PushContext) -> dict[Entity, EntityPusher]:
    return {
        "account": AccountPusher(context),
        "lead": LeadPusher(context),
        "contact": ContactPusher(context),
        "deal": DealPusher(context),
    }


def _push_records(
    context: PushContext, stages: Stages, name: str, entity: Entity, pusher: EntityPusher, free: str = "1"
) -> bool:
    """Send the records of one entity that fit `free`; whether some are left as others' bulk jobs are in the way."""
    to_write = f"entity = ? AND {TO_WRITE} AND {free}"
    total = context.store.count("record", to_write, (entity,))
    if not total:
        return False
    busy = False
    with stages(name, total, entity + "s") as advance:
        journal, bulk = Journal(context, "record", advance), pusher.bulk
        _recover_records(context, journal, entity, pusher)
        planned = context.store.records(f"{to_write} AND status = ?", (entity, Status.PLANNED))
        for chunk in _chunks(planned, journal.size if bulk is None else PAGE_SIZE):
            together = [record for record in chunk if bulk is not None and bulk.available and pusher.can_bulk(record)]
            if bulk is not None and len(together) >= MIN_BULK:
                try:
                    if not busy:
                        journal.push_together(together, bulk.push)
                except BulkBusy:
                    busy = True
                chunk = [record for record in chunk if record not in together]
            for few in _chunks(iter(chunk), journal.size):
                # Deals of one contact keep their order, so one worker sends them all.
                journal.push(few, pusher.send, lambda record: record.parent or record.id)
    return busy


def _recover_records(context: PushContext, journal: Journal, entity: Entity, pusher: EntityPusher) -> None:
    if pusher.bulk is not None:
        journal.settle(pusher.bulk.await_earlier())
    in_flight = context.store.records(f"entity = ? AND {TO_WRITE} AND status = ?", (entity, Status.SENT))
    journal.recover(in_flight, pusher.recover)


def _resolve_account_ids(context: PushContext) -> None:
    """Accounts that contacts or deals of this run point at need their ids."""
    if context.store.count("record", f"entity IN ('contact', 'deal') AND {TO_WRITE}"):
        made = context.store.records(f"entity = 'account' AND {WITHOUT_ID}")
        resolve_ids(context, "account", made)


def _resolve_contact_ids(context: PushContext) -> None:
    """Contacts with deals or timeline entries of this run need their ids."""
    needed = (
        f"entity = 'contact' AND {WITHOUT_ID}"
        " AND (id IN (SELECT parent FROM record WHERE kind = 'deal')"
        f" OR id IN (SELECT person FROM entry WHERE action = '{Action.CREATE}'))"
    )
    resolve_ids(context, "contact", context.store.records(needed))


def _push_timeline(context: PushContext, stages: Stages, free: str) -> None:
    total = context.store.count("entry", f"head IS NULL AND {TO_WRITE} AND {free}")
    if not total:
        return
    with stages("Timeline", total, "entries") as advance:
        journal = Journal(context, "entry", advance)
        _recover_entries(context, journal)
        for chunk in _entry_chunks(context, journal.size, free):
            journal.push(chunk, lambda row: timeline.send(context, row), lambda row: row.person)


def _recover_entries(context: PushContext, journal: Journal) -> None:
    in_flight = list(context.store.entries(f"head IS NULL AND {TO_WRITE} AND status = ?", (Status.SENT,)))
    journal.recover(in_flight, partial(timeline.recover, context, timeline.CreatedActivities(context, in_flight)))


def _push_deletions(context: PushContext, stages: Stages) -> None:
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


def _entry_chunks(context: PushContext, size: int, free: str) -> Iterator[Sequence[Entry]]:
    """The entries to send, each person's in the order of their times."""
    after: tuple[int, str, int] = (-1, "", -1)
    while True:
        ids = context.store.db.execute(
            "SELECT person, time, position, id FROM entry WHERE (person, time, position) > (?, ?, ?)"
            f" AND head IS NULL AND action = '{Action.CREATE}' AND status = '{Status.PLANNED}' AND {free}"
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
