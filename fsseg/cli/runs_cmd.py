"""`fsseg runs`: what was run, how it stands, and deleting old runs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from fsseg.cli import options as o
from fsseg.cli.examples import examples
from fsseg.cli.option_groups import command_line

if TYPE_CHECKING:
    from fsseg.cli.past_runs import Past
    from fsseg.cli.session import Output
    from fsseg.settings import Settings

Options = TypeVar("Options", o.AccountOptions, o.DisplayOptions)
app = typer.Typer(help="Earlier runs: list them, show one, delete old ones.")

RUN_FOLDER = re.compile(r"\d{4}-\d\d-\d\d-\d{6}-[0-9a-f]{2}")

RunId = Annotated[
    str,
    typer.Argument(metavar="RUN", help="The run's id, or any unique beginning of it, or `latest`.", show_default=False),
]


@app.callback(invoke_without_command=True)
@command_line
def group(
    context: typer.Context,
    *,
    account: o.StoredAccount,
    display: o.Json,
) -> None:
    """Earlier runs: list them (without a command), show one, delete old ones."""
    context.obj = account, display
    if context.invoked_subcommand is None:
        _list(account, display)


@app.command("list", epilog=examples("runs list"))
@command_line
def list_(
    context: typer.Context,
    *,
    account: o.StoredAccount,
    display: o.Json,
) -> None:
    """List the runs of the account, or of all accounts where none is given; newest first."""
    _list(*_merged(context, account, display))


def _list(account: o.AccountOptions, display: o.DisplayOptions) -> None:
    with o.command(account, display) as (settings, output):
        from fsseg.cli.connect import state_dir
        from fsseg.cli.past_runs import past_runs
        from fsseg.report.render import print_json

        runs = past_runs(settings)
        if output.json:
            print_json(output.consoles.out, [past.row() for past in runs])
        elif runs:
            _print(output, runs)
            _tell_imported_since(output, runs)
        else:
            place = state_dir(settings)
            output.consoles.info(
                f"there is no run yet (looked for in {place}): fsseg import or fsseg dry-run makes one"
            )


@app.command(epilog=examples("runs show"))
@command_line
def show(
    context: typer.Context,
    run: RunId,
    *,
    account: o.StoredAccount,
    display: o.Json,
) -> None:
    """Show the totals of one run; with --json its summary."""
    account, display = _merged(context, account, display)
    with o.command(account, display) as (settings, output):
        from fsseg.cli.past_runs import named_run
        from fsseg.report.files import read_lines
        from fsseg.report.formats.text import print_totals
        from fsseg.report.render import print_json
        from fsseg.report.standing import standing

        past = named_run(settings, run)
        if output.json:
            print_json(output.consoles.out, past.summary or past.row())
        elif past.summary:
            failures, stands = read_lines(past.run.failures), standing(past.run, past.state)
            print_totals(output.consoles.out, past.summary, failures, run_dir=past.run.folder, standing=stands)
        else:
            _print(output, [past])
            _print_how_to_go_on(output, past)


@app.command(epilog=examples("runs prune"))
@command_line
def prune(
    context: typer.Context,
    older_than: Annotated[str, typer.Option(help="Delete runs that ended longer ago than this (30d, 12h).")] = "30d",
    all: Annotated[bool, typer.Option("--all", help="Runs that could be resumed, too.")] = False,
    yes: o.Yes = False,
    *,
    account: o.StoredAccount,
    display: o.JsonOrQuiet,
) -> None:
    """Delete old runs: they can't be shown, retried or undone any more. What was delivered stays known."""
    account, display = _merged(context, account, display)
    with o.command(account, display) as (settings, output):
        from fsseg.cli.arguments import agree
        from fsseg.cli.past_runs import past_runs, prunable, still_needed
        from fsseg.figures import counted
        from fsseg.report.render import print_json

        found = [*past_runs(settings), *_never_begun(settings)]
        old = prunable(found, _age(older_than))
        reasons = still_needed(found, old, all=all)
        kept = [past for runs in reasons.values() for past in runs]
        gone = [past for past in old if past not in kept]
        if gone and not agree(_question(gone), yes=yes):
            output.consoles.info("nothing was deleted")
            return
        freed = _delete(gone)
        for why, runs in reasons.items():
            output.consoles.info(f"kept {counted(len(runs), 'run')} {why}")
        output.consoles.info(f"deleted {counted(len(gone), 'run')}, {_megabytes(freed)} freed")
        if output.json:
            ids = {"deleted": [past.run.id for past in gone], "kept": [past.run.id for past in kept]}
            print_json(output.consoles.out, {**ids, "freed_bytes": freed})


