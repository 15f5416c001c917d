"""From an input to its bytes, as they are once unpacked."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

from msgspec import Struct

from fsseg.segment.archives import SEPARATOR, open_member, split_member
from fsseg.segment.hints import NO_HINTS, Hints
from fsseg.segment.objects import open_remote
from fsseg.segment.packing import CHUNK, LAYERS, packing_of, unpacked
from fsseg.segment.stores import is_remote

STDIN = "-"
_HEAD = 1 << 20
_BYTE_ORDER_MARKS = re.compile(rb"\A(?:\xef\xbb\xbf)+")
"""UTF-8's; some programs put one before another."""


class Input(Struct, frozen=True):
    """One file to read, or a part of a plain one.

    A part is the lines, or groups of rows, that begin within the bytes [start, end), unpacked ones where the file is
    packed; of CSV, the rows after the row `start` until the row `end`.
    """

    path: str
    """`-` is standard input."""
    number: int
    """Makes positions unique and ordered among the inputs of a run."""
    start: int = 0
    end: int | None = None
    hints: Hints = NO_HINTS
    has_rows: bool = False
    """Whether a part is of a table."""
    is_packed: bool = False
    """Whether a part is of lines that are packed."""


class Unreadable(NamedTuple):
    """A path that names nothing readable, and why."""

    path: str
    reason: str


class UnreadableInput(Exception):
    """An input that could not be opened, or not be read to its end."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def open_bytes(path: str, stdin: BinaryIO | None = None) -> AbstractContextManager[Any]:
    """The file, an object, a file in an archive, or standard input, which stays open. Raises OSError."""
    if path == STDIN:
        return nullcontext(stdin or sys.stdin.buffer)
    if is_remote(path) and not split_member(path)[1]:
        return open_remote(path)
    if SEPARATOR in path and split_member(path)[1]:
        return nullcontext(open_member(path))
    return open(path, "rb", buffering=0)


def blocks_of(file: Any) -> Iterator[bytes]:
    """The bytes as they come, at most `CHUNK` at a time."""
    return iter(partial(file.read, CHUNK), b"")


class Source:
    """The content of an input in blocks, the first of a MiB and more: unzipped, without a UTF-8 byte order mark.

    What it is packed with is told by content, never by name. Once the blocks are used up, `fault` says why the content
    ended too early or was not read (empty where it was), `code` is the reason code of that, and `rest` the unfinished
    line or item.
    """

    def __init__(self, blocks: Iterator[bytes], inside: bool = False) -> None:
        """`inside` says that the blocks don't begin where the file does, so that their first bytes mean nothing."""
        self.code = "truncated"
        self.fault = ""
        self.rest = b""
        self.packing = ""
        """The ending that files packed like it have, such as `.gz`."""
        head = _gather(blocks)
        for _ in range(0 if inside else LAYERS):
            if not (name := packing_of(head)):
                break
            self.packing = self.packing if self.packing == f".{name}" else f".{name}{self.packing}"
            blocks = unpacked(name, chain([head], blocks), self.cut)
            head = _gather(blocks)
        self.head = head if inside else _BYTE_ORDER_MARKS.sub(b"", head)
        """The beginning, up to a MiB, for a look before the blocks are used; it is their first one too."""
        self.whole = len(head) < _HEAD
        self.blocks: Iterator[bytes] = chain([self.head], blocks)

    def cut(self, fault: str, rest: bytes = b"", code: str = "truncated") -> None:
        """Note why there is no more; the first fault stands."""
        if not self.fault:
            self.code, self.fault, self.rest = code, fault, rest


def _gather(blocks: Iterator[bytes]) -> bytes:
    parts: list[bytes] = []
    size = 0
    while size < _HEAD and (block := next(blocks, b"")):
        parts.append(block)
        size += len(block)
    return b"".join(parts)
