"""How a table is written: its delimiter, and its header."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

DELIMITERS = ",;\t|:"
"""All that Segment's destinations and spreadsheets write, the usual ones first."""

_SEP = re.compile(r"\s*\"?sep=.?\"?.?\s*", re.IGNORECASE)
_LONGEST = 1 << 16
"""Bytes that a header takes at most."""


def names_delimiter(line: str) -> bool:
    """Whether a line before the header only tells a spreadsheet the delimiter, as in `sep=;`."""
    return _SEP.fullmatch(line) is not None


def headers(head: bytes) -> Iterator[tuple[str, list[str]]]:
    """The first line with names, split at each delimiter that it has, with that; nothing where it is JSON."""
    lines = head[:_LONGEST].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    first = next((line for line in lines if line.strip() and not names_delimiter(line.decode("utf-8", "replace"))), b"")
    if not first or first.lstrip()[:1] in (b"{", b"[", b"\x1e"):
        return
    try:
        text = first.decode()
    except UnicodeDecodeError:
        return
    for delimiter in DELIMITERS:
        if delimiter in text:
            try:
                cells = next(csv.reader([text], delimiter=delimiter, strict=True))
            except csv.Error:
                continue
            yield delimiter, [cell.strip() for cell in cells]
    if not any(delimiter in text for delimiter in DELIMITERS[:4]):
        yield ",", [text.strip().strip('"').strip()]
