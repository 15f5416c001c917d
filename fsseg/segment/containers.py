"""What a file's content is: lines, JSON over several lines, or something this reader doesn't know.

A new container is one more row in `CONTAINERS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, NamedTuple

import orjson

from fsseg.segment.documents import document_items
from fsseg.segment.lines import Piece, lines_of
from fsseg.segment.open import GZIP, Source

Numbered = tuple[Piece, int]
"""Content that holds a message, or several, and the number of the line it begins in."""


class Container(NamedTuple):
    """One kind of content: its name in reports, whether a source is of it, and how its pieces are read."""

    name: str
    claims: Callable[[Source], bool]
    pieces: Callable[[Source], Iterator[Numbered]]


def container_of(source: Source) -> Container:
    """The first row that claims the content; lines where none does, of which each says for itself what it is."""
    return next((container for container in CONTAINERS if container.claims(source)), LINES)


def _lines(source: Source) -> Iterator[Numbered]:
    return zip(lines_of(source), count(1))


_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*"', re.DOTALL)
_WRAPPER = re.compile(rb'\s*\{\s*"\w+"\s*:\s*\[\s*\{')


def _is_spread(source: Source) -> bool:
    """Whether JSON goes on over line ends, or fills one line that is too long to be a message.

    A damaged first line must not turn a file of lines into this: what follows it would be swallowed.
    """
    head = source.head.lstrip()
    first, newline, rest = head.partition(b"\n")
    if not newline and not source.whole:
        return head.startswith(b"[") or _WRAPPER.match(head) is not None
    if head.startswith(b"["):
        return not isinstance(_json(first), list) or not _json(first)
    if not head.startswith(b"{") or isinstance(_json(first), dict):
        return False
    tokens = _STRING.sub(b"", first)
    if b'"' in tokens or tokens.count(b"{") + tokens.count(b"[") <= tokens.count(b"}") + tokens.count(b"]"):
        return False
    following = [line for line in rest.split(b"\n") if line.strip()][:2]
    return not all(isinstance(_json(line), dict) for line in following)


def _json(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


# fmt: off
_COLUMNS = {
    "type", "id", "event", "userid", "user_id", "anonymousid", "anonymous_id", "messageid", "received_at", "email",
}
# fmt: on
_LOOKS_JSON = re.compile(rb"^\s*[{\[]", re.MULTILINE)


def _is_csv(head: bytes) -> bool:
    first = head.partition(b"\n")[0].decode("utf-8", "replace").strip()
    cells = [cell.strip().strip('"').strip().lower() for cell in re.split(r"[,;\t|]", first)]
    named = all(cell and not set(cell) & set('{}[]:"') for cell in cells)
    return len(cells) > 1 and named and not _COLUMNS.isdisjoint(cells)


def _is_binary(head: bytes) -> bool:
    return b"\0" in head[:1024] and not _LOOKS_JSON.search(head[:65_536])


def _foreign(detail: str, claims: Callable[[bytes], bool], code: str = "unknown_container") -> Container:
    """Content that is recognised only to say what it is."""

    def refuse(source: Source) -> Iterator[Numbered]:
        source.cut(detail, code=code)
        return iter(())

    return Container("unknown", lambda source: claims(source.head), refuse)


def _starts(*magic: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(magic)


_OTHER_PACKERS = (b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
LINES = Container("jsonl", lambda source: True, _lines)
CONTAINERS = (
    _foreign("the file is UTF-16: save it as UTF-8", _starts(b"\xff\xfe", b"\xfe\xff"), "not_utf8"),
    _foreign("a Parquet file: export it as JSON lines", _starts(b"PAR1")),
    _foreign("packed, but not with gzip: unpack it first", _starts(*_OTHER_PACKERS)),
    _foreign("packed with gzip too many times", _starts(GZIP)),
    _foreign("a CSV table: export it as JSON lines", _is_csv),
    _foreign("neither JSON nor text", _is_binary),
    Container("json", _is_spread, document_items),
    LINES,
)
