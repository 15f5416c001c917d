"""Rows of a warehouse's table as JSON lines: an object a row, its columns for names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import count
from typing import Any

import orjson

from fsseg.segment import json_codec
from fsseg.segment.event import Original
from fsseg.segment.hints import Hints
from fsseg.segment.lines import KEEP, Oversized, lines_of
from fsseg.segment.open import Source
from fsseg.segment.tables.csv_rows import Fault
from fsseg.segment.tables.table import Table
from fsseg.segment.tables.warehouse import is_warehouse, table_of, warehouse_table

_OF_MESSAGES = {"type", "messageId", "userId", "anonymousId", "properties", "traits", "batch"}
"""Names that tell a message from a row."""


def columns_of_first(source: Source) -> list[str]:
    """The names in the first line, where that is a row of a warehouse's table."""
    first = source.head.lstrip().partition(b"\n")[0]
    try:
        row = json_codec.loads(first) if first.startswith(b"{") else None
    except orjson.JSONDecodeError:
        return []
    if not isinstance(row, dict) or not is_warehouse(list(row)) or not _OF_MESSAGES.isdisjoint(row):
        return []
    return list(row)


def json_table(source: Source, path: str, hints: Hints) -> Table | None:
    """The table whose rows the lines are; None where they are something else."""
    columns = columns_of_first(source)
    if not columns:
        return None

    @lru_cache(maxsize=1_000)
    def message_of(columns: tuple[str, ...]) -> Table:
        return warehouse_table(columns, path, hints)

    def message(cells: Sequence[Any]) -> Original:
        row = cells[0]
        values = ["" if value is None else value for value in row.values()]
        return message_of(tuple(row)).message(values)

    return Table(table_of(columns, path, hints), ("row",), message)


def json_rows(source: Source) -> Iterator[tuple[list[Any] | Fault, int]]:
    """The objects, each in a cell, with the numbers of their lines."""
    for line, number in zip(lines_of(source), count(1), strict=False):
        if isinstance(line, Oversized):
            yield Fault("too_large", "the row is too large for an event", line.start.decode("utf-8", "replace")), number
            continue
        if line.isspace():
            continue
        try:
            row = json_codec.loads(line)
        except orjson.JSONDecodeError as error:
            text = line[:KEEP].decode("utf-8", "replace")
            yield Fault("not_json", json_codec.fault(error), text), number
            continue
        yield (
            ([row], number) if isinstance(row, dict) else (Fault("not_an_object", "JSON, but no row", str(row)), number)
        )
