"""What somebody sees before saying yes to a push: into which account, what changes there, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from rich.text import Text

from fsseg.figures import counted, number
from fsseg.report.console import Glyphs, sanitise
from fsseg.report.formats.text_lines import NARROWEST, hanging
from fsseg.report.humanize import cut, pad
from fsseg.report.model import cost
from fsseg.state.actions import Action
from fsseg.state.overview import Overview, Undoing

MOST_NAMES = 8
"""Fields and events that are named on a line."""
_LONGEST_NAME = 60
_MARGIN = 2


class _Row(NamedTuple):
    """A count and what it is made of: names, each with the words that follow it."""

    label: str
    style: str
    amount: str
    details: list[tuple[str, str]]


def preview_lines(
    overview: Overview, *, account: str, edition: str, run: str, per_hour: int | None, width: int, glyphs: Glyphs
) -> Iterator[Text]:
    """The account and the run, what would be pushed and what left out, and the requests and time that it takes."""
    dot = f" {glyphs.dot} "
    yield Text.assemble("Into ", (sanitise(account), "bold"), dot, sanitise(edition), dot, f"run {sanitise(run)}")
    yield Text()
    rows = [*_pushed(overview), *_left_out(overview)]
    yield from _table(rows, width, glyphs)
    if rows and (overview.is_empty or overview.requests is not None):
        yield Text()
    if overview.is_empty:
        yield Text("Nothing to push.")
    elif overview.requests is not None:
        yield Text(f"{'Up to' if overview.is_most else 'About'} {cost(overview.requests, overview.seconds, per_hour)}.")


def undo_question(undoing: Undoing) -> str | None:
    """What to ask before an undo; None if nothing would be put back or deleted."""
    counts = ((undoing.put_back, "put back", "changed"), (undoing.delete, "delete", "created"))
    parts = [f"{verb} {counted(count, 'record')} that {{}} {what}" for count, verb, what in counts if count]
    if not parts:
        return None
    question = " and ".join(parts).format(f"run {sanitise(undoing.run)}", "it")
    return f"{question[0].upper()}{question[1:]}?"


def left_line(undoing: Undoing) -> str:
    """What an undo leaves there; empty if that is nothing."""
    if not undoing.left:
        return ""
    stays = "stays" if undoing.left == 1 else "stay"
    return f"{counted(undoing.left, 'record')} that it created {stays}: --delete-created deletes what it created"


def _pushed(overview: Overview) -> Iterator[_Row]:
    for entity, count in overview.creates.items():
        yield _Row(Action.CREATE, "green", counted(count, sanitise(entity)), [])
    for entity, count in overview.updates.items():
        fields = {field: records for (owner, field), records in overview.touched.items() if owner == entity}
        yield _Row(Action.UPDATE, "yellow", counted(count, sanitise(entity)), _most_frequent(fields, len(fields)))
    if overview.cleared:
        # All of them, however many they are: what is cleared by mistake is lost.
        fields_of = [(field, f" of {counted(n, sanitise(entity))}") for (entity, field), n in overview.cleared.items()]
        yield _Row("clear", "bold red", counted(sum(overview.cleared.values()), "value"), fields_of)
    if overview.entry_count:
        events = _most_frequent(overview.entries, overview.entry_names)
        yield _Row("add", "green", counted(overview.entry_count, "entry", "entries"), events)


def _left_out(overview: Overview) -> Iterator[_Row]:
    for entity, count in overview.conflicts.items():
        records = counted(count, "entry", "entries") if entity == "timeline" else counted(count, sanitise(entity))
        yield _Row(Action.CONFLICT, "red", records, [("left alone", "")])
    if overview.rejected:
        codes = _most_frequent(overview.rejected, len(overview.rejected))
        yield _Row("reject", "red", counted(sum(overview.rejected.values()), "event"), codes)


def _most_frequent(counts: Mapping[str, int], names: int) -> list[tuple[str, str]]:
    """The first of `counts`, and how many more of all `names` there are."""
    first = [(name, f" {number(count)}") for name, count in islice(counts.items(), MOST_NAMES)]
    more = names - len(first)
    return [*first, (f"and {number(more)} more", "")] if more > 0 else first


def _table(rows: list[_Row], width: int, glyphs: Glyphs) -> Iterator[Text]:
    """Labels, numbers and their units in columns; the label once where several rows have it, details beside them."""
    split = [row.amount.partition(" ") for row in rows]
    labels = max((len(row.label) for row in rows), default=0)
    figures = max((len(figure) for figure, _, _ in split), default=0)
    units = max((len(unit) for _, _, unit in split), default=0)
    indent = _MARGIN + labels + 2 + figures + 1 + units + 2
    room = width - (indent if width - indent >= NARROWEST else 4)
    label = ""
    for row, (figure, _, unit) in zip(rows, split, strict=True):
        shown, label = "" if row.label == label else row.label, row.label
        counts = f"  {figure:>{figures}} {pad(unit, units)}  "
        start = Text.assemble(" " * _MARGIN, (pad(shown, labels), row.style), counts)
        pieces = _pieces(row.details, room, glyphs)
        for line in hanging(start, pieces, indent, width) if pieces else (start,):
            line.rstrip()
            if row.label == "clear":  # what wrecks a CRM is seen first
                line.stylize(row.style)
            yield line


def _pieces(details: Iterable[tuple[str, str]], room: int, glyphs: Glyphs) -> list[str]:
    """Each detail as a piece that fits on a line, with a comma if another one follows."""
    details = list(details)
    last = len(details) - 1
    endings = [words + ("," if at < last else "") for at, (_, words) in enumerate(details)]
    return [
        cut(sanitise(name), min(_LONGEST_NAME, room - len(ending)), glyphs.ellipsis) + ending
        for (name, _), ending in zip(details, endings, strict=True)
    ]
