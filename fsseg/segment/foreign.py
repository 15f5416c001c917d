"""Content that is no export of events, told by what it is, so that it is one unreadable file, not many bad events."""

from __future__ import annotations

import re
from collections.abc import Callable

from fsseg.segment.json_codec import is_json
from fsseg.segment.packing import packing_of

Claims = Callable[[bytes], bool]

_ARCHIVE = "a {0} archive that is damaged, or too deep in others, or no file here and not called .{0}: unpack it first"
_DELIMITER = re.compile(r"[,;\t|]")
# Not over line ends, or what follows many blank lines would be looked at from each of them.
_LOOKS_JSON = re.compile(rb'^(?:\xef\xbb\xbf|[ \t\r\f\v,\x1e])*[{\["]', re.MULTILINE)
_MARKUP = re.compile(rb"\s*<(?:!doctype html|html|head|body|!--|\?xml|[a-z][\w:.-]*[\s>/])", re.IGNORECASE)
_MANY = 20
"""Lines that are looked at, of a text that holds nothing like JSON."""
_LOOKED_AT = 3
_TABLE = 2
"""Lines of as many cells each that make a table."""


def what_it_is(head: bytes) -> str:
    """What the content is and what to do about it; empty where it may be events. `head` is how it begins, unzipped."""
    return next((reason for reason, claims in _KINDS if claims(head)), "")


def _starts(*magic: bytes) -> Claims:
    return lambda head: head.startswith(magic)


def _is_wide(head: bytes) -> bool:
    """Whether it is UTF-16 or UTF-32 of mostly Latin text without a byte order mark: every other byte is a NUL."""
    some = head[:200]
    nulls = [some[at::2].count(0) / len(some) for at in (0, 1)] if len(some) > 3 else [0]
    return min(nulls) < 0.4 < max(nulls)


def _is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar"


def _is_binary(head: bytes) -> bool:
    return b"\0" in head[:1024] and not _LOOKS_JSON.search(head[:65_536])


def _lines(head: bytes) -> list[bytes]:
    """Its first lines, of a text with none that begins as JSON does; of anything else none."""
    if _LOOKS_JSON.search(head):
        return []
    lines = [line for line in head.splitlines()[:_MANY] if line.strip()]
    return [] if any(map(is_json, lines)) else lines


def _is_table(head: bytes) -> bool:
    lines = _lines(head)[:_LOOKED_AT]
    cells = {len(_DELIMITER.split(line.decode("utf-8", "replace"))) for line in lines}
    return len(lines) >= _TABLE and len(cells) == 1 and cells != {1}


def _is_text(head: bytes) -> bool:
    """Whether it is text and no events: a single line may be a damaged one, but not several."""
    return len(_lines(head)) > 1


_KINDS: tuple[tuple[str, Claims], ...] = (
    ("the file is UTF-16: save it as UTF-8", _starts(b"\xff\xfe", b"\xfe\xff")),
    ("an Avro file: export it as JSON lines", _starts(b"Obj\x01")),
    ("an ORC file: export it as JSON lines", _starts(b"ORC")),
    ("an SQLite database: export it as JSON lines", _starts(b"SQLite format 3\0")),
    ("a PDF document", _starts(b"%PDF-")),
    ("an image", _starts(b"\x89PNG", b"\xff\xd8\xff", b"GIF8")),
    (_ARCHIVE.format("tar"), _is_tar),
    (_ARCHIVE.format("zip"), _starts(b"PK\x03\x04", b"PK\x05\x06")),
    ("packed with 7-Zip, RAR or LZ4: unpack it first", _starts(b"7z\xbc\xaf", b"Rar!", b"\x04\x22\x4d\x18")),
    ("packed too many times: unpack it first", lambda head: bool(packing_of(head))),
    (
        "a Git LFS pointer, and not the file itself: fetch it with git lfs pull",
        _starts(b"version https://git-lfs.github.com/spec/"),
    ),
    ("a web page or XML, perhaps the error that a download ended with", lambda head: bool(_MARKUP.match(head))),
    ("the file is UTF-16: save it as UTF-8", _is_wide),
    ("neither JSON nor text", _is_binary),
    ("a table, but no column says whose rows these are: rename the one that does to userId or email", _is_table),
    ("text, but no JSON: export it as JSON lines", _is_text),
)
"""What it is and what to do, and what tells it; the first that does counts. A new kind is one more row."""
