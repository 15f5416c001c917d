"""What a run did with one person, event name or reason: its records, timeline entries and failed events."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator

import orjson
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from fsseg.figures import counted, number
from fsseg.report.advice import command
from fsseg.report.changes import SIGNS, Change, entry_told
from fsseg.report.console import glyphs, sanitise, text_width, write
from fsseg.report.files import email_of
from fsseg.report.formats import Report
from fsseg.report.formats.markdown import escape
from fsseg.report.formats.text_diff import record_lines
from fsseg.report.formats.text_lines import hanging
from fsseg.report.history import History, HistoryEvent
from fsseg.report.humanize import cut, pad, place, value
from fsseg.report.labels import with_choice_names
from fsseg.report.model import is_undo, reason_rows, warning_rows, where, which_run
from fsseg.report.reasons import SAYS_ALL
from fsseg.report.render import print_json
from fsseg.report.selection import Selection

_FEW_RUNS = 3
"""Earlier runs that are named."""


def print_selected(console: Console, report: Report, selection: Selection, limit: int) -> bool:
    """Print what there is, at most `limit` of each; False where that is nothing."""
    sections, more = _sections(console, report, selection, limit)
    if not sections:
        return False
    head = _head(report, selection).replace(" · ", f" {glyphs(console).dot} ")
    for line in hanging(Text(), head.split(" "), 0, text_width(console)):
        line.stylize("bold")
        _say(console, line)
    for title, rows in sections:
        _say(console, Text())
        _say(console, Text(title, style="bold"))
        for row in rows:
            _say(console, row)
    if more:
        rest = f"  {glyphs(console).ellipsis} and {number(more)} more: --limit {more + limit}"
        _say(console, Text(rest, style="dim"))
    return True


def print_selected_markdown(console: Console, report: Report, selection: Selection, limit: int) -> bool:
    """The same for a ticket, in fences that nothing in the data closes."""
    sections, more = _sections(console, report, selection, limit)
    if not sections:
        return False
    write(console, f"# {escape(_head(report, selection))}\n")
    for title, rows in sections:
        lines = [row.plain.rstrip() for row in rows]
        fence = "`" * max(3, 1 + max(len(run) for line in lines for run in ["", *re.findall("`+", line)]))
        write(console, "\n".join(["", f"## {escape(title)}", "", fence, *lines, fence, ""]))
    if more:
        write(console, f"\nand {number(more)} more\n")
    return True


def _head(report: Report, selection: Selection) -> str:
    return sanitise(f"{where(report.summary)} · {which_run(report.summary)} · {selection}")


def _sections(
    console: Console, report: Report, selection: Selection, limit: int
) -> tuple[list[tuple[str, list[Text]]], int]:
    """Titles and lines of what there is, and how many of it are left out."""
    changes, entries, failures = _selected(report, selection)
    signs, width = glyphs(console), text_width(console)
    events = report.history.events if report.history else []
    named = with_choice_names(changes[:limit], report.summary, report.run_dir)
    found = bool(events or changes or entries or failures)
    sections = [
        ("What to do", _remedies(report, selection, found, width)),
        (
            "Events" if selection.person else "Left out",
            [line for event in events[:limit] for line in _event(event, width)],
        ),
        ("Earlier runs that have this person", _earlier(report, selection.person, signs.ellipsis)),
        ("Fields, and since which event", _fields(report.history, width)),
        ("Records", [line for change in named for line in record_lines(change, signs, width)]),
        ("Timeline", [_entry(entry, width, signs.ellipsis) for entry in entries[:limit]]),
        ("Events that need you", [line for each in failures[:limit] for line in _failure(each, width)]),
    ]
    more = sum(max(len(rows) - limit, 0) for rows in (events, changes, entries, failures))
    return [(title, rows) for title, rows in sections if rows], more


def print_selected_json(console: Console, report: Report, selection: Selection) -> None:
    """All there is, as the run's files hold it."""
    changes, entries, failures = _selected(report, selection)
    asked = {"person": selection.person, "event": selection.event, "reason": selection.reason}
    history = {"history": report.history.plain()} if report.history else {}
    print_json(
        console,
        {"run_id": report.summary.get("run_id"), **asked, "changes": [*changes, *entries], "failures": failures,
         **history},
    )  # fmt: skip


def _selected(report: Report, selection: Selection) -> tuple[list[Change], list[Change], list[Change]]:
    """The records, the timeline entries by time, and the failed events."""
    found = [change for change in report.changes if selection.takes_change(change)]
    entries = sorted((change for change in found if change["entity"] == "timeline"), key=_when)
    return (
        [change for change in found if change["entity"] != "timeline"],
        entries,
        [failure for failure in report.failures if selection.takes_failure(failure)],
    )


