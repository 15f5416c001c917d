"""Lines of JSON inside a page, packed so closely that it can hold those of a whole run: deflated, then base64."""

from __future__ import annotations

import zlib
from base64 import b64encode
from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from fsseg.report.changes import Sample
from fsseg.report.files import JsonLinesFile
from fsseg.segment.json_codec import dumps

MOST_BYTES = 64 << 20
"""Of the lines of one kind, before they are packed: some 200,000 records, which a browser goes through at once."""


_LINE = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS


class Packed(NamedTuple):
    """Packed lines, and how many they are."""

    text: str
    rows: int


def pack(rows: Iterable[dict[str, Any]], most: int = MOST_BYTES, sample: Sample | None = None) -> Packed:
    """The first rows, up to so many bytes; those of a file are taken as they stand there.

    Of the rows after these the sample's are taken too, so that what is rare is among them.
    """
    blocks = rows.blocks(most) if isinstance(rows, JsonLinesFile) else _blocks(rows, most)
    deflate, count, packed = zlib.compressobj(1), 0, bytearray()
    for block in blocks:
        count += block.count(b"\n")
        packed += deflate.compress(block)
    for row in sample.after(count) if sample is not None else ():
        count += 1
        packed += deflate.compress(dumps(row, _LINE))
    packed += deflate.flush()
    return Packed(b64encode(packed).decode(), count)


def _blocks(rows: Iterable[dict[str, Any]], most: int) -> Iterable[bytes]:
    for row in rows:
        line = dumps(row, _LINE)
        most -= len(line)
        if most < 0:
            return
        yield line
