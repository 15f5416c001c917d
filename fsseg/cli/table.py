"""Tables for people, safe on a terminal, where a last column that is too wide is wrapped."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from fsseg.report.console import glyphs, line_width, sanitise
from fsseg.report.humanize import cut, pad

_WIDEST = 44
"""Columns that a cell other than the last one may take."""

_NARROW = 24
"""With less room than this beside the others, a last column that doesn't fit stands below them."""

_BELOW = 8
"""Columns that it is indented by there."""


def print_table(
    console: Console,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Iterable[str] = (),
    styles: Sequence[str] = (),
) -> None:
    """Print rows under a dim head (none where every name of `columns` is empty), indented by two.

    `right` names the columns of figures; `styles` gives the Rich style of the first cell of each row.
    """
    # By hand, as Rich's tables take seven times as long for thousands of rows, and put nothing below a row.
    dots = glyphs(console).ellipsis
    cells = [[sanitise(cell) for cell in row] for row in rows]
    short = [[cut(cell, _WIDEST, dots) for cell in row[:-1]] for row in cells]
    widths = [max(map(cell_len, column)) for column in zip(columns[:-1], *short, strict=True)]
    room = line_width(console) - sum(widths) - 2 * len(widths) - 2
    figures = {at for at, name in enumerate(columns) if name in set(right)}

    def line(row: Sequence[str]) -> Text:
        padded = (
            " " * (width - cell_len(cell)) + cell if at in figures else pad(cell, width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=False))
        )
        return Text("  " + "".join(f"{cell}  " for cell in padded))

    if any(columns):
        head = line(columns).append(columns[-1])
        head.rstrip()
        head.stylize("dim")
        console.print(head, soft_wrap=True)
    for number, (row, last) in enumerate(zip(short, (row[-1] for row in cells), strict=True)):
        start = line(row)
        if number < len(styles) and styles[number]:
            start.stylize(styles[number], 2, 2 + len(row[0]))
        fits = not console.is_terminal or cell_len(last) <= room
        for text in [start.append(last)] if fits else _wrapped(start, last, room, line_width(console)):
            text.rstrip()
            console.print(text, soft_wrap=True)


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
    console.print(Text(sanitise(text).replace(" · ", f" {glyphs(console).dot} "), style="bold"), soft_wrap=True)
