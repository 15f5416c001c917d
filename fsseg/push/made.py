"""Finding what a request has made whose answer was lost, so that it is not made twice.

Look-ups lag: for up to 20 seconds they may not find what was made. The view of all records lists it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from fsseg.freshsales.errors import Unavailable
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import LAG_S
from fsseg.match.newest import newest_pages
from fsseg.match.remote_record import EARLIEST, Existing
from fsseg.push.context import PushContext
from fsseg.state.plan_store import Record

MAX_PAGES = 30
"""Pages of the newest records that are searched before it is given up."""


class MadeRecords:
    """The newest records of one entity. Raises the client's errors."""

    def __init__(self, context: PushContext, entity: Entity) -> None:
        self._context = context
        self._entity = entity
        self._began = self._settled_at = datetime.now(UTC)
        self._since = self._read_at = EARLIEST
        self._rows: list[Existing] | None = None

    def settled(self) -> None:
        """Note that all that was sent in bulk until now has taken effect, if it ever does."""
        self._settled_at = datetime.now(UTC)

    def sent_at(self, record: Record) -> datetime:
        """The earliest moment at which this record may have left: in this push, if no other has claimed it."""
        return datetime.fromisoformat(record.claimed_at) if record.claimed_at else self._began

    def find(self, since: datetime, is_it: Callable[[Existing], bool], *, just_sent: bool) -> list[Existing]:
        """The records made since that are meant. `just_sent`: its request may have been applied at this moment.

        Empty is no proof yet, as there may be no view to read; `wait_out_lag` and a look-up give it. Raises
        `Unavailable` where too many were made since.
        """
        asked_at = datetime.now(UTC) if just_sent else self._settled_at
        if self._rows is None or self._read_at < asked_at or since < self._since:
            read_at = datetime.now(UTC)
            self._rows = list(self._read(since))
            self._since, self._read_at = since, read_at
        return [row for row in self._rows if is_it(row)]

    def wait_out_lag(self, since: datetime) -> None:
        """Wait until a look-up must find what was sent at that moment. Raises `Halted`."""
        age = (datetime.now(UTC) - since).total_seconds()
        if 0 <= age < LAG_S:
            self._context.pause(LAG_S - age)

    def _read(self, since: datetime) -> Iterator[Existing]:
        for number, rows in enumerate(newest_pages(self._context.reader, self._entity, since), 1):
            if number > MAX_PAGES:
                raise Unavailable(f"too many {self._entity}s were made since to tell whether this one is among them")
            yield from rows
