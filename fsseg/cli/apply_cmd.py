"""`fsseg apply`: push a reviewed dry run, and only that."""

from __future__ import annotations

from typing import Annotated

import typer

from fsseg.cli import options as o
from fsseg.cli.option_groups import command_line


@command_line
def apply(
    run: o.RunId = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Push nothing at all if any record has moved on since.", rich_help_panel=o.RUN),
    ] = False,
    *,
    account: o.AccountOptions,
    limits: o.LimitOptions,
    yes: o.Yes = False,
    display: o.DisplayOptions,
) -> None:
    """Push exactly the plan of a dry run. What moved on in Freshsales since is left alone and told as a conflict."""
    with o.command(account, display, limits) as (settings, output):
        from fsseg.cli import apply_run

        raise typer.Exit(apply_run.apply(settings, output, run, strict=strict, yes=yes))
