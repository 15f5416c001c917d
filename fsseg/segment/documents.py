"""JSON that goes on over line ends: arrays of any size, pretty-printed messages and batch bodies, one after another."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fsseg.segment.lines import KEEP, LINE_LIMIT, Oversized, Piece
from fsseg.segment.open import Source

DOCUMENT_LIMIT = 64 << 20
"""An object on its own may be a whole batch body; an item of an array is one message."""

# Possessive repeats of groups are left out: Python 3.11 gets them wrong. Nothing here needs them to stay linear.
_BETWEEN = re.compile(rb"[\s,\[\]]*+")
_STRAY = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*"|[^,\[\]{\n]++', re.DOTALL)
_STRING_END = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*"', re.DOTALL)
# From here to the next brace, over all strings between; or to the quote of a string that this block doesn't end;
# or to the end of the block. One of these always follows, so that it never goes back.
_STEP = re.compile(rb'[^"{}]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*"[^"{}]*+)*(?:(["{}])|\Z)', re.DOTALL)


def document_items(source: Source) -> Iterator[tuple[Piece, int]]:
    """The outermost objects and what stands between them, each with its line; an item too large only as its start.

    The brackets of an outermost array merely separate, as commas do: so a missing comma costs nothing, and after a
    damaged item the next one is found. An array or object that never ends is noted in the source.
    """
    splitter = _Splitter(DOCUMENT_LIMIT if source.head.lstrip().startswith(b"{") else LINE_LIMIT)
    carry = b""
    for block in source.blocks:
        block = carry + block
        # A block must not end between a backslash and what it escapes.
        carry = b"\\" if (len(block) - len(block.rstrip(b"\\"))) % 2 else b""
        yield from splitter.feed(block[: len(block) - len(carry)])
    if splitter.depth:
        source.cut("the file ends within an object", b"".join(splitter.held)[:KEEP])
    elif splitter.arrays > 0:
        source.cut("the file ends within an array")


class _Splitter:
    """Finds where objects begin and end, a block at a time; looks at no byte twice."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.arrays = 0
        self.depth = 0
        self.quoted = False
        self.line = 1
        self.item_line = 1
        self.held: list[bytes] = []
        self.size = 0

    def feed(self, block: bytes) -> list[tuple[Piece, int]]:
        items: list[tuple[Piece, int]] = []
        at = counted = 0
        while True:
            if not self.depth:
                between = _BETWEEN.match(block, at)
                assert between
                at = between.end()
                self.arrays += between[0].count(b"[") - between[0].count(b"]")
                if at == len(block):
                    break
                self.line += block.count(b"\n", counted, at)
                self.item_line, counted = self.line, at
            begin = at
            if not self.depth and block[at] != 0x7B:
                stray = _STRAY.match(block, at)
                assert stray
                at = stray.end()
            else:
                at = self._object_end(block, at)
            self._hold(block[begin:at])
            if self.depth:
                break
            items.append((self._item(), self.item_line))
        self.line += block.count(b"\n", counted)
        return items

    def _object_end(self, block: bytes, at: int) -> int:
        """Where the object around `at` ends, or the end of the block, with `depth` and `quoted` as they are there."""
        if self.quoted:
            closing = _STRING_END.match(block, at)
            if not closing:
                return len(block)
            self.quoted = False
            at = closing.end()
        depth, step = self.depth, _STEP.match
        while (found := step(block, at)) and found[1]:
            at = found.end()
            if found[1] == b"{":
                depth += 1
            elif found[1] == b"}":
                depth -= 1
                if not depth:
                    break
            else:
                self.quoted = True
                at = len(block)
                break
        else:
            at = len(block)
        self.depth = depth
        return at

    def _hold(self, part: bytes) -> None:
        self.size += len(part)
        self.held.append(part if self.size <= self.limit else part[:KEEP])
        if self.size > self.limit:
            self.held = [b"".join(self.held)[:KEEP]]

    def _item(self) -> Piece:
        item = b"".join(self.held)
        oversized = self.size > self.limit
        self.held, self.size = [], 0
        return Oversized(item) if oversized else item
