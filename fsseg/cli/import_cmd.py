"""`fsseg import`: plan, show the totals, push."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fsseg.cli import options as o


def import_(
    paths: o.Paths,
    domain: o.Domain = None,
    edition: o.EditionFlag = None,
    base_url: o.BaseUrl = None,
    api_token_file: o.TokenFile = None,
    config: o.Config = None,
    state_dir: o.StateDir = None,
    sandbox: o.Sandbox = False,
    match: o.MatchFlag = None,
    only: o.OnlyFlag = None,
    event: o.EventFlag = None,
    since: o.Since = None,
    until: o.Until = None,
    limit: o.Limit = None,
    jobs: o.Jobs = None,
    with_: o.WithFlag = None,
    stitch_anonymous: o.StitchAnonymous = False,
    create_missing: o.CreateMissing = False,
    strict: o.Strict = False,
    again: o.Again = False,
    max_requests: o.MaxRequests = None,
    max_time: o.MaxTime = None,
    reserve: o.Reserve = None,
    allow_mass_changes: o.Mass = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only plan, as fsseg dry-run does.", rich_help_panel=o.RUN)
    ] = False,
    yes: o.Yes = False,
    json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    no_progress: o.NoProgress = False,
) -> None:
    """Take Segment events into Freshsales: plan, show the totals, push."""
    given = o.settings_among(locals())
    with o.command(given, config, with_=with_, json=json, quiet=quiet, verbose=verbose, no_progress=no_progress) as (
        settings,
        output,
    ):
        from fsseg.cli.planning import run, show_run

        def show(pipeline: Any, summary: dict[str, Any], told: str) -> None:
            show_run(output, pipeline.run, summary, told)

        raise typer.Exit(run(settings, paths, output, "dry-run" if dry_run else "import", show, yes=yes))
