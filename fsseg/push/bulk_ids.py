"""Learning the ids of records that were made in bulk, whose answers tell none."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from fsseg.freshsales.errors import Forbidden, FreshsalesError
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import LAG_S
from fsseg.freshsales.views import latest, pages, view_of_all
from fsseg.match.newest import EXTRA_PAGES
from fsseg.match.remote_record import flatten
from fsseg.push.context import PushContext
from fsseg.push.journal import ends_the_push
from fsseg.push.stored import Stored, keys_of
from fsseg.state.plan_store import Record
from fsseg.state.push_queue import count_written
from fsseg.state.row_status import write_remote_id


def resolve_ids(context: PushContext, entity: Entity, records: Iterable[Record], stored: Stored) -> None:
    """Fill in the ids that Freshsales gave to records made in bulk, and compare what is read with what was written.

    Those whose id can't be read stay without; what points at them fails, and may be tried again.
    """
    missing = {record.match_key: record for record in records}
    # What this run wrote stands first in a view by time of update, so a page there may save a hundred look-ups.
    written = pages(count_written(context.store, entity))
    if len(missing) > written:
        _read_latest(context, entity, missing, written + EXTRA_PAGES, stored)
    _look_up(context, entity, missing)
    if missing and _wait_out_lag(context, missing.values()):
        _look_up(context, entity, missing)


def _wait_out_lag(context: PushContext, records: Iterable[Record]) -> bool:
    """Wait until look-ups must find all of these; whether there was need to. Raises `Halted`."""
    sent_at = max((datetime.fromisoformat(one.claimed_at) for one in records if one.claimed_at), default=None)
    age = LAG_S if sent_at is None else (datetime.now(UTC) - sent_at).total_seconds()
    if not 0 <= age < LAG_S:
        return False
    context.pause(LAG_S - age)
    return True


def _look_up(context: PushContext, entity: Entity, missing: dict[str, Record]) -> None:
    for record in list(missing.values()):
        try:
            rows = context.reader.lookup(record.key, "name" if entity == "account" else "email", (entity,))[entity]
        except FreshsalesError as error:
            if ends_the_push(error):
                raise
        else:
            _write_ids(context, entity, missing, [flatten(entity, row) for row in rows])


def _read_latest(
    context: PushContext, entity: Entity, missing: dict[str, Record], max_pages: int, stored: Stored
) -> None:
    try:
        view = view_of_all(context.reader, entity)
        if view is None:
            return
        for number in range(1, max_pages + 1):
            rows = latest(context.reader, entity, view, number).rows
            stored.compare(rows)
            _write_ids(context, entity, missing, [flatten(entity, row) for row in rows])
            if not missing or not rows:
                return
    except FreshsalesError as error:
        if ends_the_push(error) and not isinstance(error, Forbidden):
            raise


def _write_ids(context: PushContext, entity: Entity, missing: dict[str, Record], rows: list[dict[str, object]]) -> None:
    with context.store.transaction():
        for row in rows:
            for name in keys_of(entity, row) & missing.keys():
                id, remote_id = missing.pop(name).id, int(str(row["id"]))
                write_remote_id(context.store, id, remote_id)
