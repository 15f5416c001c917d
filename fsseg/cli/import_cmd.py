"""`fsseg import`: plan, show the totals, push."""

from __future__ import annotations

from typing import Annotated

import typer

from fsseg.cli import options as o
from fsseg.cli.option_groups import command_line


@command_line
def import_(
    paths: o.Paths,
    *,
    account: o.AccountOptions,
    events: o.EventOptions,
    limits: o.LimitOptions,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only plan, as fsseg dry-run does.", rich_help_panel=o.RUN)
    ] = False,
    yes: o.Yes = False,
    display: o.DisplayOptions,
) -> None:
    """Take Segment events into Freshsales: plan, show the totals, push."""
    with o.command(account, display, events, limits) as (settings, output):
        from fsseg.cli.drive import shows_run
        from fsseg.cli.import_run import run

        raise typer.Exit(run(settings, paths, output, "dry-run" if dry_run else "import", shows_run(output), yes=yes))
