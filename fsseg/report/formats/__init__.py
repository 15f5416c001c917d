"""The formats of reports: what each of them is given, what it does with it, and which there are.

A new format is a module with a class that implements `Format`, and a line in `ReportFormat` or `DiffFormat`. Nothing
else is imported here, as the command line names the formats before it knows what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, Self

from msgspec import Struct

from fsseg.report.show import Show

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from fsseg.report.changes import Change, Sample
    from fsseg.report.history import History
    from fsseg.report.model import Summary
    from fsseg.report.standing import Standing


class Report(Struct, frozen=True):
    """A run, as it is handed to a format, and how much of it is to be shown."""

    summary: Summary
    """Empty where only changes are shown."""
    changes: Iterable[Change] = ()
    """All of them; they can be gone through once."""
    failures: Iterable[dict[str, Any]] = ()
    """The events that were rejected or failed; they can be gone through once."""
    sample: Sample | None = None
    """The first of the changes, where they are at hand."""
    run_dir: Path | None = None
    """The run's folder; None for the one that the summary names."""
    standing: Standing | None = None
    """How the run stands now, which the next steps fit; None for as it stood when it ended."""
    command_shown: str = ""
    """A command that is shown elsewhere, and so isn't among the next steps."""
    show: Show = Show.ALL
    most_changes: int | None = None
    """Changes of each entity that are shown in full; None for all, or as many as the format shows at most."""
    history: History | None = None
    """Of a report on one person: what came in of them, and what became of it."""
    person: str = ""
    """Whom alone it is about."""
    most_failures: int = 0
    """Failed events that a text lists."""

    @property
    def first_changes(self) -> Iterable[Change]:
        """The first `most_changes` of each entity at least, from the sample where that holds as many."""
        if self.sample is None or self.most_changes is None or self.most_changes > self.sample.limit:
            return self.changes
        return self.sample


class Format(Protocol):
    """A way to write a report."""

    def write(self, console: Console, report: Report) -> None:
        """Write the report to the console, made safe for a terminal; nothing where the console is quiet."""


class _Formats(StrEnum):
    """Names of formats, each with the class that implements it as `module.Class` of this folder."""

    _implementation: str

    def __new__(cls, name: str, implementation: str) -> Self:
        """A member whose value is `name`."""
        member = str.__new__(cls, name)
        member._value_ = name
        member._implementation = implementation
        return member

    def load(self) -> Format:
        """The implementation, which is imported only now."""
        module, name = self._implementation.split(".")
        format: Format = getattr(import_module(f"{__name__}.{module}"), name)()
        return format


class ReportFormat(_Formats):
    """What the report is written as."""

    TEXT = "text", "text.TextReport"
    JSON = "json", "json_summary.JsonSummary"
    CSV = "csv", "csv_table.CsvFailures"
    CHANGES_CSV = "changes-csv", "csv_changes.CsvChanges"
    MARKDOWN = "markdown", "markdown.MarkdownReport"
    HTML = "html", "html.HtmlReport"


class DiffFormat(_Formats):
    """How the diff is printed."""

    TEXT = "text", "text.TextDryRun"
    MARKDOWN = "markdown", "markdown.MarkdownDiff"
    HTML = "html", "html.HtmlDiff"
    JSONL = "jsonl", "json_lines.JsonLinesDiff"
