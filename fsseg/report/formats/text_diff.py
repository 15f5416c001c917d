"""The dry run's diff, streamed: `+` create, `~` update with before and after, `!` conflict; of the rest nothing."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from rich.text import Text

from fsseg.figures import counted
from fsseg.report.changes import (
    CLEARED,
    SIGNS,
    Change,
    ChangeGroups,
    field_lines,
    identity,
    warning_texts,
)
from fsseg.report.console import Glyphs, sanitise
from fsseg.report.formats.text_lines import hanging
from fsseg.report.humanize import cut, pad
from fsseg.state.actions import Action

_STYLES: dict[str, str] = {Action.CREATE: "green", Action.UPDATE: "yellow", Action.CONFLICT: "red"}
_LONGEST_NAME = 32


def diff_lines(groups: ChangeGroups, signs: Glyphs, width: int, file: str = "changes.jsonl") -> Iterator[Text]:
    """The changes as a header, the fields in columns and an empty line each; `file` is named as the one with all."""
    for group in groups:
        for change in (*group.changes, *group.conflicts):
            if change["entity"] == "timeline" and change["action"] == Action.CREATE:
                yield _entry_line(change, signs, width)
                continue
            yield from record_lines(change, signs, width)
            yield Text()
        if group.entity == "timeline" and group.changes and not group.hidden:
            yield Text()
        if group.hidden:
            more = f"  {signs.ellipsis} {counted(group.hidden, 'more change')} of this kind ({sanitise(group.entity)})"
            yield Text(f"{more}: {sanitise(file)} holds them all", style="dim")
            yield Text()


def _entry_line(change: Change, signs: Glyphs, width: int) -> Text:
    """A new timeline entry: whose it is, what it is called, when it was, and the way it goes."""
    start = f"  {SIGNS[Action.CREATE]} timeline  "
    told = {name: after for name, _, after in field_lines(change)}
    title, time, via = (told.get(name, "") for name in ("title", "start_date", "via"))
    words = "  ".join(filter(None, (identity(change), title, time[:16].replace("T", " "), f"({via})" if via else "")))
    return Text.assemble((start, _STYLES[Action.CREATE]), cut(words, width - len(start), signs.ellipsis))


def record_lines(change: Change, signs: Glyphs, width: int) -> Iterator[Text]:
    """One change: what it does to which record, and below it the fields."""
    action = change["action"]
    style = _STYLES.get(action, "")
    sign = SIGNS.get(action, "?")
    start = f"  {sign} {pad(sanitise(change['entity']), 8)}  "
    who = identity(change)
    if cell_len(who) <= width - len(start):
        yield Text.assemble((start, style), (who, "bold"))
    else:  # the id is whole in any case: somebody looks the record up by it
        key, _, id = who.rpartition("  #") if change.get("id") is not None else ("", "", who)
        yield Text.assemble((start, style), (cut(key or id, width - len(start), signs.ellipsis), "bold"))
        if key:
            yield Text.assemble(" " * len(start), (f"#{id}", "bold"))
    lines = field_lines(change)
    # Names give way to values only as far as those need it.
    values = max(
        (cell_len(after) + (action != Action.CREATE) * (cell_len(before) + 4) for _, before, after in lines), default=0
    )
    names = min(
        max((len(name) for name, _, _ in lines), default=0), _LONGEST_NAME, max(width // 3, 8, width - 9 - values)
    )
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
        yield from hanging(Text.assemble(("      ! ", "red")), words.split(" "), 8, width)
