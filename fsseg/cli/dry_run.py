"""`fsseg dry-run`: plan and diff; writes nothing."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, cast

import typer

from fsseg.cli import options as o
from fsseg.cli.option_groups import command_line


class Format(StrEnum):
    """How the diff is printed."""

    text = "text"
    markdown = "markdown"
    html = "html"
    jsonl = "jsonl"


class Show(StrEnum):
    """Which changes are printed."""

    all = "all"
    creates = "creates"
    updates = "updates"
    conflicts = "conflicts"


@command_line
def dry_run(
    paths: o.Paths,
    offline: Annotated[
        bool, typer.Option("--offline", help="Send nothing at all: the account's cached fields, or the standard ones.")
    ] = False,
    format: Annotated[Format, typer.Option(help="How the diff is printed.", rich_help_panel=o.OUTPUT)] = Format.text,
    show: Annotated[Show, typer.Option(help="Which changes are printed.", rich_help_panel=o.OUTPUT)] = Show.all,
    full: Annotated[
        int, typer.Option(help="Changes of each kind printed in full; 0 is all.", min=0, rich_help_panel=o.OUTPUT)
    ] = 50,
    *,
    account: o.AccountOptions,
    events: o.EventOptions,
    limits: o.LimitOptions,
    display: o.DisplayOptions,
) -> None:
    """Show field by field what an import would change, and write nothing."""
    with o.command(account, display, events, limits) as (settings, output):
        from fsseg.cli.planning import run
        from fsseg.report.files import read_lines
        from fsseg.report.formats.text import print_dry_run
        from fsseg.report.render import DiffFormat, print_diff, print_json
        from fsseg.report.standing import standing

        def tell(pipeline: Any, summary: dict[str, Any], told: str) -> None:
            out, run_dir, most = output.consoles.out, pipeline.run.folder, full or None
            is_sampled = most is not None and most <= pipeline.sample.limit and format is not Format.jsonl
            changes = pipeline.sample if is_sampled else read_lines(pipeline.run.changes)
            if display.json:
                print_json(out, summary)
            elif display.quiet:
                return
            elif format is Format.text:
                failures = read_lines(pipeline.run.failures)
                print_dry_run(
                    out, summary, changes, failures, run_dir=run_dir, show=show.value, limit=most, told=told,
                    standing=standing(pipeline.run),
                )  # fmt: skip
            else:
                print_diff(
                    out, changes, format=cast("DiffFormat", format.value), show=show.value, limit=most, summary=summary
                )

        raise typer.Exit(run(settings, paths, output, "dry-run", tell, offline=offline))
