"""`fsseg undo`: put back what a run changed."""

from __future__ import annotations

from typing import Annotated

import typer

from fsseg.cli import options as o


def undo(
    run: o.RunId = None,
    delete_created: Annotated[
        bool, typer.Option("--delete-created", help="Delete what the run created, too.", rich_help_panel=o.RUN)
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be put back, and write nothing.", rich_help_panel=o.RUN)
    ] = False,
    domain: o.Domain = None,
    edition: o.EditionFlag = None,
    base_url: o.BaseUrl = None,
    api_token_file: o.TokenFile = None,
    config: o.Config = None,
    state_dir: o.StateDir = None,
    sandbox: o.Sandbox = False,
    max_requests: o.MaxRequests = None,
    max_time: o.MaxTime = None,
    reserve: o.Reserve = None,
    yes: o.Yes = False,
    json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    no_progress: o.NoProgress = False,
) -> None:
    """Put back what a run changed, where nobody has changed it since; count what it created."""
    given = o.settings_among(locals())
    with o.command(given, config, json=json, quiet=quiet, verbose=verbose, no_progress=no_progress) as (
        settings,
        output,
    ):
        from fsseg.cli import again

        raise typer.Exit(again.undo(settings, output, run, delete_created=delete_created, dry=dry_run, yes=yes))
