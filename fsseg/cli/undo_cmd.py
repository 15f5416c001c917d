"""`fsseg undo`: put back what a run changed."""

from __future__ import annotations

from typing import Annotated

import typer

from fsseg.cli import options as o
from fsseg.cli.option_groups import command_line


@command_line
def undo(
    run: o.RunId = None,
    delete_created: Annotated[
        bool, typer.Option("--delete-created", help="Delete what the run created, too.", rich_help_panel=o.RUN)
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be put back, and write nothing.", rich_help_panel=o.RUN)
    ] = False,
    *,
    account: o.AccountOptions,
    limits: o.UndoLimits,
    yes: o.Yes = False,
    display: o.DisplayOptions,
) -> None:
    """Put back what a run changed, where nobody has changed it since; count what it created."""
    with o.command(account, display, limits) as (settings, output):
        from fsseg.cli import continue_cmds

        raise typer.Exit(continue_cmds.undo(settings, output, run, delete_created=delete_created, dry=dry_run, yes=yes))
