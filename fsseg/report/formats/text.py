"""The last words of a run on the terminal: totals, reasons, warnings, requests, files and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fsseg.exit_codes import ExitCode
from fsseg.figures import counted, number
from fsseg.report.changes import Change, ChangeGroups
from fsseg.report.console import Glyphs, glyphs, line_width, lines_of, print_lines, sanitise, text_width
from fsseg.report.files import email_of
from fsseg.report.formats import Format, Report
from fsseg.report.formats.text_diff import diff_lines
from fsseg.report.formats.text_lines import hanging, misfit_lines, reason_lines
from fsseg.report.humanize import place, value
from fsseg.report.labels import with_choice_names
from fsseg.report.model import (
    Failures,
    ReasonRow,
    Summary,
    WarningRow,
    came_to_its_end,
    entry_rows,
    forecast_line,
    headline,
    is_dry,
    is_undo,
    misfit_rows,
    outcome_rows,
    plan_line,
    reason_rows,
    record_table,
    request_line,
    total_failures,
    type_parts,
    unread,
    warning_rows,
    where,
    which_run,
)
from fsseg.report.next_steps import next_steps, report_command, run_files
from fsseg.report.show import Show
from fsseg.report.standing import Standing
from fsseg.state.actions import Code, EventOutcome

STYLES: dict[str, str] = {
    EventOutcome.APPLIED: "green",
    "would apply": "green",
    EventOutcome.UNCHANGED: "dim",
    EventOutcome.SKIPPED: "dim",
    EventOutcome.REJECTED: "red",
    EventOutcome.FAILED: "red",
    EventOutcome.PENDING: "yellow",
}
_TOP = 8
"""Names that a warning lists."""
_TOP_WHEN_BRIEF = 3
"""Reasons, warnings and names that the last words of a run list."""
_BAR = 30
_LABELS: dict[str, str] = {
    Code.IGNORED_TRAIT: "Ignored traits",
    Code.UNMET_EVENT: "Events that are named, but not in the input",
}


class TextReport(Format):
    """What became of a run, and its first failed events."""

    def write(self, console: Console, report: Report) -> None:
        print_totals(
            console, report.summary, report.failures, run_dir=report.run_dir, show_failures=report.most_failures,
            command_shown=report.command_shown, standing=report.standing,
        )  # fmt: skip


class TextDryRun(Format):
    """What a run would change, and what becomes of its events."""

    def write(self, console: Console, report: Report) -> None:
        print_dry_run(
            console, report.summary, report.first_changes, report.failures, run_dir=report.run_dir, show=report.show,
            limit=report.most_changes, command_shown=report.command_shown, standing=report.standing, brief=True,
        )  # fmt: skip


def print_totals(
    console: Console,
    summary: Summary,
    failures: Iterable[dict[str, Any]] = (),
    *,
    run_dir: Path | None = None,
    show_failures: int = 0,
    title: bool = True,
    command_shown: str = "",
    standing: Standing | None = None,
    brief: bool = False,
) -> None:
    """Print the closing text, below a title with account and run, and with the first `show_failures` failed events.

    `command_shown` is shown elsewhere, and so isn't among the next steps; those fit `standing` if it is given. A brief
    text has the most frequent reasons only, and the command that shows them all.
    """
    shown = Failures.of(summary, failures, show_failures)
    print_lines(console, _Totals(console, summary, shown, run_dir, command_shown, standing, brief).lines(title))


def print_dry_run(
    console: Console,
    summary: Summary,
    changes: Iterable[Change],
    failures: Iterable[dict[str, Any]] = (),
    *,
    run_dir: Path | None = None,
    show: Show = Show.ALL,
    limit: int | None = 50,
    command_shown: str = "",
    standing: Standing | None = None,
    brief: bool = False,
) -> None:
    """Print the account of a dry run, the diff as in `diff_lines`, and the totals as in `print_totals`."""
    print_lines(console, (*_Totals(console, summary, Failures(), run_dir).title(), Text()))
    groups = ChangeGroups(with_choice_names(changes, summary, run_dir), show=show, limit=limit)
    print_lines(console, diff_lines(groups, glyphs(console), text_width(console)))
    print_totals(
        console, summary, failures, run_dir=run_dir, title=False, command_shown=command_shown, standing=standing,
        brief=brief,
    )  # fmt: skip


class _Totals:
    """Every section as lines, empty where it has nothing to say."""

    def __init__(
        self, console: Console, summary: Summary, failures: Failures, run_dir: Path | None, command_shown: str = "",
        standing: Standing | None = None, brief: bool = False,
    ) -> None:  # fmt: skip
        self.summary, self.failures = summary, failures
        self.command_shown, self.standing, self.brief = command_shown, standing, brief
        self.most_names = _TOP_WHEN_BRIEF if brief else _TOP
        self.files = run_files(summary, run_dir)
        self.console, self.width = console, line_width(console)
        self.glyphs: Glyphs = glyphs(console)

    def lines(self, title: bool) -> Iterator[Text]:
        if title:
            yield from (*self.title(), Text())
        yield from self._head()
        reasons = reason_rows(self.summary, self.failures)
        bad = [row for row in reasons if row.outcome != EventOutcome.SKIPPED]
        skipped = [row for row in reasons if row.outcome == EventOutcome.SKIPPED]
        for section in (
            self._unread(),
            self._outcomes(),
            self._records(),
            self._fields(),
            self._entries(),
            self._reasons(self._bad_title(sum(row.count for row in bad)), bad),
            self._reasons("Skipped", skipped),
            self._warnings(),
            self._failures(),
            self._end(),
        ):
            if lines := list(section):
                yield Text()
                yield from lines

    def _bad_title(self, count: int) -> str:
        if is_undo(self.summary):  # which has no events, so that records are counted
            return f"Not put back: {counted(count, 'record')}; changes.jsonl and report.html say which, and why"
        return f"Rejected or failed: {counted(total_failures(self.summary), 'event')}"

    def title(self) -> Iterator[Text]:
        """Account, edition, quota and run."""
        yield from self._wrapped(f"{where(self.summary)} · {which_run(self.summary)}", "bold")

    def _head(self) -> Iterator[Text]:
        dry = is_dry(self.summary)
        yield from self._wrapped(plan_line(self.summary) if dry else headline(self.summary), "bold")
        if dry and not came_to_its_end(self.summary):
            yield from self._wrapped(headline(self.summary), "bold yellow")
        if not self.brief and (why := self.summary.get("stopped_by")):  # else it is told as the run ends
            yield from self._wrapped(f"! Why it stopped: {sanitise(str(why))}", "yellow")
        for note in self.summary.get("notes") or ():
            yield from self._wrapped(f"! {sanitise(str(note))}", "yellow")
        if listed := self.summary.get("suppression"):
            entries = counted(listed["entries"], "entry", "entries")
            yield from self._wrapped(f"Suppression list: {entries}, {number(listed['met'])} of somebody in this run")

    def _wrapped(self, text: str, style: str = "") -> Iterator[Text]:
        for line in self._hanging(Text(), text, 0):
            line.stylize(style)
            yield line

    def _unread(self) -> Iterator[Text]:
        """The inputs that could not be read, which were told already where these are the last words of a run."""
        for fault in () if self.brief else unread(self.summary):
            yield from self._hanging(Text("Not read: "), fault, 2)

    def _outcomes(self) -> Iterator[Text]:
        if is_undo(self.summary):
            return
        events = self.summary["events"]
        read = events["read"]
        types = type_parts(events.get("by_type") or {}, read)
        rows = [(name, count) for name, count in outcome_rows(self.summary) if count]
        figures = len(number(read))
        yield from self._hanging(
            Text(f"  {'events read':<11}  {number(read):>{figures}}  "), " · ".join(types), figures + 17
        )
        room = max(min(_BAR, self.width - figures - 18), 0)
        for name, count in rows:
            style = STYLES.get(name, "")
            bar = self._bar(count, read, room)
            line = Text.assemble("  ", (f"{name:<11}", style), f"  {number(count):>{figures}}")
            yield line.append("  " + bar, style=style) if bar else line

    def _bar(self, count: int, of: int, width: int) -> str:
        halves = max(round(2 * width * count / of), 1) if count and of else 0
        return self.glyphs.bar * (halves // 2) + (self.glyphs.half or self.glyphs.bar) * (halves % 2)

    def _records(self) -> Iterator[Text]:
        table = record_table(self.summary)
        if table.rows:
            yield from self._grid(["records"], table.columns, [(name, *counts) for name, counts in table.rows])

    def _grid(
        self, words: Sequence[str], figures: Sequence[str], rows: Sequence[tuple[str | int, ...]], what: str = ""
    ) -> Iterator[Text]:
        """Rows under the names of their columns; of a brief text only the first, and how many of `what` there are more.

        Without `what` all rows are shown.
        """
        grid = Table(box=None, padding=(0, 0, 0, 2), header_style="")
        for at, name in enumerate(words):
            grid.add_column(name, min_width=None if at else 11, no_wrap=True)
        for name in figures:
            grid.add_column(name, justify="right", no_wrap=True)
        shown = rows[:_TOP] if what and self.brief else rows
        for row in shown:
            grid.add_row(*(Text(cell) if isinstance(cell, str) else number(cell) for cell in row))
        head, *lines = lines_of(self.console, grid)
        head.stylize("dim")
        yield from (head, *lines)
        if more := len(rows) - len(shown):
            yield Text(f"  {self.glyphs.ellipsis} and {counted(more, f'more {what}')}", style="dim")

    def _fields(self) -> Iterator[Text]:
        """Of a dry run, or where the brake refused, in how many records each field would be set or cleared."""
        fields = [
            (entity, sanitise(name), counts["set"], counts["cleared"])
            for entity, of_entity in (self.summary.get("fields") or {}).items()
            for name, counts in of_entity.items()
        ]
        is_still_planned = is_dry(self.summary) or self.summary.get("exit_code") == ExitCode.BRAKE
        if fields and is_still_planned and not is_undo(self.summary):
            fields.sort(key=lambda row: (-row[3], -row[2]))
            yield from self._grid(["fields", ""], ["to set", "to clear"], fields, "field")

    def _entries(self) -> Iterator[Text]:
        """Of a dry run, which events become which entries."""
        rows = [(f"{event} {self.glyphs.arrow} {kind}", count) for event, kind, count in entry_rows(self.summary)]
        if rows and is_dry(self.summary):
            yield from self._grid(["timeline"], ["to add"], rows, "event")

    def _reasons(self, title: str, rows: list[ReasonRow]) -> Iterator[Text]:
        if not rows:
            return
        yield Text(title, style="bold")
        shown = rows[:_TOP_WHEN_BRIEF] if self.brief else rows
        listed = {(failure.get("_fsseg") or {}).get("code") for failure in self.failures.rows}  # with their causes
        yield from reason_lines([replace(row, cause="") if row.code in listed else row for row in shown], self.width)
        yield from self._more(len(rows) - len(shown), "more reason")

    def _more(self, count: int, what: str) -> Iterator[Text]:
        if count > 0:
            command = sanitise(report_command(self.summary))
            told = any(step.command == command for step in next_steps(self.summary, self.files, self.standing))
            if not self.brief:  # the command prints this very text, of which only traits are left out
                command, told = f"{command} --reason {Code.BAD_VALUE}", False
            text = f"  {self.glyphs.ellipsis} and {counted(count, what)}" + ("" if told else f": {command}")
            yield Text(text, style="dim")

    def _hanging(self, start: Text, text: str, indent: int) -> Iterator[Text]:
        return hanging(start, text.replace(" · ", f" {self.glyphs.dot} ").split(" "), indent, self.width)

    def _warnings(self) -> Iterator[Text]:
        rows = warning_rows(self.summary)
        shown = rows[:_TOP_WHEN_BRIEF] if self.brief else rows
        for row in shown:
            if row.code == Code.BAD_VALUE and (misfits := misfit_rows(self.summary)):
                yield Text(f"Values that did not fit: {number(row.count)}, each left out", style="bold yellow")
                most = _TOP_WHEN_BRIEF if self.brief else self.most_names
                yield from misfit_lines(misfits[:most], self.width)
                yield from self._more(len(misfits) - most, "more trait")
                continue
            label = _LABELS.get(row.code) or f"Warning {row.code}"
            start = Text.assemble((f"{label}: ", "bold yellow"))
            yield from self._hanging(start, self._warned(row), 2 if len(start) > 24 else len(start))
        yield from self._more(len(rows) - len(shown), "more warning")

    def _warned(self, row: WarningRow) -> str:
        names = [
            (name if row.code == Code.UNMET_EVENT else f"{name} {number(count)}".strip())
            + (f" ({hint})" if hint else "")
            for name, count, hint in row.names[: self.most_names]
        ]
        more = len(row.names) - self.most_names
        listed = ", ".join([*names, f"and {number(more)} more"] if more > 0 else names)
        return "; ".join(part for part in (listed or number(row.count), row.hint) if part)

    def _failures(self) -> Iterator[Text]:
        if not self.failures.rows:
            return
        yield Text("Events that need you", style="bold")
        for failure in self.failures.rows:
            about = failure.get("_fsseg") or {}
            who = failure.get("userId") or email_of(failure) or about.get("key")
            message = about.get("message") or about.get("hint")
            cells = [place(about), *(value(cell) for cell in (about.get("code"), who, message) if cell)]
            yield from self._hanging(Text("  "), "  ".join(cells), 4)
        more = total_failures(self.summary) - len(self.failures.rows)
        if more > 0:
            command = f"{sanitise(report_command(self.summary))} --limit {more + len(self.failures.rows)}"
            yield Text(f"  {self.glyphs.ellipsis} and {number(more)} more: {command}", style="dim")

    def _end(self) -> Iterator[Text]:
        yield from self._wrapped(request_line(self.summary), "dim")
        if forecast := forecast_line(self.summary):
            yield from self._wrapped(forecast)
        for path in self.files[:1] if self.brief else self.files:
            yield Text(sanitise(str(path)), style="dim")
        for step in next_steps(self.summary, self.files, self.standing):
            is_read = self.failures.rows and step.command == report_command(self.summary)
            if is_read or step.command == self.command_shown:
                continue
            yield Text.assemble(f"{step.why}:  ", (sanitise(step.command), "bold cyan"))
