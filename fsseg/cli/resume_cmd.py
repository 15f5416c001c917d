"""`fsseg resume`, `fsseg retry`: go on where a run stopped, push again what failed."""

from __future__ import annotations

from typing import Annotated

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
        from fsseg.cli.again import find, go_on, nothing_left
        from fsseg.plan.again import resumable

        found = find(settings, resumable, run)
        if found is None:
            raise typer.Exit(nothing_left(output, settings, run, "nothing to resume"))
        raise typer.Exit(go_on(settings, output, found, "resume"))


def retry(
    run: o.RunId = None,
    refused: Annotated[
        bool, typer.Option("--refused", help="What Freshsales refused too, once the reason is mended there.")
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
    json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    no_progress: o.NoProgress = False,
) -> None:
    """Push again what failed and may succeed now; what may have arrived is looked for first."""
    given = o.settings_among(locals())
    with o.command(given, config, json=json, quiet=quiet, verbose=verbose, no_progress=no_progress) as (
        settings,
        output,
    ):
        from fsseg.cli.again import find, go_on, nothing_left
        from fsseg.plan.again import failed, reopen_failed, retryable

        found = find(settings, failed if refused else retryable, run)
        if found is None:
            raise typer.Exit(nothing_left(output, settings, run, "nothing to retry"))
        raise typer.Exit(go_on(settings, output, found, "retry", lambda store: reopen_failed(store, refused=refused)))
