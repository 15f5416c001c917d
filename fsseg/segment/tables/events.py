"""From the rows of a table to events and rejects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from fsseg.segment.envelope import ODD, event_of_normal, time_of
from fsseg.segment.event import Event, Original, Rejected
from fsseg.segment.placeholders import PlaceholderIds
from fsseg.segment.tables.csv_rows import Fault
from fsseg.segment.tables.table import BadRow, PassedOver, Table
from fsseg.segment.times import FoundTime

RAW = 1_000
"""Characters of an unusable line or row that are kept."""


class RowEvents:
    """Makes events of the rows of one table: `count` of them, and `number` is that of the row that was taken last.

    `jump` is told where the numbers of the rows don't go on with the events: which event comes, and in which row.
    """

    def __init__(
        self, table: Table, position: int, ids: PlaceholderIds, latest: str, file_time: Callable[[], FoundTime],
        jump: Callable[[int, int], None],
    ) -> None:  # fmt: skip
        self.number = 0
        self.count = 0
        self._table = table
        self._first = position
        self._tools = ids, latest, file_time
        self._jump = jump
        self._before: list[Any] | None = None
        """What tells the event that the last row was of."""

    def of(self, rows: Iterable[tuple[Any, int]]) -> Iterator[Event | Rejected]:
        """An event or reject for each row that isn't blank, or for each group of them that is one event."""
        table, position, expected, number = self._table, self._first, 0, 0
        width, message_of, quick = len(table.columns), self._message, table.quick
        ids, latest, _ = self._tools
        try:
            for row, number in rows:
                item: Event | Rejected | None = None
                if quick and len(row) == width:
                    try:
                        found = quick(row)
                        time = time_of(found, ids, latest)
                        item = Event(position, number, found.type, time, found, partial(message_of, row))
                    except ODD:
                        pass
                if item is None and (item := self._closer(row, number, position)) is None:
                    continue
                if number != expected:
                    self._jump(position - self._first, number)
                yield item
                position, expected = position + 1, number + 1
        finally:
            self.number, self.count = number, position - self._first

    def _message(self, row: Sequence[Any]) -> Original:
        """The whole message of a row that was taken quickly."""
        table = self._table
        return table.message(table.whole(row) if table.whole else row)

    def _closer(self, row: Any, number: int, position: int) -> Event | Rejected | None:
        """What a row is that has something odd, or whose table is no frequent one; None for no event and no mistake."""
        if isinstance(row, Fault):
            return Rejected(position, number, row.code, row.detail, raw=row.raw.rstrip("\r\n")[:RAW])
        table = self._table
        row = table.whole(row) if table.whole else row
        if not any(row):
            return None
        try:
            if len(row) != len(table.columns):
                row = table.fitted(row)
            if table.one_event:
                same = [row[at] for at in table.one_event]
                if same == self._before:
                    return None
                self._before = same
            message = table.message(row)
        except PassedOver:
            return None
        except BadRow as error:
            return Rejected(position, number, error.code, str(error), raw=",".join(map(str, row))[:RAW])
        return event_of_normal(message, message, number, position, *self._tools, table.notes)
