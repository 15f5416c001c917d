"""`fsseg report`: one finished run in the format asked for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import orjson
from rich.console import Console

from fsseg.report.changes import ACTIONS_SHOWN, Arranger, Change, Show
from fsseg.report.console import glyphs, line_width, sanitise, sanitise_json, write
from fsseg.report.formats.csv_table import csv_lines
from fsseg.report.formats.text import print_totals
from fsseg.report.formats.text_diff import diff_lines, total_lines
from fsseg.report.model import Summary
from fsseg.report.standing import Standing

DiffFormat = Literal["text", "markdown", "html", "jsonl"]
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
    standing: Standing | None = None,
) -> None:
    """Write the report to `console`; `limit` is how many failed events the text lists.

    JSON is exactly the summary; CSV holds all failures; HTML everything up to its own limits. The next steps fit
    `standing` if it is given.
    """
    if format == "json":
        print_json(console, summary)
    elif format == "csv":
        for line in csv_lines(failures, sanitise):
            write(console, line)
    elif format == "html":
        from fsseg.report.formats.html import render_html

        write(console, render_html(summary, changes, failures, run_dir=run_dir, standing=standing))
    else:
        print_totals(console, summary, failures, run_dir=run_dir, show_failures=limit, standing=standing)


def print_diff(
    console: Console,
    changes: Iterable[Change],
    *,
    format: DiffFormat = "text",
    show: Show = "all",
    limit: int | None = 50,
    summary: Summary | None = None,
) -> None:
    """Write the diff to `console`: the first `limit` of each entity in full (None: all), then the counts.

    `summary` titles Markdown and is required for HTML. JSON lines all go through as they are, whatever the limit.
    """
    if format == "jsonl":
        for change in changes:
            if show == "all" or change["action"] in ACTIONS_SHOWN[show]:
                write(console, sanitise_json(orjson.dumps(change).decode()) + "\n")
    elif format == "markdown":
        from fsseg.report.formats.markdown import markdown_lines

        for text in markdown_lines(changes, show=show, limit=limit, summary=summary):
            write(console, text + "\n")
    elif format == "html":
        from fsseg.report.formats.html import render_html

        if summary is None:
            raise ValueError("an HTML diff needs the summary")
        write(console, render_html(summary, changes, (), show=show, limit=limit or 500))
    else:
        arranged = Arranger(changes, show=show, limit=limit)
        for line in diff_lines(arranged, glyphs(console), line_width(console)):
            console.print(line, soft_wrap=True)
        for line in total_lines(arranged.totals):
            console.print(line, soft_wrap=True)


def print_json(console: Console, data: Any) -> None:
    """`data` as indented JSON, control characters escaped (`--json`)."""
    write(console, sanitise_json(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode()) + "\n")
