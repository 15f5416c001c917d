"""What a file's content is: lines, JSON over several lines, or a table.

A new container is one more row in `CONTAINERS`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from typing import Any, NamedTuple, Protocol

import orjson
from msgspec.structs import replace

from fsseg.segment.documents import SEPARATORS, document_items, holds_several
from fsseg.segment.foreign import what_it_is
from fsseg.segment.lines import Piece, lines_of
from fsseg.segment.open import Input, Source
from fsseg.segment.tables.csv_rows import Row, csv_rows
from fsseg.segment.tables.dialect import has_names
from fsseg.segment.tables.json_rows import json_rows
from fsseg.segment.tables.kinds import json_table, kind_of, table_in
from fsseg.segment.tables.parquet import MAGIC, ParquetRows, whole
from fsseg.segment.tables.table import Table, UnusableTable, agreeing
from fsseg.segment.tables.warehouse import is_warehouse

Numbered = tuple[Piece, int]
"""Content that holds a message, or several, and the number of the line it begins in."""


class ForeignContent(Exception):
    """The content is no export of events; the text says what it is."""


class Container(NamedTuple):
    """One kind of content: its name in reports, whether a source is of it, and how its pieces are read."""

    name: str
    claims: Callable[[Source], bool]
    pieces: Callable[[Source], Iterator[Numbered]]


class TableContainer(Protocol):
    """A table, however it is written."""

    @property
    def name(self) -> str:
        """The container's name in reports."""

    @property
    def table(self) -> Table:
        """Which table it is."""

    def rows(self, source: Source) -> Iterator[tuple[Any, int]]:
        """The rows of the table with their numbers, without its header."""


class ParquetTable(NamedTuple):
    """A table as Parquet."""

    table: Table
    file: ParquetRows
    start: int = 0
    end: int | None = None
    name: str = "parquet"

    def rows(self, source: Source) -> Iterator[tuple[Any, int]]:
        """See `TableContainer`."""
        return self.file.rows(self.table.used, self.start, self.end)

    def can_be_split(self) -> bool:
        """Whether parts of it can be read apart, not where rows that follow each other may be one event; closes it."""
        with closing(self.file):
            return self.file.is_divided and not self.table.one_event


class JsonTable(NamedTuple):
    """A table as JSON lines."""

    table: Table
    name: str = "jsonl"

    def rows(self, source: Source) -> Iterator[tuple[Any, int]]:
        """See `TableContainer`."""
        return json_rows(source)


class CsvTable(NamedTuple):
    """A table as CSV, or a part of one: the rows after the row `start`, until the row `end`."""

    delimiter: str
    table: Table
    start: int = 0
    end: int | None = None
    name: str = "csv"

    def rows(self, source: Source) -> Iterator[Row]:
        """See `TableContainer`; those of a part are counted from its beginning on."""
        rows, start, end = csv_rows(source, self.delimiter), self.start, self.end
        for row, _ in rows:
            if has_names(self.delimiter.join(row)):
                break
        return self._part(source, rows) if start or end else rows

    def _part(self, source: Source, rows: Iterator[Row]) -> Iterator[Row]:
        """The rows of this part, and the source's fault only where that is among them."""
        number = 0
        for row, number in rows:
            if self.end is not None and number > self.end:
                break
            if number > self.start:
                yield row, number - self.start
        else:
            if number > self.start or not self.start:
                return
        source.fault = ""

    def rows_in(self, head: bytes) -> int:
        """How many rows stand in the beginning of it."""
        return sum(1 for _ in csv_rows(Source(iter([head])), self.delimiter))


def container_of(source: Source, input: Input) -> Container | TableContainer:
    """What claims the content first. Raises `ForeignContent` where it is no export of events."""
    try:
        if source.head.startswith(MAGIC):
            return _parquet(source, input)
        if rows := json_table(source, input.path, input.hints):
            return JsonTable(rows)
        if found := table_in(source, input.path, input.hints):
            return CsvTable(*found, input.start, input.end)
    except UnusableTable as error:
        raise ForeignContent(str(error)) from None
    if reason := what_it_is(source.head):
        raise ForeignContent(reason)
    return next((container for container in CONTAINERS if container.claims(source)), LINES)


def _parquet(source: Source, input: Input) -> ParquetTable:
    is_plain_file = not source.packing and os.path.isfile(input.path)
    file = ParquetRows(source.blocks, input.path if is_plain_file else None)
    table = kind_of(file.columns, input.path, input.hints)
    if table is None:
        file.close()
        raise UnusableTable("a Parquet table, but none of its columns says whose rows these are")
    table = agreeing(table)
    if table.quick and is_warehouse(file.columns):
        table = replace(table, whole=whole)
    else:
        table = replace(table, quick=None, used=range(len(file.columns)))
    return ParquetTable(table, file, input.start, input.end)


def _lines(source: Source) -> Iterator[Numbered]:
    return zip(lines_of(source), count(1))


_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*"', re.DOTALL)


_LOOKED_AT = 100
"""Lines after a damaged first one that tell whether each is a message."""


def _is_spread(source: Source) -> bool:
    """Whether JSON goes on over line ends, or fills one line that is too long to be a message.

    A damaged first line must not turn a file of lines into this: what follows it would be swallowed.
    """
    head = source.head.lstrip(SEPARATORS)
    first, newline, rest = head.partition(b"\n")
    if not newline and not source.whole:
        return head.startswith(b"[") or holds_several(head)
    if head.startswith(b"["):
        return not isinstance(_json(first), list) or not _json(first)
    if not head.startswith(b"{") or isinstance(_json(first), dict):
        return False
    tokens = _STRING.sub(b"", first)
    if b'"' in tokens or tokens.count(b"{") + tokens.count(b"[") <= tokens.count(b"}") + tokens.count(b"]"):
        return False
    following = [isinstance(_json(line), dict) for line in rest.split(b"\n", _LOOKED_AT)[:_LOOKED_AT] if line.strip()]
    # Of what is spread, the last item of an array at most stands on a line by itself.
    return not (all(following[:2]) or sum(following) > 1)


def _json(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


LINES = Container("jsonl", lambda source: True, _lines)
CONTAINERS = (
    Container("json", _is_spread, document_items),
    LINES,
)