def _age(text: str) -> float:
    """Seconds of `30d` or `12h`. Raises `ConfigError`, also without a unit: whoever writes 30 means days."""
    from fsseg.cli.arguments import duration
    from fsseg.settings import ConfigError

    seconds = duration(text, "--older-than")
    if text.strip()[-1].isdigit():
        raise ConfigError(f"--older-than: {text.strip()} of what?", "30d is days, 12h hours")
    return seconds


def _question(gone: list[Past]) -> str:
    """How many runs of which accounts go, and what goes with them, and what doesn't."""
    from fsseg.figures import counted

    accounts = ", ".join(sorted({past.account for past in gone}))
    them, they = ("It", "it") if len(gone) == 1 else ("They", "they")
    return (
        f"Delete {counted(len(gone), 'run')} of {accounts}? {them} can't be shown, retried or undone any more; what"
        f" {they} delivered stays known (the ledger is kept)."
    )


def _never_begun(settings: Settings) -> Iterator[Past]:
    """What processes left that were killed before they had written down which run it was to be."""
    from fsseg.cli.past_runs import Past
    from fsseg.cli.which_run import folders
    from fsseg.state.run_folder import Run

    for account in folders(settings):
        for folder in (account / "runs").glob("*"):
            is_ours = RUN_FOLDER.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink()
            if is_ours and not (folder / "run.json").exists():
                yield Past(Run(folder), held=False)


def _delete(gone: list[Past]) -> int:
    """Delete runs under the lock of each account, so that none that is under way loses its folder. Raises `Locked`."""
    from fsseg.cli.connect import locked
    from fsseg.cli.past_runs import delete

    by_account: dict[Path, list[Past]] = defaultdict(list)
    for past in gone:
        by_account[past.run.account_folder].append(past)
    freed = 0
    for folder, runs in by_account.items():
        with locked(folder, "runs prune", runs[0].account):
            freed += sum(map(delete, runs))
    return freed


def _merged(
    context: typer.Context, account: o.AccountOptions, display: o.DisplayOptions
) -> tuple[o.AccountOptions, o.DisplayOptions]:
    """The options of `fsseg runs` and those of the command after it, which win."""
    account_before, display_before = context.obj
    sources = {name: getattr(context.get_parameter_source(name), "name", "") for name in ("domain", "base_url")}
    # Before the command or after it, a domain that is typed names another account than the environment's address.
    if account_before.domain and not account_before.base_url and sources["base_url"] == "ENVIRONMENT":
        account = replace(account, base_url=None)
    elif sources["domain"] == "COMMANDLINE" and not account.base_url:
        account_before = replace(account_before, base_url=None)
    return _over(account_before, account), _over(display_before, display)


def _over(before: Options, own: Options) -> Options:
    given = {field.name: value for field in fields(own) if (value := getattr(own, field.name))}
    return replace(before, **given)


def _print(output: Output, runs: list[Past]) -> None:
    from fsseg.report.runs_table import RunRow, print_runs

    # What a damaged run can't say, another one of its account can.
    accounts = {past.run.account_folder: past.info.account for past in runs if past.info}
    rows = []
    for past in runs:
        folder = past.run.account_folder
        is_undo = past.info is not None and past.info.command == "undo"
        records = past.summary.get("records", {}) if is_undo else {}
        rows.append(RunRow(past.run.id, accounts.get(folder, folder.name), str(past.state), past.info, records))
    print_runs(output.consoles.out, rows)


def _tell_imported_since(output: Output, runs: list[Past]) -> None:
    """Name the runs that stopped and have little left to do, as a later one has taken their files."""
    from fsseg.cli.run_end import advised
    from fsseg.cli.run_inputs import FEW

    told = [(past.run, by) for past in runs if (by := _imported_since(past))]
    for run, by in told[:FEW]:
        ends = f"{advised('resume', run)} ends it, and sends nothing twice"
        output.consoles.info(f"{run.id} stopped, and run {by} has imported its files since: {ends}")
    if len(told) > FEW:
        output.consoles.info(f"so it is with {len(told) - FEW:,} more")


def _imported_since(past: Past) -> str | None:
    from fsseg.state.run_folder import RunState
    from fsseg.state.run_selection import imported_since

    if past.state != RunState.STOPPED or past.info is None:
        return None
    return imported_since(past.run.account_folder, past.info)


def _print_how_to_go_on(output: Output, past: Past) -> None:
    from rich.text import Text

    from fsseg.cli.run_end import advised
    from fsseg.state.run_folder import RunState

    if past.state == RunState.STOPPED:
        by = _imported_since(past)
        why = f"Run {by} has imported its files since; this ends it" if by else "Go on where it stopped"
        how = Text.assemble(f"{why}:  ", (advised("resume", past.run), "bold cyan"))
        output.consoles.out.print(how, soft_wrap=True)


def _megabytes(size: int) -> str:
    from fsseg.figures import number

    return f"{number(round(size / 1e6, 1))} MB"
