"""Rows of tables as JSON lines: an object a row, its columns for names."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import orjson

from fsseg.segment import json_codec
from fsseg.segment.lines import KEEP, Oversized, lines_of
from fsseg.segment.open import Source
from fsseg.segment.tables.csv_rows import Fault

_OF_MESSAGES = {"messageId", "userId", "anonymousId", "properties", "traits", "batch"}
"""Names that tell a message from a row."""
_LOOKED_AT = 100
"""Lines of which damaged ones are passed over until there is an object."""


def columns_of_rows(source: Source) -> list[str]:
    """The names in the first line that is an object, where that is no message, but may be a row of a table."""
    for line in source.head.split(b"\n", _LOOKED_AT)[:_LOOKED_AT]:
        if line.lstrip().startswith(b"["):
            return []
        if isinstance(row := _object(line), dict):
            return [*row] if _OF_MESSAGES.isdisjoint(row) else []
    return []


def _object(line: bytes) -> Any:
    try:
        return json_codec.loads(line) if line.lstrip().startswith(b"{") else None
    except orjson.JSONDecodeError:
        return None


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
