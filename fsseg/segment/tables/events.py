"""From the rows of a table to events and rejects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from fsseg.segment.envelope import ODD, event_of_normal, time_of
from fsseg.segment.event import Event, Rejected
from fsseg.segment.placeholders import PlaceholderIds
from fsseg.segment.tables.csv_rows import Fault
from fsseg.segment.tables.table import BadRow, PassedOver, Table
from fsseg.segment.times import FoundTime

RAW = 1_000
"""Characters of an unusable row that are kept."""


class RowEvents:
    """Makes events of the rows of one table; `number` is that of the row that was taken last."""

    def __init__(
        self, table: Table, position: int, ids: PlaceholderIds, latest: str, file_time: Callable[[], FoundTime]
    ) -> None:
        self.number = 0
        self._table = table
        self._position = position
        self._tools = ids, latest, file_time

    def of(self, rows: Iterable[tuple[Any, int]]) -> Iterator[Event | Rejected]:
        """An event or reject for each row that isn't blank, or for each group of them that is one event."""
        table, position, before = self._table, self._position, None
        width, message_of, quick = len(table.columns), table.message, table.quick
        ids, latest, _ = self._tools
        for row, number in rows:
            self.number = number
            if isinstance(row, Fault):
                yield Rejected(position, number, row.code, row.detail, raw=row.raw.rstrip("\r\n")[:RAW])
                position += 1
                continue
            if quick and len(row) == width:
                try:
                    found = quick(row)
                    time = time_of(found, ids, latest)
                except ODD:
                    pass
                else:
                    yield Event(position, number, found.type, time, found, partial(message_of, row))
                    position += 1
                    continue
            if not any(row):
                continue
            try:
                if len(row) != width:
                    row = table.fitted(row)
                if table.one_event:
                    same = [row[at] for at in table.one_event]
                    if same == before:
                        continue
                    before = same
                message = message_of(row)
            except PassedOver:
                continue
            except BadRow as error:
                text = ",".join(map(str, row))[:RAW]
                yield Rejected(position, number, error.code, str(error), raw=text)
            else:
                yield event_of_normal(message, message, number, position, *self._tools)
            position += 1
