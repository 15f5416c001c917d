"""`fsseg apply`: push a reviewed dry run, and only that."""

from __future__ import annotations

from typing import Annotated

import typer

from fsseg.cli import options as o


def apply(
    run: o.RunId = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Push nothing at all if any record has moved on since.", rich_help_panel=o.RUN),
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
    allow_mass_changes: o.Mass = False,
    yes: o.Yes = False,
    json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    no_progress: o.NoProgress = False,
) -> None:
    """Push exactly the plan of a dry run. What moved on in Freshsales since is left alone and told as a conflict."""
    given = {name: value for name, value in o.settings_among(locals()).items() if name != "strict"}
    with o.command(given, config, json=json, quiet=quiet, verbose=verbose, no_progress=no_progress) as (
        settings,
        output,
    ):
        from fsseg.cli import again

        raise typer.Exit(again.apply(settings, output, run, strict=strict, yes=yes))
