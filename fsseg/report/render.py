"""`fsseg report`: one finished run in the format asked for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import orjson
from rich.console import Console

from fsseg.report.changes import Change
from fsseg.report.console import sanitise, sanitise_json, write
from fsseg.report.csv_file import csv_lines
from fsseg.report.text import print_totals
from fsseg.report.totals import Summary

ReportFormat = Literal["text", "json", "csv", "html"]


def render(
    console: Console,
    summary: Summary,
    changes: Iterable[Change],
    failures: Iterable[dict[str, Any]],
    *,
    format: ReportFormat = "text",
    run_dir: Path | None = None,
    limit: int = 20,
) -> None:
    """Write the report to `console`; `limit` is how many failed events the text lists.

    JSON is exactly the summary; CSV holds all failures; HTML everything up to its own limits.
    """
    if format == "json":
        print_json(console, summary)
    elif format == "csv":
        for line in csv_lines(failures, sanitise):
            write(console, line)
    elif format == "html":
        from fsseg.report.html import render_html

        write(console, render_html(summary, changes, failures, run_dir=run_dir))
    else:
        print_totals(console, summary, failures, run_dir=run_dir, show_failures=limit)


def print_json(console: Console, data: Any) -> None:
    """`data` as indented JSON, control characters escaped (`--json`)."""
    write(console, sanitise_json(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode()) + "\n")
