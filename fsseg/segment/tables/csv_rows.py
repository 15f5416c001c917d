"""Rows of CSV text of any size: what is wrong with one row costs that row, and no other."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import chain, count, islice
from typing import Any, NamedTuple

from fsseg.segment.lines import LINE_LIMIT, Oversized, Piece, line_blocks
from fsseg.segment.open import Source

csv.field_size_limit(LINE_LIMIT)

_MOST_LINES = 2_000
"""Lines that a row may take; a quote that is open for longer was never closed."""
_ODD = (csv.Error, UnicodeDecodeError, TypeError)
"""What the rows of lines raise that aren't all whole and UTF-8, and well quoted."""
_NULL = "\\N"
"""What warehouses write into a cell that holds nothing."""
_ALIKE = 50
"""Rows that are taken to be written like one that can't just be split."""
_RETURN = re.compile(rb"(?<=\r)(?=[^\r\n])")
"""Where a line goes on after a return: an old Macintosh ended it there, if no quote is open."""
_MARK = "\udc00"
"""Stands before the beginning of a line that is too large; no text that was decoded can hold it."""


class Fault(NamedTuple):
    """A row that can't be used: the reason's code, what is wrong, and how the row begins."""

    code: str
    detail: str
    raw: str


Row = tuple[list[str] | Fault, int]
"""The cells, or why there are none, and the row's number as a spreadsheet counts: the header is row 1."""


def csv_rows(source: Source, delimiter: str) -> Iterator[Row]:
    """All rows, the header and blank ones too."""
    number, carry = 1, list[Piece]()
    dialect = csv.reader([], delimiter=delimiter, strict=True).dialect
    for pieces in line_blocks(_with_line_ends(source)):
        lines = [*carry, *pieces]
        carry, at = [], 0
        # Rows are made as they are used: while they are in the processor's cache, that takes half the time.
        texts = map(bytes.decode, lines)  # type: ignore[arg-type]  # an Oversized raises
        try:
            for text in texts:
                if (row := _split(text.rstrip("\r\n"), delimiter)) is not None:
                    yield _without_nulls(row) if "\\" in text else row, number
                    number, at = number + 1, at + 1
                    continue
                reader = csv.reader(chain((text,), texts), dialect)
                begin = at
                for row in islice(reader, _ALIKE):
                    yield _without_nulls(row) if _NULL in row else row, number
                    number, at = number + 1, begin + reader.line_num
        except _ODD:
            found, carry = _one_by_one(lines[at:], delimiter, is_last=False)
            yield from zip(found, count(number), strict=False)
            number += len(found)
    while carry:
        found, carry = _one_by_one(carry, delimiter, is_last=True)
        yield from zip(found, count(number), strict=False)
        number += len(found)


def _split(line: str, delimiter: str) -> list[str] | None:
    """The cells of a line, sooner than `csv` has them; None where quotes or returns stand in a cell, or are odd."""
    if "\r" in line:
        return None
    parts = line.split('"')
    if len(parts) == 1:
        return line.split(delimiter) if line else []
    if len(parts) % 2 == 0:
        return None
    # Every other part is a quoted cell; with these ends, each of the others begins and ends with a delimiter.
    parts[0] = delimiter + parts[0]
    parts[-1] += delimiter
    row: list[str] = []
    is_quoted = False
    for part in parts:
        if is_quoted:
            row.append(part)
        elif part != delimiter:
            if part[:1] != delimiter or part[-1] != delimiter:
                return None
            row += part[1:-1].split(delimiter)
        is_quoted = not is_quoted
    return row


def _with_line_ends(source: Source) -> Source:
    """The source, with the line ends of an old Macintosh read as today's."""
    if b"\r" in source.head and b"\n" not in source.head:
        source.blocks = (block.replace(b"\r", b"\n") for block in source.blocks)
    return source


def _without_nulls(row: list[str]) -> list[str]:
    return ["" if cell == _NULL else cell for cell in row]


def _as_text(piece: Piece) -> str:
    """A line as text, from which `_checked` tells that it was too large or isn't UTF-8."""
    if isinstance(piece, Oversized):
        return f"{_MARK}{piece.start.decode('utf-8', 'replace')}".replace('"', "'").replace("\n", " ") + "\n"
    return piece.decode("utf-8", "surrogateescape")


def _checked(row: list[str]) -> list[str] | Fault:
    """The row, unless a line of it was too large or isn't UTF-8."""
    text = ",".join(row)
    if text.startswith(_MARK):
        return Fault("too_large", "the row is too large for an event", text[1:])
    try:
        text.encode()
    except UnicodeEncodeError:
        return Fault("not_utf8", "the row is not UTF-8", text.encode("utf-8", "replace").decode())
    return _without_nulls(row)


def _one_by_one(pieces: list[Piece], delimiter: str, *, is_last: bool) -> tuple[list[list[str] | Fault], list[Piece]]:
    """The rows, and the lines of one that goes on beyond them. After a row at fault the next line begins another."""
    rows: list[list[str] | Fault] = []
    pieces = [part for piece in pieces for part in ([piece] if isinstance(piece, Oversized) else _RETURN.split(piece))]
    lines, at = [_as_text(piece) for piece in pieces], 0
    while at < len(lines):
        reader: Any = csv.reader(lines[at:], delimiter=delimiter, strict=True)
        begin = at
        while True:
            at = begin + reader.line_num
            try:
                rows.append(_checked(next(reader)))
            except StopIteration:
                return rows, []
            except csv.Error as error:
                rest = lines[at:]
                is_open = begin + reader.line_num >= len(lines) and "end of data" in str(error)
                if is_open and not is_last and len(rest) < _MOST_LINES and sum(map(len, rest)) < LINE_LIMIT:
                    return rows, pieces[at:]
                why = "a quote in the row is never closed" if is_open else f"the row's quotes don't fit: {error}"
                rows.append(Fault("bad_row", why, lines[at].encode("utf-8", "replace").decode()))
                at += 1
                break
    return rows, []
