"""How a table is written: its delimiter, and its header."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

DELIMITERS = ",;\t|:"
"""All that Segment's destinations and spreadsheets write, the usual ones first."""

_SEP = re.compile(r"\s*\"?sep=.?\"?.?\s*", re.IGNORECASE)
_NAMELESS = f'{DELIMITERS}" \r\n'
_LOOKED_AT = 1 << 16
"""Bytes, and the rest of their last line, among which the header is."""


def has_names(line: str) -> bool:
    """Whether it is the header: before that are blank lines, and one such as `sep=;`, which tells the delimiter."""
    return bool(line.strip(_NAMELESS)) and not _SEP.fullmatch(line)


def headers(head: bytes) -> Iterator[tuple[str, list[str]]]:
    """The first line with names, split at each delimiter that it has, with that; nothing where it is JSON.

    What is not UTF-8 in it is there as halves of characters.
    """
    end = head.find(b"\n", _LOOKED_AT)
    lines = head[: end if end >= 0 else None].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    texts = [f"{line.decode('utf-8', 'surrogateescape')}\n" for line in lines]
    at = next((at for at, text in enumerate(texts) if has_names(text)), len(texts))
    if at == len(texts) or texts[at].lstrip()[:1] in ("{", "[", "\x1e"):
        return
    for delimiter in DELIMITERS:
        if delimiter in texts[at]:
            try:
                cells: list[str] = next(csv.reader(texts[at:], delimiter=delimiter, strict=True))
            except csv.Error:
                continue
            yield delimiter, [cell.strip() for cell in cells]
    if not any(delimiter in texts[at] for delimiter in DELIMITERS[:4]):
        yield ",", [texts[at].strip().strip('"').strip()]
