"""`fsseg dry-run`: what an import would change, without writing anything."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fsseg.cli import options as o
from fsseg.cli.option_groups import command_line
from fsseg.report.formats import DiffFormat, Report
from fsseg.report.show import Show


@command_line
def dry_run(
    paths: o.Paths,
    offline: o.Offline = False,
    format: Annotated[
        DiffFormat, typer.Option(help="How the diff is printed.", rich_help_panel=o.OUTPUT)
    ] = DiffFormat.TEXT,
    show: Annotated[Show, typer.Option(help="Which changes are printed.", rich_help_panel=o.OUTPUT)] = Show.ALL,
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
        from fsseg.cli.import_run import run
        from fsseg.report.files import read_lines
        from fsseg.report.render import print_json
        from fsseg.report.standing import standing

        def show_plan(pipeline: Any, summary: dict[str, Any], command_shown: str) -> None:
            out, run = output.consoles.out, pipeline.run
            if display.json:
                print_json(out, summary)
            elif not display.quiet:
                report = Report(
                    summary, read_lines(run.changes), read_lines(run.failures), pipeline.sample, run_dir=run.folder,
                    standing=standing(run), command_shown=command_shown, show=show, most_changes=full or None,
                )  # fmt: skip
                format.load().write(out, report)

        raise typer.Exit(run(settings, paths, output, "dry-run", show_plan, offline=offline))