def _remedies(report: Report, selection: Selection, found: bool, width: int) -> list[Text]:
    """How often the reason was counted, and what to do about it; of most only the number is kept."""
    if not selection.reason or selection.person or selection.event:
        return []
    code = selection.reason.strip().casefold()
    what = "record" if is_undo(report.summary) else "event"
    told = [(2, f"{counted(row.count, what)}: {row.hint}") for row in reason_rows(report.summary) if row.code == code]
    for row in warning_rows(report.summary):
        if row.code == code:
            told.append((2, f"{counted(row.count, 'time')}: {row.hint}"))
            told += [(6, f"{name} {number(count)}" + (f" ({hint})" if hint else "")) for name, count, hint in row.names]
    if told and not found:
        told.append((2, f"Only the number is kept, and not which {what}s these were."))
    return [line for indent, text in told for line in hanging(Text(" " * indent), text.split(" "), indent + 2, width)]


def _earlier(report: Report, person: str | None, ellipsis: str) -> list[Text]:
    """The earlier runs that may have delivered what was a duplicate in this one."""
    more = f"--person {shlex.quote(sanitise(person or ''))}"
    runs = report.history.earlier if report.history else ()
    lines = [
        Text(
            "  " + command("report", run, account="", run_dir=report.run_dir and report.run_dir.parent / run, more=more)
        )
        for run in runs[:_FEW_RUNS]
    ]
    if len(runs) > _FEW_RUNS:
        rest = f"  {ellipsis} and {number(len(runs) - _FEW_RUNS)} more: fsseg runs list"
        lines.append(Text(rest, style="dim"))
    return lines


def _event(event: HistoryEvent, width: int) -> Iterator[Text]:
    sets = f"sets {', '.join(event.sets)}" if event.sets else ""
    time = event.time[:19].replace("T", " ")
    cells = (time, event.type, event.name, event.place, sets, event.became)
    yield from _columns("  ", cells, 6, width)


def _columns(start: str, cells: Iterable[str], indent: int, width: int) -> Iterator[Text]:
    """Cells two blanks apart; what has no room in the line goes on below, wrapped where it takes that."""
    line, begun = Text(start), False
    for cell in filter(None, cells):
        if not begun or cell_len(line.plain) + 2 + cell_len(cell) <= width:
            line.append(f"  {cell}" if begun else cell)
        else:
            yield line
            *full, line = hanging(Text(" " * indent), cell.split(" "), indent, width)
            yield from full
        begun = True
    yield line


def _fields(history: History | None, width: int) -> list[Text]:
    rows = history.fields if history else []
    lines, record = list[Text](), ""
    names = min(max((len(row.field) for row in rows), default=0), 30)
    for row in rows:
        if row.record != record:
            record = row.record
            lines.append(Text(f"  {record}"))
        since = f"since {row.time[:19].replace('T', ' ')}" if row.time else ""
        lines += _columns("      ", (pad(row.field, names), row.value, since, row.became), 8, width)
    return lines


def _when(change: Change) -> str:
    return entry_told(change, "start_date")


def _entry(change: Change, width: int, ellipsis: str) -> Text:
    sign, time = SIGNS.get(change["action"], "?"), _when(change)[:16].replace("T", " ")
    cells = [sanitise(time), value(entry_told(change, "title")), sanitise(str(change.get("key") or ""))]
    if change.get("id"):
        cells.append(f"#{change['id']}")
    return Text(cut(f"  {sign} " + "  ".join(filter(None, cells)), width, ellipsis))


def _failure(failure: Change, width: int) -> Iterator[Text]:
    about = failure.get("_fsseg") or {}
    who = failure.get("userId") or email_of(failure) or about.get("key") or ""
    what = failure.get("event") or failure.get("name") or failure.get("type") or ""
    cells = [place(about), *(value(cell) for cell in (what, who) if cell)]
    yield Text.assemble("  ", (sanitise(str(about.get("code"))), "bold red"), "  " + "  ".join(cells))
    status = f" ({about['status']})" if about.get("status") else ""
    cause = "" if about.get("code") in SAYS_ALL else f"{about.get('message') or ''}{status}"
    for text in dict.fromkeys((cause, str(about.get("hint") or ""))):
        if text:
            yield from hanging(Text("      "), sanitise(text).split(" "), 6, width)
    event = {name: held for name, held in failure.items() if name != "_fsseg"}
    yield Text(
        f"      {sanitise(orjson.dumps(event).decode()) if event else value(about.get('raw') or '')}", style="dim"
    )


def _say(console: Console, line: Text) -> None:
    console.print(line, soft_wrap=True)
