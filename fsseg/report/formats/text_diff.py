"""The dry run's diff, streamed: `+` create, `~` update with before and after, `!` conflict, the rest counted."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from fsseg.figures import counted, number
from fsseg.report.changes import (
    CLEARED,
    SIGNS,
    Change,
    ChangeGroups,
    Totals,
    entities,
    field_lines,
    identity,
    warning_texts,
)
from fsseg.report.console import Glyphs, glyphs, line_width, sanitise
from fsseg.report.formats import Format, Report
from fsseg.report.humanize import cut, pad
from fsseg.state.actions import Action

_STYLES: dict[str, str] = {Action.CREATE: "green", Action.UPDATE: "yellow", Action.CONFLICT: "red"}
_LONGEST_NAME = 32


class TextDiff(Format):
    """The diff and how many changes there are of each kind, and nothing else of the run."""

    def write(self, console: Console, report: Report) -> None:
        groups = ChangeGroups(report.first_changes, show=report.show, limit=report.most_changes)
        for line in diff_lines(groups, glyphs(console), line_width(console)):
            console.print(line, soft_wrap=True)
        for line in total_lines(groups.totals):
            console.print(line, soft_wrap=True)


def diff_lines(groups: ChangeGroups, signs: Glyphs, width: int, file: str = "changes.jsonl") -> Iterator[Text]:
    """The changes as a header, the fields in columns and an empty line each; `file` is named as the one with all."""
    for group in groups:
        for change in (*group.changes, *group.conflicts):
            yield from _record(change, signs, width)
            yield Text()
        if group.hidden:
            more = f"  {signs.ellipsis} {counted(group.hidden, 'more change')} of this kind ({sanitise(group.entity)})"
            yield Text(f"{more}: {sanitise(file)} holds them all", style="dim")
            yield Text()


def _record(change: Change, signs: Glyphs, width: int) -> Iterator[Text]:
    action = change["action"]
    style = _STYLES.get(action, "")
    sign = SIGNS.get(action, "?")
    start = f"  {sign} {pad(sanitise(change['entity']), 8)}  "
    yield Text.assemble((start, style), (cut(identity(change), width - len(start), signs.ellipsis), "bold"))
    lines = field_lines(change)
    names = min(max((len(name) for name, _, _ in lines), default=0), _LONGEST_NAME, max(width // 3, 8))
    room = max(width - 6 - names - 3, 16)
    for name, before, after in lines:
        label = f"      {pad(cut(name, names, signs.ellipsis), names)}   "
        if action == Action.CREATE:
            yield Text.assemble(label, (cut(after, room, signs.ellipsis), "green"))
            continue
        arrow = f" {signs.arrow} "
        # The shorter side leaves what it does not need to the longer one.
        half = (room - len(arrow)) // 2
        left = cut(before, max(half, room - len(arrow) - len(after)), signs.ellipsis)
        right = cut(after, room - len(arrow) - len(left), signs.ellipsis)
        yield Text.assemble(label, (left, "red"), (arrow, "dim"), (right, "yellow" if after == CLEARED else "green"))
    for words in warning_texts(change):
        yield Text.assemble(("      ! ", "red"), cut(words, max(width - 8, 60), signs.ellipsis))


def total_lines(totals: Totals) -> Iterator[Text]:
    """A line with the counts for each entity: `lead      + 100 create  ~ 20 update  = 4 unchanged  ! 1 conflict`."""
    rows = [(entity, counts) for entity in entities(totals) if any(counts := _counts(totals, entity))]
    widths = [max((len(number(counts[i])) for _, counts in rows), default=0) for i in range(len(SIGNS))]
    for entity, counts in rows:
        line = Text(f"  {pad(sanitise(entity), 8)}")
        for (action, sign), count, width in zip(SIGNS.items(), counts, widths, strict=True):
            if any(row[1][list(SIGNS).index(action)] for row in rows):
                cell = f"  {sign} {number(count):>{width}} {action}"
                line.append(cell if count else " " * len(cell), style=_STYLES.get(action, ""))
        line.rstrip()
        yield line
    if not rows:
        yield Text("  no changes")


def _counts(totals: Totals, entity: str) -> list[int]:
    return [totals[entity, action] for action in SIGNS]
