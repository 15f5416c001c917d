"""`fsseg resume`, `fsseg retry`: go on where a run stopped, push again what failed."""

from __future__ import annotations

import typer

from fsseg.cli import options as o
from fsseg.cli.option_groups import command_line


@command_line
def resume(
    run: o.RunId = None,
    *,
    account: o.AccountOptions,
    limits: o.LimitOptions,
    cluster: o.ClusterFlag = None,
    yes: o.Yes = False,
    display: o.DisplayOptions,
) -> None:
    """Go on where a run stopped: at a quota, by Ctrl-C, in a crash. The latest that did, if none is named."""
    with o.command(account, display, limits, o.EventOptions(cluster=cluster)) as (settings, output):
        from fsseg.cli import continue_cmds

        raise typer.Exit(continue_cmds.resume(settings, output, run, yes=yes))


@command_line
def retry(
    run: o.RunId = None,
    *,
    account: o.AccountOptions,
    limits: o.LimitOptions,
    display: o.DisplayOptions,
) -> None:
    """Push again all that failed; what may have arrived is looked for first. Ends 1 while something still fails."""
    with o.command(account, display, limits) as (settings, output):
        from fsseg.cli import continue_cmds

        raise typer.Exit(continue_cmds.retry(settings, output, run))
