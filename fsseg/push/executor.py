"""Push: accounts, then people, then deals, then the timeline; a failed record never stops the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from functools import partial
from itertools import islice
from typing import TypeVar

from fsseg.freshsales.errors import NotFound
from fsseg.freshsales.names import Entity
from fsseg.plan.store import Entry, Record
from fsseg.push import accounts, deals, people, timeline
from fsseg.push.bulk import MOST, WORTH, Bulk
from fsseg.push.journal import Journal
from fsseg.push.outcome import DONE, PLANNED, SENT, Outcome
from fsseg.push.payload import body
from fsseg.push.work import Work

T = TypeVar("T")

OPEN = "action IN ('create', 'update') AND status IN ('planned', 'sent')"


Stages = Callable[[str, int, str], AbstractContextManager[Callable[[int], None]]]
"""Opens a stage of the progress by name, total and unit; it gives what advances it."""


def push(work: Work, stages: Stages, pause: Callable[[float], None]) -> None:
    """Send everything that is planned and not settled. `pause` waits, and may be interrupted.

    Raises `Halted` (the run stopped early and can go on) and `Stop` (credentials or permission), after everything that
    was under way is settled.
    """
    _records(work, stages, "Accounts", "account", "name", accounts.send, lambda row: Outcome(PLANNED), pause)
    _name_accounts(work)
    _records(work, stages, "Leads", "lead", None, people.send, people.recover, pause)
    _records(work, stages, "Contacts", "contact", "emails", people.send, people.recover, pause)
    _name_contacts(work)
    _records(work, stages, "Deals", "deal", None, deals.send, deals.recover, pause)
    _timeline(work, stages)
    _deletions(work, stages)


def _records(
    work: Work,
    stages: Stages,
    name: str,
    entity: Entity,
    identifier: str | None,
    send: Callable[[Work, Record], Outcome],
    recover: Callable[..., Outcome],
    pause: Callable[[float], None],
) -> None:
    where, values = f"entity = ? AND {OPEN}", (entity,)
    total = work.store.count("record", where, values)
    if not total:
        return
    with stages(name, total, entity + "s") as advance:
        journal = Journal(work.store, "record", work.workers, advance)
        under_way = list(work.store.records("entity = ? AND status = ?", (entity, SENT)))
        journal.recover(under_way, (lambda row: recover(work, row)) if entity != "account" else recover)
        rows = work.store.records(f"entity = ? AND {OPEN} AND status = ?", (entity, PLANNED))
        if identifier is None:
            for chunk in _chunks(rows, journal.size):
                journal.push(chunk, lambda row: send(work, row), lambda row: row.parent or row.id)
            return
        attributes = (
            (lambda row: people.attributes(work, row)) if entity == "contact" else (lambda row: body(work.catalog, row))
        )
        bulk = Bulk(work, entity, identifier, attributes, pause, lambda row: send(work, row))
        for chunk in _chunks(rows, MOST):
            if bulk.available and len(chunk) >= WORTH:
                journal.push_together(chunk, bulk.push)
            else:
                journal.push(chunk, lambda row: send(work, row))


def _name_accounts(work: Work) -> None:
    """Accounts that contacts or deals of this run point at need their ids."""
    if work.store.count("record", f"entity IN ('contact', 'deal') AND {OPEN}"):
        made = work.store.records("entity = 'account' AND status = 'done' AND action = 'create' AND remote_id IS NULL")
        accounts.learn_ids(work, "account", made)


def _name_contacts(work: Work) -> None:
    """Contacts with deals or timeline entries need their ids, and those known by a database id for the ledger."""
    needed = (
        "entity = 'contact' AND status = 'done' AND action = 'create' AND remote_id IS NULL AND (keys LIKE '%\"#%'"
        " OR id IN (SELECT parent FROM record WHERE kind = 'deal')"
        " OR id IN (SELECT person FROM entry WHERE action = 'create'))"
    )
    accounts.learn_ids(work, "contact", work.store.records(needed))


def _timeline(work: Work, stages: Stages) -> None:
    total = work.store.count("entry", f"head IS NULL AND {OPEN}")
    if not total:
        return
    with stages("Timeline", total, "entries") as advance:
        journal = Journal(work.store, "entry", work.workers, advance)
        journal.recover(work.store.entries("status = ?", (SENT,)), lambda row: timeline.recover(work, row))
        for chunk in _entry_chunks(work, journal.size):
            journal.push(chunk, lambda row: timeline.send(work, row), lambda row: row.person)


def _deletions(work: Work, stages: Stages) -> None:
    """What an undo deletes: what hangs on others goes first."""
    wanted = "action = 'delete' AND status IN ('planned', 'sent')"
    total = work.store.count("entry", wanted) + work.store.count("record", wanted)
    if not total:
        return
    with stages("Deletions", total, "records") as advance:
        entries = Journal(work.store, "entry", work.workers, advance)
        for part in _chunks(work.store.entries(wanted), entries.size):
            entries.push(part, lambda row: _gone(partial(timeline.delete, work, row)))
        records = Journal(work.store, "record", work.workers, advance)
        for entity in ("deal", "contact", "lead", "account"):
            for chunk in _chunks(work.store.records(f"entity = '{entity}' AND {wanted}"), records.size):
                records.push(chunk, lambda row: _gone(partial(work.writer.delete, row.entity, row.remote_id)))


def _gone(delete: Callable[[], None]) -> Outcome:
    """Deleting what isn't there any more has done what was wanted."""
    with suppress(NotFound):
        delete()
    return Outcome(DONE)


def _entry_chunks(work: Work, size: int) -> Iterator[Sequence[Entry]]:
    """The entries to send, each person's in the order of their times."""
    after: tuple[int, str, int] = (-1, "", -1)
    while True:
        ids = work.store.db.execute(
            "SELECT person, time, position, id FROM entry WHERE (person, time, position) > (?, ?, ?)"
            " AND head IS NULL AND action = 'create' AND status = 'planned' ORDER BY person, time, position LIMIT ?",
            (*after, size),
        ).fetchall()
        if not ids:
            return
        after = ids[-1][:3]
        rows = {row.id: row for row in work.store.entries(f"id IN ({','.join(str(row[3]) for row in ids)})")}
        yield [rows[row[3]] for row in ids]


def _chunks(rows: Iterator[T], size: int) -> Iterator[list[T]]:
    while chunk := list(islice(rows, size)):
        yield chunk
