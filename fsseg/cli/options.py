"""The options that commands share, each listed once: its flag, its help, and which setting it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from typer.exceptions import TyperException

from fsseg.cli.option_groups import Setting, Without, flags, names_of
from fsseg.state.actions import Mode

if TYPE_CHECKING:
    from fsseg.cli.session import Output
    from fsseg.settings import Settings

ACCOUNT, RUN, WHAT, OUTPUT = "Account", "This run", "Which events, and how", "Output"

Chosen = TypeVar("Chosen")


class Edition(StrEnum):
    """The two Freshsales."""

    classic = "classic"
    suite = "suite"


class Match(StrEnum):
    """As the destination matches people, or by the e-mail alone."""

    segment = "segment"
    email = "email"


class Only(StrEnum):
    """The event types that can be chosen."""

    identify = "identify"
    track = "track"
    page = "page"
    group = "group"


class With(StrEnum):
    """The event types that are left out unless asked for."""

    group = "group"


Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH...",
        help="Segment event files, directories, globs, archives, s3:// gs:// az:// https://, or - for standard input.",
        show_default=False,
    ),
]
RunId = Annotated[
    str | None,
    typer.Argument(metavar="[RUN]", help="The run; the latest that fits, if none is named.", show_default=False),
]
Offline = Annotated[
    bool, typer.Option("--offline", help="Send nothing: the account's cached fields, or the standard ones, are used.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.", rich_help_panel=RUN)]
MatchFlag = Annotated[
    Match | None,
    typer.Option(
        "--match", help="How people are matched: as the destination does, or by e-mail.", rich_help_panel=WHAT
    ),
    Setting("identity.match"),
]
WithFlag = Annotated[
    list[With] | None,
    typer.Option("--with", help="Take these events too.", rich_help_panel=WHAT),
    Setting("with_group", bool),
]
TableFlag = Annotated[
    str | None,
    typer.Option(
        "--table",
        metavar="NAME",
        help="Which warehouse table the files are, where neither name nor header tells.",
        rich_help_panel=WHAT,
    ),
    Setting("table"),
]
EndpointFlag = Annotated[
    str | None,
    typer.Option(
        "--endpoint",
        metavar="URL",
        help="Where s3:// is, if it isn't Amazon's.",
        rich_help_panel=WHAT,
        show_envvar=False,
    ),
    Setting("endpoint"),
]
ClusterFlag = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Plan on a Dask cluster: tcp://scheduler:8786, or local:N for one of N processes here.",
        rich_help_panel=RUN,
    ),
    Setting("cluster.address"),
]
TraitFlag = Annotated[
    list[str] | None,
    typer.Option(
        "--trait",
        metavar="NAME[=VALUE]",
        help="The trait or audience that a downloaded table doesn't name.",
        rich_help_panel=WHAT,
    ),
    Setting("trait"),
]


def _source(context: typer.Context, name: str) -> str:
    return getattr(context.get_parameter_source(name), "name", "")


def _unless_sandbox(context: typer.Context, value: Chosen) -> Chosen:
    """The value of an option that names an account; none may be typed beside the sandbox, which is one itself."""
    typed = {name for name in ("domain", "base_url", "sandbox") if _source(context, name) == "COMMANDLINE"}
    if len(typed) > 1 and "sandbox" in typed and context.info_name != "init":  # init writes one, and may ask the other
        flag = "--domain" if "domain" in typed else "--base-url"
        raise TyperException(f"{flag} names an account, and --sandbox another: leave one of them out")
    return value


def _unless_domain(context: typer.Context, url: str | None) -> str | None:
    """A domain that is typed names another account than an address in the environment."""
    is_other = _source(context, "domain") == "COMMANDLINE" and _source(context, "base_url") == "ENVIRONMENT"
    return None if is_other else _unless_sandbox(context, url)


@dataclass(frozen=True)
class AccountOptions:
    """Which account is meant, and where what is known of it is kept."""

    domain: Annotated[
        str | None,
        typer.Option(
            help="Freshsales account: acme, acme.freshsales.io or acme.myfreshworks.com.",
            envvar="FSSEG_DOMAIN",
            show_envvar=True,
            rich_help_panel=ACCOUNT,
            callback=_unless_sandbox,
        ),
        Setting("freshsales.domain"),
    ] = None
    edition: Annotated[
        Edition | None,
        typer.Option(
            "--edition",
            help="Edition of the account, where the domain doesn't tell.",
            envvar="FSSEG_EDITION",
            rich_help_panel=ACCOUNT,
        ),
        Setting("freshsales.edition"),
    ] = None
    base_url: Annotated[
        str | None,
        typer.Option(
            help="Any other host: REST at URL/api, tracking at URL/track.",
            envvar="FSSEG_BASE_URL",
            rich_help_panel=ACCOUNT,
            callback=_unless_domain,
        ),
        Setting("freshsales.base_url"),
    ] = None
    api_token_file: Annotated[
        Path | None,
        typer.Option(
            "--api-token-file", help="File that holds the API token; else FSSEG_API_TOKEN.", rich_help_panel=ACCOUNT
        ),
        Setting("freshsales.api_token_file"),
    ] = None
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            help="Settings file.",
            envvar="FSSEG_CONFIG",
            show_default="fsseg.toml here or above",
            rich_help_panel=ACCOUNT,
        ),
    ] = None
    state_dir: Annotated[
        Path | None,
        typer.Option(
            help="Where runs and the ledger are kept.",
            envvar="FSSEG_STATE_DIR",
            show_default="the platform's",
            rich_help_panel=ACCOUNT,
        ),
        Setting("state_dir"),
    ] = None
    sandbox: Annotated[
        bool,
        typer.Option(
            "--sandbox",
            help="Use the embedded local Freshsales: no account, no token.",
            rich_help_panel=ACCOUNT,
            callback=_unless_sandbox,
        ),
        Setting("sandbox"),
    ] = False
    sandbox_as: Annotated[
        list[str] | None,
        typer.Option(
            "--as",
            metavar="KEY=VALUE",
            help="Let the sandbox behave otherwise, as fsseg sandbox serve does.",
            rich_help_panel=ACCOUNT,
        ),
        Setting("sandbox_as"),
    ] = None


@dataclass(frozen=True)
class EventOptions:
    """Which events count, and how they are read."""

    match: MatchFlag = None
    only: Annotated[
        list[Only] | None,
        typer.Option("--only", help="Take only events of this type.", rich_help_panel=WHAT),
        Setting("filter.only"),
    ] = None
    event: Annotated[
        list[str] | None,
        typer.Option("--event", help="Take only track and page events of this name.", rich_help_panel=WHAT),
        Setting("filter.events"),
    ] = None
    since: Annotated[
        str | None,
        typer.Option(
            help="Take events from this time on: 2024-01-02 (midnight UTC), yesterday, 7d.", rich_help_panel=WHAT
        ),
        Setting("filter.since"),
    ] = None
    until: Annotated[
        str | None, typer.Option(help="Take events before this time.", rich_help_panel=WHAT), Setting("filter.until")
    ] = None
    limit: Annotated[
        int | None,
        typer.Option(help="Take only the first N events that pass the filters.", min=1, rich_help_panel=WHAT),
        Setting("limit"),
    ] = None
    jobs: Annotated[
        int | None,
        typer.Option(help="Processes that read the files; the result is the same.", min=1, rich_help_panel=RUN),
        Setting("jobs"),
    ] = None
    cluster: ClusterFlag = None
    with_: WithFlag = None
    table: TableFlag = None
    trait: TraitFlag = None
    endpoint: EndpointFlag = None
    stitch_anonymous: Annotated[
        bool,
        typer.Option(
            "--stitch-anonymous", help="Attach anonymous events to whom a later identify names.", rich_help_panel=WHAT
        ),
        Setting("stitch_anonymous"),
    ] = False
    create_missing: Annotated[
        bool,
        typer.Option("--create-missing", help="Make people who are known only by their events.", rich_help_panel=WHAT),
        Setting("create_missing"),
    ] = False
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Reject events with a value that doesn't fit its field.", rich_help_panel=WHAT),
        Setting("strict"),
    ] = False
    existing: Annotated[
        Mode | None,
        typer.Option(
            "--existing",
            help="Records that are there already: update them, only by newer events, only empty fields, or not at all.",
            rich_help_panel=WHAT,
        ),
        Setting("existing"),
    ] = None
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Take events that were delivered before, too: they are compared once more.",
            rich_help_panel=WHAT,
        ),
        Setting("again"),
    ] = False


@dataclass(frozen=True)
class LimitOptions:
    """What a run may spend and change."""

    max_requests: Annotated[
        int | None,
        typer.Option(help="Stop, resumable, after N requests.", min=1, rich_help_panel=RUN),
        Setting("limits.max_requests"),
    ] = None
    max_time: Annotated[
        str | None,
        typer.Option(
            help="Stop, resumable, after this long (90s, 50m, 3h); reading is ended first.", rich_help_panel=RUN
        ),
        Setting("limits.max_time"),
    ] = None
    reserve: Annotated[
        str | None,
        typer.Option(help="Share of the quota left to others (20%).", rich_help_panel=RUN),
        Setting("limits.reserve"),
    ] = None
    allow_mass_changes: Annotated[
        bool,
        typer.Option("--allow-mass-changes", help="Lift the safety brake.", rich_help_panel=RUN),
        Setting("allow_mass_changes"),
    ] = False


@dataclass(frozen=True)
class DisplayOptions:
    """How much a command says, and in which form."""

    json: Annotated[
        bool, typer.Option("--json", help="Print JSON, and only that, to stdout.", rich_help_panel=OUTPUT)
    ] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say only what went wrong.", rich_help_panel=OUTPUT)] = (
        False
    )
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log every request to stderr.", rich_help_panel=OUTPUT)
    ] = False
    no_progress: Annotated[
        bool, typer.Option("--no-progress", help="No progress bars or lines.", rich_help_panel=OUTPUT)
    ] = False


NewAccount = Annotated[AccountOptions, Without(["config", "sandbox_as"])]
SandboxAccount = Annotated[AccountOptions, Without(["domain", "base_url", "api_token_file", "sandbox", "sandbox_as"])]
StoredAccount = Annotated[AccountOptions, Without(["api_token_file", "sandbox_as"])]
UndoLimits = Annotated[LimitOptions, Without(["allow_mass_changes"])]
NoBars = Annotated[DisplayOptions, Without(["no_progress"])]
JsonOrQuiet = Annotated[DisplayOptions, Without(["verbose", "no_progress"])]
Json = Annotated[DisplayOptions, Without(["quiet", "verbose", "no_progress"])]


@contextmanager
def command(
    account: AccountOptions, display: DisplayOptions, *more: EventOptions | LimitOptions
) -> Iterator[tuple[Settings, Output]]:
    """The settings and the output of a command; what goes wrong inside becomes one message and an exit code."""
    from fsseg.cli.errors import handled
    from fsseg.cli.session import Output
    from fsseg.mapping.mistakes import MappingError
    from fsseg.report.console import open_consoles
    from fsseg.settings import WrongSettings, load
    from fsseg.settings_file import placed

    consoles = open_consoles(quiet=display.quiet)
    with handled(consoles, as_json=display.json):
        if display.verbose:
            log_to_stderr()
        chosen = load(flags(account, *more), account.config, names_of(account, *more))
        try:
            yield chosen, Output(consoles, json=display.json, no_progress=display.no_progress)
        except MappingError as error:
            raise WrongSettings(placed(error.mistakes, chosen.config_file)) from None


def log_to_stderr() -> None:
    """Every request, without anything personal."""
    import logging

    logging.basicConfig(format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("fsseg").setLevel(logging.DEBUG)
