"""Push: accounts, then people, then deals, then the timeline; a failed record never stops the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from functools import partial
from itertools import islice
from typing import TypeVar

from fsseg.freshsales.errors import BulkBusy, FreshsalesError, Halted, NotFound
from fsseg.freshsales.names import Entity
from fsseg.freshsales.sizes import MIN_BULK, PAGE_SIZE
from fsseg.match.finders import fetch
from fsseg.plan.diff import LINK_FIELDS
from fsseg.push import timeline
from fsseg.push.accepted import not_stored
from fsseg.push.accounts import AccountPusher
from fsseg.push.bulk import BUSY_PAUSES_S
from fsseg.push.bulk_ids import resolve_ids
from fsseg.push.context import PushContext
from fsseg.push.deals import DealPusher
from fsseg.push.journal import Journal, ends_the_push
from fsseg.push.outcome import Outcome
from fsseg.push.people import ContactPusher, LeadPusher
from fsseg.push.pusher import EntityPusher
from fsseg.push.stored import Stored
from fsseg.push.updates import put_back_emptied
from fsseg.state.actions import Action, Status
from fsseg.state.plan_store import Record, Store
from fsseg.state.push_queue import (
    accounts_to_resolve,
    contacts_to_resolve,
    count_deletions,
    count_entries_to_send,
    count_records_to_send,
    deletions_in_flight,
    entries_in_flight,
    entries_to_delete,
    index_queue,
    planned_entries,
    planned_records,
    records_in_flight,
    records_to_delete,
)

T = TypeVar("T")

NAMES: dict[Entity, str] = {"account": "Accounts", "lead": "Leads", "contact": "Contacts", "deal": "Deals"}
"""What the stages are called that send these records, in their order."""

Stages = Callable[[str, int, str], AbstractContextManager[Callable[[int], None]]]
"""Opens a stage of the progress by name, total and unit; it gives what advances it."""


def push(context: PushContext, stages: Stages) -> None:
    """Send everything that is planned, and what an earlier push left in flight.

    Raises `Halted` (the run stopped early and can go on), `Stop` (credentials or permission) and `RateLimited` (as
    `Halted`), after the outcomes of all that was in flight are written down.
    """
    pushers, pauses = _pushers(context), iter(BUSY_PAUSES_S)
    index_queue(context.store)
    while _push_all(context, stages, pushers):
        seconds = next(pauses, None)
        if seconds is None:
            raise Halted("this account has had as many unfinished bulk jobs as it may have for too long")
        context.pause(seconds)
    _push_deletions(context, stages)
    if context.refusals is not None:
        context.refusals.note()


def stages_to_come(store: Store) -> list[tuple[str, int, str]]:
    """What `push` will have stages for: name, how many there are to send, and what."""
    stages = [(name, count_records_to_send(store, entity), entity + "s") for entity, name in NAMES.items()]
    stages.append(("Timeline", count_entries_to_send(store), "entries"))
    return [stage for stage in (*stages, ("Deletions", count_deletions(store), "records")) if stage[1]]


def _push_all(context: PushContext, stages: Stages, pushers: dict[Entity, EntityPusher]) -> bool:
    """Send all that can be sent now; whether something is left, since others' bulk jobs are in the way.

    What hangs on that is left, too.
    """
    stored = {entity: Stored(context, entity) for entity in NAMES}
    busy = _push_records(context, stages, "account", pushers["account"])
    resolve_ids(context, "account", accounts_to_resolve(context.store), stored["account"])
    stored["account"].look()
    _push_records(context, stages, "lead", pushers["lead"])
    busy |= _push_records(context, stages, "contact", pushers["contact"], partly=busy)
    resolve_ids(context, "contact", contacts_to_resolve(context.store), stored["contact"])
    stored["contact"].look()
    busy |= _push_records(context, stages, "deal", pushers["deal"], partly=busy)
    stored["deal"].look()
    _push_timeline(context, stages, partly=busy)
    return busy


def recover(context: PushContext) -> None:
    """Find out what became of all that was in flight when an earlier push ended; nothing of it is sent again.

    What it has emptied is put back, but in a dry run. Raises as `push`.
    """
    takes_back = context.store.meta.undoes is not None
    journal = Journal(context, "record", lambda count: None)
    for entity, pusher in _pushers(context).items():
        put_back_emptied(context, entity)
        _recover_records(context, journal, entity, pusher, partial(_is_back, context) if takes_back else pusher.recover)
    _recover_entries(context, Journal(context, "entry", lambda count: None))
    journal.recover(deletions_in_flight(context.store) if takes_back else (), partial(_is_back, context))


def _is_back(context: PushContext, record: Record) -> Outcome:
    """Whether a record of an undo is gone, or holds what it is to be put back to; else it is planned again.

    Where that can't be told it stays in flight.
    """
    try:
        current = fetch(context.reader, record.entity, int(record.remote_id or 0))
    except FreshsalesError as error:
        if ends_the_push(error):
            raise
        return Outcome(Status.SENT)
    if record.action == Action.DELETE:
        is_back = current is None
    else:
        tells = record.links is not None or bool(record.fields.keys() - LINK_FIELDS)
        is_back = current is not None and tells and not not_stored(context.catalog, record, current)
    return Outcome(Status.DONE if is_back else Status.PLANNED)


def _pushers(context: PushContext) -> dict[Entity, EntityPusher]:
    return {
        "account": AccountPusher(context),
        "lead": LeadPusher(context),
        "contact": ContactPusher(context),
        "deal": DealPusher(context),
    }


def _push_records(
    context: PushContext, stages: Stages, entity: Entity, pusher: EntityPusher, *, partly: bool = False
) -> bool:
    """Send the records of one entity; whether some are left, as others' bulk jobs are in the way.

    `partly`: only those that hang on nothing that is still to be written.
    """
    total = count_records_to_send(context.store, entity, partly=partly)
    if not total:
        return False
    busy = False
    with stages(NAMES[entity], total, entity + "s") as advance:
        journal, bulk = Journal(context, "record", advance), pusher.bulk
        _recover_records(context, journal, entity, pusher, pusher.recover)
        planned = planned_records(context.store, entity, partly=partly)
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


def _recover_records(
    context: PushContext, journal: Journal, entity: Entity, pusher: EntityPusher, find: Callable[[Record], Outcome]
) -> None:
    if pusher.bulk is not None:
        journal.settle(pusher.bulk.await_earlier())
    in_flight = records_in_flight(context.store, entity)
    if not context.may_write:  # what may have been emptied stays in flight, so that whoever may write puts it back
        in_flight = (record for record in in_flight if record.remote_id is None)
    journal.recover(in_flight, find)


def _push_timeline(context: PushContext, stages: Stages, *, partly: bool) -> None:
    total = count_entries_to_send(context.store, partly=partly)
    if not total:
        return
    with stages("Timeline", total, "entries") as advance:
        journal = Journal(context, "entry", advance)
        _recover_entries(context, journal)
        for chunk in planned_entries(context.store, journal.size, partly=partly):
            journal.push(chunk, lambda row: timeline.send(context, row), lambda row: row.person)


def _recover_entries(context: PushContext, journal: Journal) -> None:
    in_flight = entries_in_flight(context.store)
    journal.recover(in_flight, partial(timeline.recover, context, timeline.CreatedActivities(context, in_flight)))


def _push_deletions(context: PushContext, stages: Stages) -> None:
    """What an undo deletes: what hangs on others goes first."""
    total = count_deletions(context.store)
    if not total:
        return
    with stages("Deletions", total, "records") as advance:
        entries = Journal(context, "entry", advance)
        for part in _chunks(entries_to_delete(context.store), entries.size):
            entries.push(part, lambda row: _gone(partial(timeline.delete, context, row)))
        records = Journal(context, "record", advance)
        entities: tuple[Entity, ...] = ("deal", "contact", "lead", "account")
        for entity in entities:
            for chunk in _chunks(records_to_delete(context.store, entity), records.size):
                records.push(chunk, lambda row: _gone(partial(context.writer.delete, row.entity, row.remote_id)))


def _gone(delete: Callable[[], None]) -> Outcome:
    """Deleting what isn't there any more has done what was wanted."""
    with suppress(NotFound):
        delete()
    return Outcome(Status.DONE)


def _chunks(rows: Iterator[T], size: int) -> Iterator[list[T]]:
    while chunk := list(islice(rows, size)):
        yield chunk
