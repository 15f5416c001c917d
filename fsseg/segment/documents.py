"""JSON that goes on over line ends: arrays of any size, pretty-printed messages and batch bodies, one after another."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fsseg.segment.lines import KEEP, LINE_LIMIT, Oversized, Piece
from fsseg.segment.open import Source

SEPARATORS = b" \t\r\n\v\f,\x1e\xef\xbb\xbf"
"""What may stand between messages: blanks, commas, the sign of JSON text sequences, and byte order marks."""

DOCUMENT_LIMIT = 64 << 20
"""An object on its own may be a whole batch body; an item of an array is one message."""

# Possessive repeats of groups are left out: Python 3.11 gets them wrong. Nothing here needs them to stay linear.
_BETWEEN = re.compile(rb"(?:[\s,\[\]\x1e]|\xef\xbb\xbf)*")
_STRAY = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*"|[^,\[\]{\n\x1e]++', re.DOTALL)
_STRING_END = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*"', re.DOTALL)
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*"|[{}\[\],]', re.DOTALL)
_BOUNDARY = re.compile(rb'\}[^{}"\[\]:]*\{')
_SIGNS_OF_A_MESSAGE = (b"type", b"event", b"action", b"userId", b"anonymousId", b"user_id", b"anonymous_id")
_IN_ITEM = [b"}", b"]", b"}"]
"""What closes an item of an array that is a member of an object."""
# From here to the next brace, over all strings between; or to the quote of a string that this block doesn't end;
# or to the end of the block. One of these always follows, so that it never goes back.
_STEP = re.compile(rb'[^"{}]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*"[^"{}]*+)*(?:(["{}])|\Z)', re.DOTALL)


def objects_in(line: bytes) -> list[tuple[bytes, int]]:
    """The objects and what stands between them of a line that is no JSON by itself, each with its line within this one.

    Nothing where it is no more than one, which ends with the line.
    """
    bare = line.strip(SEPARATORS)
    is_bare = len(bare) == len(line.strip())
    if not bare.startswith(b"{") or (is_bare and not _BOUNDARY.search(bare)):
        return []
    splitter = _Splitter(LINE_LIMIT, b"\r")
    items = [(piece, number) for piece, number in splitter.feed(bare) if isinstance(piece, bytes)]
    if splitter.depth:
        items.append((b"".join(splitter.held), splitter.item_line))
    return items if len(items) > 1 or not is_bare else []


def holds_several(head: bytes) -> bool:
    """Whether a line that begins so, and is too long to be a message, is several, or an object around an array of them.

    That array is a member of the object itself, wherever among the others, and nothing before it tells a message.
    """
    closing, name, key_next, is_message = list[bytes](), b"", False, False
    for found in _TOKEN.finditer(head):
        token = found[0]
        if token[:1] == b'"':
            if key_next and token[1:-1] in _SIGNS_OF_A_MESSAGE:
                if closing == _IN_ITEM and not is_message:
                    return True
                is_message = is_message or len(closing) == 1
            elif key_next:
                name = token[1:-1]
            key_next = False
        elif token == b",":
            key_next = closing[-1:] == [b"}"]
        elif token in (b"{", b"["):
            if closing == [b"}"] and token == b"[" and name == b"batch" and not is_message:
                return True
            closing.append(b"}" if token == b"{" else b"]")
            key_next = token == b"{"
        else:
            key_next = False
            if closing:
                closing.pop()
            if not closing:
                return True
    return False


def document_items(source: Source) -> Iterator[tuple[Piece, int]]:
    """The outermost objects and what stands between them, each with its line; an item too large only as its start.

    The brackets of an outermost array merely separate, as commas do: so a missing comma costs nothing, and after a
    damaged item the next one is found. An array or object that never ends is noted in the source.
    """
    is_array = source.head.lstrip(SEPARATORS).startswith(b"[")
    line_end = b"\n" if b"\n" in source.head else b"\r"
    splitter = _Splitter(LINE_LIMIT if is_array else DOCUMENT_LIMIT, line_end)
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

    def __init__(self, limit: int, line_end: bytes) -> None:
        self.limit = limit
        self.line_end = line_end
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
                self.line += block.count(self.line_end, counted, at)
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
        self.line += block.count(self.line_end, counted)
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
        oversized = self.size > self.limit or (self.size > LINE_LIMIT and not holds_several(item[:LINE_LIMIT]))
        self.held, self.size = [], 0
        return Oversized(item[:KEEP]) if oversized else item
