"""`fsseg resume`, `fsseg retry`: go on where a run stopped, push again what failed."""

from __future__ import annotations

import typer

from fsseg.cli import options as o


def resume(
    run: o.RunId = None,
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
    """Go on where a run stopped: at a quota, by Ctrl-C, in a crash. The latest that did, if none is named."""
    given = o.settings_among(locals())
    with o.command(given, config, json=json, quiet=quiet, verbose=verbose, no_progress=no_progress) as (
        settings,
        output,
    ):
        from fsseg.cli import again

        raise typer.Exit(again.resume(settings, output, run, yes=yes))


def retry(
    run: o.RunId = None,
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
    json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    no_progress: o.NoProgress = False,
) -> None:
    """Push again all that failed; what may have arrived is looked for first. Ends 1 while something still fails."""
    given = o.settings_among(locals())
    with o.command(given, config, json=json, quiet=quiet, verbose=verbose, no_progress=no_progress) as (
        settings,
        output,
    ):
        from fsseg.cli import again

        raise typer.Exit(again.retry(settings, output, run))
