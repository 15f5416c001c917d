"""Tables for people, safe on a terminal, as wide as it at most; in a pipe nothing is cut or wrapped."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from fsseg.report.console import ENDLESS, glyphs, line_width, sanitise, text_width
from fsseg.report.formats.text_lines import hanging
from fsseg.report.humanize import cut, cut_start, pad

_WIDEST = 72
"""Columns that cells in a pipe are filled up to: a wider one moves the rest of its row."""

_NARROW = 24
"""With less room than this beside the others, a last column that doesn't fit stands below them."""

_LEAST = 10
"""Columns to which a cell is cut at most."""

_BELOW = 8
"""Columns that it is indented by there."""


def print_table(
    console: Console,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Iterable[str] = (),
    giving: Iterable[str] = (),
    ends: Iterable[str] = (),
    styles: Sequence[str] = (),
) -> None:
    """Print rows under a dim head (none where every name of `columns` is empty), indented by two.

    `right` names the columns of figures, `giving` those that are cut so that the last column stays beside them, and
    `ends` those of which the end is worth more than the beginning; `styles` gives the Rich style of the first cell of
    each row.
    """
    # By hand, as Rich's tables take seven times as long for thousands of rows, and put nothing below a row.
    cells = [[sanitise(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(columns, *cells, strict=True)]
    layout = _layout(
        console, widths, _numbers(columns, giving), right=_numbers(columns, right), ends=_numbers(columns, ends)
    )
    if any(columns):
        beside = layout.room >= cell_len(columns[-1])
        head = layout.line(columns).append(columns[-1] if beside else "")
        head.rstrip()
        head.stylize("dim")
        console.print(head, soft_wrap=True)
    for number, (*row, text) in enumerate(cells):
        start = layout.line(row)
        if number < len(styles) and styles[number]:
            start.stylize(styles[number], 2, 2 + len(row[0]))
        fits = cell_len(text) <= layout.room
        for piece in [start.append(text)] if fits else _wrapped(start, text, layout.room, line_width(console)):
            piece.rstrip()
            console.print(piece, soft_wrap=True)


def _numbers(columns: Sequence[str], names: Iterable[str]) -> set[int]:
    """Where the columns of these names stand."""
    return {columns.index(name) for name in names if name in columns}


class _Layout(NamedTuple):
    """How wide all cells of a row but the last are, how they stand there, and what room is left for the last."""

    widths: Sequence[int]
    room: int
    right: set[int]
    ends: set[int]
    ellipsis: str | None
    """What a cell is cut with that is too wide; None where none is."""

    def line(self, row: Sequence[str]) -> Text:
        """A row without its last cell."""
        padded = []
        for at, (cell, width) in enumerate(zip(row, self.widths, strict=False)):
            if self.ellipsis is not None:
                cell = (cut_start if at in self.ends else cut)(cell, width, self.ellipsis)
            padded.append(" " * (width - cell_len(cell)) + cell if at in self.right else pad(cell, width))
        return Text("  " + "".join(f"{cell}  " for cell in padded))


def _layout(console: Console, widths: list[int], giving: set[int], *, right: set[int], ends: set[int]) -> _Layout:
    """The layout of columns whose widest cells are as wide as that."""
    if not console.is_terminal:
        return _Layout([min(width, _WIDEST) for width in widths[:-1]], ENDLESS, right, ends, None)
    *others, last = widths
    fitting = _fitting(others, giving, line_width(console), min(last, _NARROW))
    return _Layout(fitting, line_width(console) - _indent(fitting), right, ends, glyphs(console).ellipsis)


def _indent(widths: Sequence[int]) -> int:
    """Columns before the last cell."""
    return 2 + sum(widths) + 2 * len(widths)


def _fitting(widths: list[int], giving: set[int], width: int, last: int) -> list[int]:
    """The widths of all cells but the last: some give way where that lets it stay, all where a row is too wide."""
    narrowed = _narrowed(widths, giving, _indent(widths) + last - width)
    if _indent(narrowed) + last <= width:
        return narrowed
    for narrowing in (giving, {*range(len(widths))}):
        widths = _narrowed(widths, narrowing, _indent(widths) - 2 - width)
    return widths


def _narrowed(widths: Sequence[int], giving: set[int], excess: int) -> list[int]:
    """Without so many columns, each taken from the widest of `giving` that has any left to give."""
    narrowed = list(widths)
    for _ in range(excess):
        widest = max(giving, key=narrowed.__getitem__, default=None)
        if widest is None or narrowed[widest] <= _LEAST:
            break
        narrowed[widest] -= 1
    return narrowed


def _wrapped(start: Text, last: str, room: int, width: int) -> Iterator[Text]:
    """The last cell of a row wrapped beside what stands before it, or below where there is too little room."""
    beside = room >= _NARROW
    indent = " " * (cell_len(start.plain) if beside else _BELOW)
    pieces = textwrap.wrap(last, room if beside else max(width - _BELOW, _NARROW))
    first, *others = (pieces or [""]) if beside else ["", *pieces]
    yield start.append(first)
    yield from (Text(indent + piece) for piece in others)


def heading(console: Console, text: str) -> None:
    """Print a bold line above what follows."""
    print_sentence(console, text, "bold")


def print_sentence(console: Console, text: str, style: str = "") -> None:
    """Print text that is wrapped between its words on a terminal."""
    words = sanitise(text).replace(" · ", f" {glyphs(console).dot} ").split(" ")
    for line in hanging(Text(), words, 0, text_width(console)):
        line.stylize(style)
        console.print(line, soft_wrap=True)
