"""The table of runs: a line for each, and on a narrow terminal what doesn't fit into it on a line beneath."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct, field
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fsseg.figures import number
from fsseg.report.console import ENDLESS, glyphs, line_width, lines_of, sanitise
from fsseg.report.humanize import cut, duration
from fsseg.report.model import OUTCOMES
from fsseg.state.actions import Action, EventOutcome
from fsseg.state.run_folder import STDIN, RunInfo, RunState

STYLES: dict[str, str] = {
    RunState.PLANNING: "cyan",
    RunState.RUNNING: "cyan",
    RunState.STOPPED: "yellow",
    RunState.PLANNED: "green",
    RunState.SUPERSEDED: "dim",
    RunState.DECLINED: "dim",
    "damaged": "red",
}

_COLUMNS = ("run", "state", "command", "inputs", "started", "took", "outcome")

_BENEATH: tuple[Sequence[str], ...] = ((), ("outcome",), ("inputs", "outcome"))
"""What stands beneath a run's line: the first of these with which the rest fits."""

_LEAST = 14
"""Columns that the inputs get in any case: enough for the end of a file's name, or for the run that is undone."""

_GAP = 2

_QUIET = (EventOutcome.UNCHANGED, EventOutcome.SKIPPED)
"""Outcomes that are told only where there is no other."""


class RunRow(Struct, frozen=True):
    """A run to be listed, without `info` where that can't be read; `records` are those of an undo's summary."""

    id: str
    account: str
    state: str
    info: RunInfo | None
    records: dict[str, dict[str, int]] = field(default_factory=dict)


class _Inputs(NamedTuple):
    """What a run read; where there is too little room, the beginning of `name` is left out."""

    before: str = ""
    name: str = ""
    after: str = ""

    def within(self, width: int, dots: str) -> str:
        whole, name = "".join(self), self.name
        if cell_len(whole) <= width:
            return whole
        room = width - cell_len(self.before + dots + self.after)
        while name and cell_len(name) > room:
            name = name[1:]
        return cut(f"{self.before}{dots}{name}{self.after}", width, dots)


class _Line(Struct, frozen=True):
    """A run in words; a cell without any is left out of `cells`."""

    row: RunRow
    inputs: _Inputs
    cells: dict[str, str]


def print_runs(console: Console, rows: Sequence[RunRow]) -> None:
    """Print the runs, of which there is at least one, in their order below the names of their accounts."""
    width = line_width(console) if console.is_terminal else ENDLESS
    lines = [_line(row, with_year=not console.is_terminal) for row in rows]
    beneath, room = _fitting(console, lines, width)
    table = _table(console, lines, [name for name in _COLUMNS if name not in beneath], room)
    head, *printed = lines_of(console, table, width)  # as many as there are rows
    for line_of_table in (head, *printed):
        line_of_table.rstrip()
    accounts = dict.fromkeys(row.account for row in rows)
    dots = glyphs(console).ellipsis
    for at, account in enumerate(accounts):
        if at:
            console.print()
        console.print(Text(cut(sanitise(account), width, dots), style="bold"), soft_wrap=True)
        console.print(head, soft_wrap=True)
        for line, text in zip(lines, printed, strict=True):
            if line.row.account == account:
                console.print(text, soft_wrap=True)
                _print_beneath(console, line, beneath, width - _GAP)


def _fitting(console: Console, lines: Sequence[_Line], width: int) -> tuple[Sequence[str], int]:
    """The best way to put the runs into that width: what stands beneath, and the room that is left for the inputs."""
    longest = max(len("inputs"), *(cell_len("".join(line.inputs)) for line in lines))
    options = console.options.update(width=ENDLESS)
    for beneath in _BENEATH[:-1]:
        others = [name for name in _COLUMNS if name not in beneath and name != "inputs"]
        room = width - console.measure(_table(console, lines, others), options=options).maximum - _GAP
        if room >= min(longest, _LEAST):
            return beneath, room
    return _BENEATH[-1], 0


