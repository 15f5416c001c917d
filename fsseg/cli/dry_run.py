"""`fsseg dry-run`: what an import would change, without writing anything."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fsseg.cli import options as o
from fsseg.report.formats import DiffFormat, Report
from fsseg.report.show import Show


def dry_run(
    paths: o.Paths,
    offline: Annotated[
        bool, typer.Option("--offline", help="Send nothing at all: the account's cached fields, or the standard ones.")
    ] = False,
    format: Annotated[
        DiffFormat, typer.Option(help="How the diff is printed.", rich_help_panel=o.OUTPUT)
    ] = DiffFormat.TEXT,
    show: Annotated[Show, typer.Option(help="Which changes are printed.", rich_help_panel=o.OUTPUT)] = Show.ALL,
    full: Annotated[
        int, typer.Option(help="Changes of each kind printed in full; 0 is all.", min=0, rich_help_panel=o.OUTPUT)
    ] = 50,
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
    json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    no_progress: o.NoProgress = False,
) -> None:
    """Show field by field what an import would change, and write nothing."""
    given = o.settings_among(locals())
    with o.command(given, config, with_=with_, json=json, quiet=quiet, verbose=verbose, no_progress=no_progress) as (
        settings,
        output,
    ):
        from fsseg.cli.planning import run
        from fsseg.report.files import read_lines
        from fsseg.report.render import print_json
        from fsseg.report.standing import standing

        def show_plan(pipeline: Any, summary: dict[str, Any], command_shown: str) -> None:
            out, run = output.consoles.out, pipeline.run
            if json:
                print_json(out, summary)
            elif not quiet:
                report = Report(
                    summary, read_lines(run.changes), read_lines(run.failures), pipeline.sample, run_dir=run.folder,
                    standing=standing(run), command_shown=command_shown, show=show, most_changes=full or None,
                )  # fmt: skip
                format.load().write(out, report)

        raise typer.Exit(run(settings, paths, output, "dry-run", show_plan, offline=offline))
