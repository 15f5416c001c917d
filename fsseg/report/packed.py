"""Lines of JSON inside a page, packed so closely that it can hold those of a whole run: deflated, then base64."""

from __future__ import annotations

import zlib
from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from fsseg.report.files import JsonLinesFile
from fsseg.segment.json_codec import dumps

MOST_BYTES = 64 << 20
"""Of the lines of one kind, before they are packed: some 200,000 records, which a browser goes through at once."""


_LINE = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
_LAST_BLOCK = b"\x03\x00"
"""Ends what is deflated: an empty block that says that it is the last."""


class Packed(NamedTuple):
    """Packed lines, to which more may be added, and how many they are."""

    data: bytes
    rows: int

    @property
    def text(self) -> str:
        """The packed lines as text, as a page holds them."""
        return b64encode(self.data + _LAST_BLOCK).decode()

    def __add__(self, more: Any) -> Packed:
        """These lines, and then those."""
        return Packed(self.data + more.data, self.rows + more.rows)


class Packer:
    """Packs lines as they come."""

    def __init__(self) -> None:
        # Without the header and the sum that zlib has around them, packed lines can be put one after the other.
        self._deflate = zlib.compressobj(1, wbits=-zlib.MAX_WBITS)
        self._packed, self._rows = bytearray(), 0

    def add(self, lines: bytes, rows: int) -> None:
        """Add some whole lines; `rows` is how many they are."""
        self._packed += self._deflate.compress(lines)
        self._rows += rows

    def packed(self) -> Packed:
        """All lines that were added; no more can be added afterwards."""
        return Packed(bytes(self._packed + self._deflate.flush(zlib.Z_FULL_FLUSH)), self._rows)


def pack(rows: Iterable[dict[str, Any]], most: int = MOST_BYTES) -> Packed:
    """The first rows, up to so many bytes; those of a file are taken as they stand there."""
    packer = Packer()
    for block in rows.blocks(most) if isinstance(rows, JsonLinesFile) else _blocks(rows, most):
        packer.add(block, block.count(b"\n"))
    return packer.packed()


def _blocks(rows: Iterable[dict[str, Any]], most: int) -> Iterator[bytes]:
    for row in rows:
        line = dumps(row, _LINE)
        most -= len(line)
        if most < 0:
            return
        yield line
