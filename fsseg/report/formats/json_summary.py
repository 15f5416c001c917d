"""The summary of a run as JSON, exactly as summary.json holds it."""

from __future__ import annotations

from rich.console import Console

from fsseg.report.formats import Format, Report
from fsseg.report.render import print_json


class JsonSummary(Format):
    """The summary of a run, for programs."""

    def write(self, console: Console, report: Report) -> None:
        print_json(console, report.summary)
