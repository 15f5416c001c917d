"""How a table is written: its delimiter, and its header."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

DELIMITERS = ",;\t|:"
"""All that Segment's destinations and spreadsheets write, the usual ones first."""

_SEP = re.compile(r"\s*\"?sep=.?\"?.?\s*", re.IGNORECASE)
_LOOKED_AT = 1 << 16
"""Bytes, and the rest of their last line, among which the header is."""


def names_delimiter(line: str) -> bool:
    """Whether a line before the header only tells a spreadsheet the delimiter, as in `sep=;`."""
    return _SEP.fullmatch(line) is not None


def headers(head: bytes) -> Iterator[tuple[str, list[str]]]:
    """The first line with names, split at each delimiter that it has, with that; nothing where it is JSON."""
    end = head.find(b"\n", _LOOKED_AT)
    lines = head[: end if end >= 0 else None].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    texts = [f"{line.decode('utf-8', 'surrogateescape')}\n" for line in lines]
    at = next((at for at, text in enumerate(texts) if text.strip() and not names_delimiter(text)), len(texts))
    if at == len(texts) or texts[at].lstrip()[:1] in ("{", "[", "\x1e") or not _is_whole(texts[at]):
        return
    for delimiter in DELIMITERS:
        if delimiter in texts[at]:
            try:
                cells: list[str] = next(csv.reader(texts[at:], delimiter=delimiter, strict=True))
            except csv.Error:
                continue
            if all(map(_is_whole, cells)):
                yield delimiter, [cell.strip() for cell in cells]
    if not any(delimiter in texts[at] for delimiter in DELIMITERS[:4]):
        yield ",", [texts[at].strip().strip('"').strip()]


def _is_whole(text: str) -> bool:
    """Whether it was UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
