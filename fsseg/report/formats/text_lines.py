"""Lines of text that go on below where they began, and what is told in such lines in more than one place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

from fsseg.figures import number
from fsseg.report.model import MisfitRow, ReasonRow

NARROWEST = 24
"""Columns below which text is no longer put beside what it belongs to."""


def hanging(start: Text, pieces: Iterable[str], indent: int, width: int) -> Iterator[Text]:
    """Lines with `pieces` wrapped beside `start`, or below it where the terminal is too narrow for that."""
    if width - indent < NARROWEST:
        if start.plain.strip():
            yield start
        start, indent = Text(" " * 4), 4
    line, used, is_begun = start, max(cell_len(start.plain) - indent, 0), False
    for piece in pieces:
        size = cell_len(piece)
        if is_begun and used + 1 + size > width - indent:
            yield line
            line, used, is_begun = Text(" " * indent), 0, False
        line.append(f" {piece}" if is_begun else piece)
        used += size + is_begun
        is_begun = True
    yield line


def reason_lines(rows: Sequence[ReasonRow], width: int) -> Iterator[Text]:
    """A line for each reason with what to do, and below it where its first event stands, and what is wrong there."""
    figures = max((len(number(row.count)) for row in rows), default=0)
    codes = max((len(row.code) for row in rows), default=0)
    indent = figures + codes + 6
    for row in rows:
        start = Text.assemble(f"  {number(row.count):>{figures}}  ", (f"{row.code:<{codes}}", "bold"), "  ")
        yield from hanging(start, row.hint.split(" "), indent, width)
        if row.first:
            cause = row.cause.split(" ") if row.cause else []
            first = f"first: {row.first}" + (":" if cause else "")
            for line in hanging(Text(" " * indent), [first, *cause], indent, width):
                line.stylize("dim")
                yield line


def misfit_lines(rows: Sequence[MisfitRow], width: int) -> Iterator[Text]:
    """A line for each trait, and below it the first value with whose it is and where it stands."""
    figures = max((len(number(row.count)) for row in rows), default=0)
    traits = min(max((len(row.trait) for row in rows), default=0), max(width // 3, 8))
    indent = figures + traits + 6
    for row in rows:
        start = Text.assemble(f"  {number(row.count):>{figures}}  ", (f"{row.trait:<{traits}}", "bold"), "  ")
        yield from hanging(start, row.takes.split(" "), indent, width)
        if row.example:
            where = ", ".join(part for part in (row.key and f"of {row.key}", row.place) if part)
            first = Text(" " * indent)
            for line in hanging(first, f"first: {row.example} {where}".rstrip().split(" "), indent, width):
                line.stylize("dim")
                yield line