def _table(console: Console, lines: Sequence[_Line], names: Sequence[str], room: int = 0) -> Table:
    dots, nothing = glyphs(console).ellipsis, "-" if console.options.ascii_only else "–"
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="dim")
    for name in names:
        table.add_column(name, no_wrap=True, justify="right" if name == "took" else "left")
    for line in lines:
        cells = {**line.cells, "inputs": line.inputs.within(room, dots)}
        styles = {"state": STYLES.get(line.row.state, "")}
        table.add_row(*(Text(cells.get(name) or nothing, styles.get(name, "")) for name in names))
    return table


def _print_beneath(console: Console, line: _Line, names: Sequence[str], width: int) -> None:
    room = max(width - _GAP - cell_len(line.cells.get("outcome", "")), _LEAST)
    cells = {**line.cells, "inputs": line.inputs.within(room, glyphs(console).ellipsis)}
    if words := "  ".join(filter(None, (cells.get(name) for name in names))):
        text = Text(words, overflow="ellipsis")  # wrapped between words; a word that is too long is cut
        console.print(Padding(text, (0, 0, 0, _GAP), expand=False))


def _line(row: RunRow, *, with_year: bool) -> _Line:
    info, cells = row.info, {"run": row.id, "state": row.state}
    if info:
        cells |= {
            "command": info.command,
            "started": _started(info.started_at, with_year),
            "took": _took(info.seconds) if info.seconds else "",
            "outcome": _outcome(row, info),
        }
    read = _inputs(info) if info else _Inputs()
    return _Line(row, _Inputs(*map(sanitise, read)), {name: sanitise(cell) for name, cell in cells.items() if cell})


def _inputs(info: RunInfo) -> _Inputs:
    """`events.jsonl +3`, `stdin`, `(undoes 2026-11-25-141200-3f)`."""
    if info.of:
        return _Inputs("(undoes " if info.command == "undo" else "(applies ", info.of, ")")
    if not info.inputs:
        return _Inputs()
    first, *others = info.inputs
    return _Inputs("", "stdin" if first == STDIN else os.path.basename(first), f" +{len(others)}" if others else "")


def _started(time: str, with_year: bool) -> str:
    """Local time; the year where it is not this one, or is wanted."""
    try:
        then = datetime.fromisoformat(time).astimezone()
    except ValueError:
        return ""
    with_year = with_year or then.year != datetime.now().year
    return f"{then:%Y-%m-%d %H:%M}" if with_year else f"{then:%m-%d %H:%M}"


def _took(seconds: float) -> str:
    """`<1 s`, `4 s`, `12 m`, `1 h 05 m`, `3 d 4 h`."""
    whole = round(seconds)
    if whole >= 3600:
        return duration(whole)
    if whole >= 60:
        return f"{whole // 60} m"
    return f"{whole} s" if whole else "<1 s"


def _outcome(row: RunRow, info: RunInfo) -> str:
    """`applied 265, failed 4, exit 1`; nothing for a run under way, of which only an earlier part is known."""
    if row.state in (RunState.PLANNING, RunState.RUNNING):
        return ""
    parts = _put_back(info, row.records) if info.command == "undo" else _events(info)
    return ", ".join([*parts, f"exit {info.exit_code}"] if info.exit_code else parts)


def _events(info: RunInfo) -> list[str]:
    met = [name for name in OUTCOMES if info.outcomes.get(name)]
    if info.outcomes and not met:
        return ["nothing read"]
    telling = [name for name in met if name not in _QUIET] or met
    planned = info.dry or info.state in (RunState.DECLINED, RunState.APPLIED)
    names: dict[str, str] = {EventOutcome.APPLIED: "would apply"} if planned else {}
    return [f"{names.get(name, name)} {number(info.outcomes[name])}" for name in telling]


def _put_back(info: RunInfo, records: dict[str, dict[str, int]]) -> list[str]:
    """What became of records and timeline entries, since an undo has no events."""
    if not records:
        return []
    total = sum(map(Counter, records.values()), Counter[str]())
    counts = {
        "put back": total[Action.UPDATE],
        "delete" if info.dry else "deleted": total[Action.DELETE],
        "leave alone" if info.dry else "left alone": total[Action.CONFLICT] + total[EventOutcome.FAILED],
    }
    nothing = ["nothing to put back"] if info.state is RunState.DONE else []
    parts = [f"{name} {number(count)}" for name, count in counts.items() if count] or nothing
    return [f"would {parts[0]}", *parts[1:]] if info.dry and any(counts.values()) else parts
