"""`fsseg sandbox`: the local Freshsales on its own; what is in it; emptying it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsseg.cli import entities
from fsseg.cli import options as o
from fsseg.cli.examples import examples
from fsseg.cli.option_groups import command_line

if TYPE_CHECKING:
    from fsseg.settings import Settings

app = typer.Typer(no_args_is_help=True, help="A local Freshsales to try things on: serve it, look into it, empty it.")


class Language(StrEnum):
    """Languages of the messages."""

    en = "en"
    nl = "nl"
    de = "de"


BEHAVIOUR = "How it behaves"


@dataclass(frozen=True)
class BehaviourOptions:
    """How a served sandbox behaves; `fsseg.sandbox.Options` has more of it, by the same names."""

    quota: Annotated[int | None, typer.Option(help="Requests a window.", min=1, rich_help_panel=BEHAVIOUR)] = None
    window: Annotated[
        str | None, typer.Option(help="Length of the quota's hour (90s, 1h).", rich_help_panel=BEHAVIOUR)
    ] = None
    per_minute: Annotated[
        int | None, typer.Option(help="Requests a sixtieth of the window.", min=1, rich_help_panel=BEHAVIOUR)
    ] = None
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND=RATE[,method=M][,path=REGEX][,seconds=S][,limit=N]",
            help="Go wrong on purpose: error, error_after, drop_before, drop_after, slow, garbage, 429, wrapped_429, "
            "bulk_405 or job_failure, for a share of the requests (0.05 or 5%).",
            rich_help_panel=BEHAVIOUR,
        ),
    ] = None
    as_: Annotated[
        list[str] | None,
        typer.Option(
            "--as",
            metavar="KEY=VALUE",
            help="Behave otherwise than most live accounts, such as custom_fields=merge or lookup_lag=0; a wrong key "
            "lists them all.",
            rich_help_panel=BEHAVIOUR,
        ),
    ] = None
    seed: Annotated[int, typer.Option(help="Of the dice that faults are thrown with.", rich_help_panel=BEHAVIOUR)] = 0
    language: Annotated[Language, typer.Option(help="Language of its messages.", rich_help_panel=BEHAVIOUR)] = (
        Language.en
    )
    offset: Annotated[
        str, typer.Option(help="The account's UTC offset, on every timestamp.", rich_help_panel=BEHAVIOUR)
    ] = "+02:00"


@app.command(epilog=examples("sandbox serve"))
@command_line
def serve(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 is any free one.", min=0, max=65535)] = 8787,
    *,
    behaviour: BehaviourOptions,
    account: o.SandboxAccount,
    display: o.JsonOrQuiet,
) -> None:
    """Serve the sandbox, and a page to look at its records, until Ctrl-C."""
    with o.command(replace(account, sandbox=True), display) as (settings, output):
        from fsseg.cli.arguments import duration
        from fsseg.cli.sandbox_server import serve_account

        seconds = None if behaviour.window is None else duration(behaviour.window, "--window")
        chosen = {**asdict(behaviour), "window": seconds, "language": behaviour.language.value}
        serve_account(settings, output, port, chosen)


@app.command(epilog=examples("sandbox show"))
@command_line
def show(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="Show only what has this in its e-mail, name or id, with its timeline; or only leads, say.",
            show_default=False,
        ),
    ] = None,
    entity: Annotated[
        list[str] | None,
        typer.Option(
            "--entity",
            metavar="lead|contact|account|deal|timeline",
            help="Show only these; may be given several times.",
            parser=entities.entity_or_timeline,
            autocompletion=lambda: list(entities.WITH_TIMELINE),
        ),
    ] = None,
    limit: Annotated[int, typer.Option(help="Records of each kind that are shown; 0 is all.", min=0)] = 10,
    *,
    account: o.SandboxAccount,
    display: o.Json,
) -> None:
    """Show what is in the sandbox: counts, then the records; with --json all of them, as its API gives them."""
    with o.command(replace(account, sandbox=True), display) as (settings, output):
        from fsseg.cli.sandbox_records import print_records, record_json
        from fsseg.report.advice import sandbox_flags
        from fsseg.report.render import print_json

        host, db = _file(settings)
        kind = entities.kind_of(name or "")
        wanted, text = entity or ([kind] if kind else entities.WITH_TIMELINE), "" if kind else name or ""
        with _readable(db):
            if display.json:
                print_json(output.consoles.out, record_json(db, host, wanted, text))
            elif not db.exists():
                fill = " ".join(["fsseg import PATH", *sandbox_flags(host)])
                output.consoles.info(f"nothing is in {host} yet: fill it with {fill}")
            elif not print_records(output.consoles.out, db, host, wanted, limit or None, text):
                output.consoles.info(f"nothing in {host} has {text} in its e-mail, name or id")


@app.command(epilog=examples("sandbox reset"))
@command_line
def reset(
    *,
    account: o.SandboxAccount,
    yes: o.Yes = False,
    display: o.JsonOrQuiet,
) -> None:
    """Empty the sandbox; its runs and their reports go too, as none of them could be resumed or undone any more."""
    with o.command(replace(account, sandbox=True), display) as (settings, output):
        import sqlite3

        from fsseg.cli.arguments import agree
        from fsseg.cli.sandbox_server import empty, runs_of
        from fsseg.figures import counted
        from fsseg.report.render import print_json
        from fsseg.sandbox import counts

        name, db = _file(settings)
        try:
            held = sum(counts(db).values()) if db.exists() else 0
        except (sqlite3.DatabaseError, ValueError):
            held = 0
        runs = len(runs_of(settings))
        what = counted(held, "record or entry", "records and entries")
        more = f", and {counted(runs, 'run')} with {'its report' if runs == 1 else 'their reports'}" if runs else ""
        if not agree(f"Delete {what} of {name}{more}?", yes=yes):
            output.consoles.info("nothing was deleted")
            return
        empty(settings)
        output.consoles.info(f"{name} is empty; {what}{more} {'is' if held == 1 and not runs else 'are'} gone")
        if display.json:
            print_json(output.consoles.out, {"account": name, "deleted": held, "deleted_runs": runs})


def _file(settings: Settings) -> tuple[str, Path]:
    from fsseg.cli.sandbox_server import data_file

    db = data_file(settings)
    return db.parent.name, db


@contextmanager
def _readable(db: Path) -> Iterator[None]:
    """Raises `ConfigError` for a file that is no sandbox."""
    import sqlite3

    from fsseg.cli.sandbox_server import made_anew
    from fsseg.settings import ConfigError

    try:
        yield
    except (sqlite3.DatabaseError, ValueError, LookupError) as error:
        raise ConfigError(f"{db} cannot be read ({error}): {made_anew(db)}") from None
