"""What bulk has really stored: its answers don't say, but the pages of what changed last do."""

from __future__ import annotations

from collections.abc import Sequence

from fsseg.figures import counted
from fsseg.freshsales.errors import Forbidden, FreshsalesError
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Row
from fsseg.freshsales.views import latest, pages, view_of_all
from fsseg.mapping.names import fold_name
from fsseg.match.finders import fetch
from fsseg.match.newest import EXTRA_PAGES
from fsseg.match.remote_record import Existing, addresses, flatten, updated
from fsseg.push.accepted import note_not_stored
from fsseg.push.context import PushContext
from fsseg.push.journal import ends_the_push
from fsseg.state.plan_store import Record
from fsseg.state.push_queue import count_written, written_records

MAX_PAGES = 20
"""Pages of one entity that are read for this, at the most: what isn't stored of so many is the same for the others."""

LOOKS_ON = "this account doesn't store all that bulk has written of {}s: reading on to tell of which, by up to {}"


def keys_of(entity: Entity, row: Existing) -> set[str]:
    """The match keys by which a record can be one of the plan."""
    return addresses(row) if entity in ("lead", "contact") else {fold_name(row.get("name"))}


class Stored:
    """Compares what one entity's records hold with what this run has written, page by page, what changed last first.

    Whoever reads these pages for another purpose gives them to `compare`, from the first on, which costs nothing.
    """

    def __init__(self, context: PushContext, entity: Entity) -> None:
        self._context = context
        self._entity = entity
        self._has_dropped = False
        self._seen: set[int] = set()
        self._pages_read = 0

    def compare(self, rows: Sequence[Row]) -> None:
        """The next page: warns of what wasn't stored. Raises what ends the push."""
        self._pages_read += 1
        held = {int(row["id"]): flatten(self._entity, row) for row in rows}
        by_key = {key: id for id, row in held.items() for key in keys_of(self._entity, row)}
        written = written_records(self._context.store, self._entity, by_key, held)
        known = ((record.remote_id or by_key[record.match_key], record) for record in written)
        ours = {id: record for id, record in known if id in held}
        current = without_late(self._context, self._entity, ours, {id: held[id] for id in ours})
        self._seen |= {ours[id].id for id in current}
        for id, row in current.items():
            self._has_dropped |= note_not_stored(self._context, ours[id], row)

    def look(self) -> None:
        """Once nothing of the entity is left to send: compare at least one page, where bulk was used.

        Where something was not stored, all that was written is looked at, up to a limit. Raises what ends the push.
        """
        store, entity = self._context.store, self._entity
        if entity not in store.meta.unseen:
            return
        try:
            self._read_on(count_written(store, entity))
        except FreshsalesError as error:
            if ends_the_push(error) and not isinstance(error, Forbidden):
                raise
        store.meta.unseen = [one for one in store.meta.unseen if one != entity]

    def _read_on(self, written: int) -> None:
        view = view_of_all(self._context.reader, self._entity)
        if view is None:
            return
        if not self._pages_read:
            self.compare(latest(self._context.reader, self._entity, view).rows)
        left = min(pages(written) + EXTRA_PAGES, MAX_PAGES) - self._pages_read
        if not self._has_dropped or len(self._seen) >= written or left <= 0:
            return
        self._context.say(LOOKS_ON.format(self._entity, counted(left, "request")))
        for number in range(self._pages_read + 1, self._pages_read + 1 + left):
            self.compare(latest(self._context.reader, self._entity, view, number).rows)
            if len(self._seen) >= written:
                return


def without_late(
    context: PushContext, entity: Entity, by_id: dict[int, Record], rows: dict[int, Existing]
) -> dict[int, Existing]:
    """The rows that show what was written: a view may lag, and show some as they were before.

    Those that look so may also have been left as they were, as all that was written was dropped: one tells.
    """
    old = [id for id, row in rows.items() if updated(row) <= updated(by_id[id].existing or {})]
    if not old or updated(read(context, entity, old[0])) <= updated(rows[old[0]]):
        return rows
    return {id: row for id, row in rows.items() if id not in old}


def read(context: PushContext, entity: Entity, id: int) -> Existing:
    """What a record holds, empty where that can't be told. Raises what ends the push."""
    try:
        return fetch(context.reader, entity, id) or {}
    except FreshsalesError as error:
        if ends_the_push(error):
            raise
        return {}
