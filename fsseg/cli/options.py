"""The flags that commands share, and how they become settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from fsseg.cli.work import Output
    from fsseg.settings import Settings

ACCOUNT, RUN, WHAT, OUTPUT = "Account", "This run", "Which events, and how", "Output"


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
    typer.Argument(help="Segment event files, directories, globs, or - for standard input.", show_default=False),
]
RunId = Annotated[
    str | None,
    typer.Argument(metavar="[RUN]", help="The run; the latest that fits, if none is named.", show_default=False),
]
Domain = Annotated[
    str | None,
    typer.Option(
        help="Freshsales account: acme, acme.freshsales.io or acme.myfreshworks.com.",
        envvar="FSSEG_DOMAIN",
        show_envvar=True,
        rich_help_panel=ACCOUNT,
    ),
]
EditionFlag = Annotated[
    Edition | None,
    typer.Option(
        "--edition",
        help="Edition of the account, where the domain doesn't tell.",
        envvar="FSSEG_EDITION",
        rich_help_panel=ACCOUNT,
    ),
]


def _unless_domain(context: typer.Context, url: str | None) -> str | None:
    """A domain that is typed names another account than an address in the environment."""
    sources = {name: getattr(context.get_parameter_source(name), "name", "") for name in ("domain", "base_url")}
    return None if sources == {"domain": "COMMANDLINE", "base_url": "ENVIRONMENT"} else url


BaseUrl = Annotated[
    str | None,
    typer.Option(
        help="Any other host: REST at URL/api, tracking at URL/track.",
        envvar="FSSEG_BASE_URL",
        rich_help_panel=ACCOUNT,
        callback=_unless_domain,
    ),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--api-token-file", help="File that holds the API token; else FSSEG_API_TOKEN.", rich_help_panel=ACCOUNT
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config", help="Settings file.", envvar="FSSEG_CONFIG", show_default="./fsseg.toml", rich_help_panel=ACCOUNT
    ),
]
StateDir = Annotated[
    Path | None,
    typer.Option(
        help="Where runs and the ledger are kept.",
        envvar="FSSEG_STATE_DIR",
        show_default="the platform's",
        rich_help_panel=ACCOUNT,
    ),
]
Sandbox = Annotated[
    bool,
    typer.Option("--sandbox", help="Use the embedded local Freshsales: no account, no token.", rich_help_panel=ACCOUNT),
]
MatchFlag = Annotated[
    Match | None,
    typer.Option(
        "--match", help="How people are matched: as the destination does, or by e-mail.", rich_help_panel=WHAT
    ),
]
WithFlag = Annotated[list[With] | None, typer.Option("--with", help="Take these events too.", rich_help_panel=WHAT)]
OnlyFlag = Annotated[
    list[Only] | None, typer.Option("--only", help="Take only events of this type.", rich_help_panel=WHAT)
]
EventFlag = Annotated[
    list[str] | None,
    typer.Option("--event", help="Take only track and page events of this name.", rich_help_panel=WHAT),
]
Since = Annotated[
    str | None, typer.Option(help="Take events from this time on (2024-01-02 is midnight UTC).", rich_help_panel=WHAT)
]
Until = Annotated[str | None, typer.Option(help="Take events before this time.", rich_help_panel=WHAT)]
Limit = Annotated[
    int | None, typer.Option(help="Take only the first N events that pass the filters.", min=1, rich_help_panel=WHAT)
]
Jobs = Annotated[
    int | None, typer.Option(help="Processes that read the files; the result is the same.", min=1, rich_help_panel=RUN)
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Reject events with a value that doesn't fit its field.", rich_help_panel=WHAT)
]
StitchAnonymous = Annotated[
    bool,
    typer.Option(
        "--stitch-anonymous", help="Attach anonymous events to whom a later identify names.", rich_help_panel=WHAT
    ),
]
CreateMissing = Annotated[
    bool, typer.Option("--create-missing", help="Make people who are known only by their events.", rich_help_panel=WHAT)
]
Again = Annotated[
    bool,
    typer.Option(
        "--again",
        help="Take events that were delivered before, too: they are compared once more.",
        rich_help_panel=WHAT,
    ),
]
MaxRequests = Annotated[int | None, typer.Option(help="Stop, resumable, after N requests.", min=1, rich_help_panel=RUN)]
MaxTime = Annotated[
    str | None, typer.Option(help="Stop, resumable, after this long (90s, 50m, 3h).", rich_help_panel=RUN)
]
Reserve = Annotated[str | None, typer.Option(help="Share of the quota left to others (20%).", rich_help_panel=RUN)]
Mass = Annotated[bool, typer.Option("--allow-mass-changes", help="Lift the safety brake.", rich_help_panel=RUN)]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.", rich_help_panel=RUN)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and only that, to stdout.", rich_help_panel=OUTPUT)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say only what went wrong.", rich_help_panel=OUTPUT)]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log every request to stderr.", rich_help_panel=OUTPUT)]
NoProgress = Annotated[bool, typer.Option("--no-progress", help="No progress bars or lines.", rich_help_panel=OUTPUT)]

SETTINGS: dict[str, tuple[str, ...]] = {
    "domain": ("freshsales", "domain"),
    "edition": ("freshsales", "edition"),
    "base_url": ("freshsales", "base_url"),
    "api_token_file": ("freshsales", "api_token_file"),
    "match": ("identity", "match"),
    "only": ("filter", "only"),
    "event": ("filter", "events"),
    "since": ("filter", "since"),
    "until": ("filter", "until"),
    "max_requests": ("limits", "max_requests"),
    "max_time": ("limits", "max_time"),
    "reserve": ("limits", "reserve"),
}
"""Where a flag's value goes among the settings; any other flag is a setting of the same name."""


def nested(given: dict[str, Any]) -> dict[str, Any]:
    """Flags as nested settings; those not given (None, False, empty) are left to the environment and the file."""
    settings: dict[str, Any] = {}
    for name, value in given.items():
        if value is None or value is False or value == []:
            continue
        path = SETTINGS.get(name, (name,))
        level = settings
        for key in path[:-1]:
            level = level.setdefault(key, {})
        level[path[-1]] = value
    return settings


FLAGS = frozenset(
    [
        "domain",
        "edition",
        "base_url",
        "api_token_file",
        "state_dir",
        "sandbox",
        "match",
        "only",
        "event",
        "since",
        "until",
        "limit",
        "jobs",
        "stitch_anonymous",
        "create_missing",
        "strict",
        "again",
        "max_requests",
        "max_time",
        "reserve",
        "allow_mass_changes",
    ]
)
"""The parameters of a command that are settings; the others say something about the command itself."""


def settings_among(parameters: dict[str, Any]) -> dict[str, Any]:
    """Those of a command's parameters that are settings."""
    return {name: value for name, value in parameters.items() if name in FLAGS}


@contextmanager
def command(
    given: dict[str, Any], config: Path | None, *, with_: list[With] | None = None, json: bool = False,
    quiet: bool = False, verbose: bool = False, no_progress: bool = False,
) -> Iterator[tuple[Settings, Output]]:  # fmt: skip
    """The settings and the output of a command; what goes wrong inside becomes one message and an exit code."""
    from fsseg.cli.errors import handled
    from fsseg.cli.work import Output
    from fsseg.report.console import open_consoles
    from fsseg.settings import load

    consoles = open_consoles(quiet=quiet)
    with handled(consoles):
        if verbose:
            log_to_stderr()
        flags = nested({**given, "with_group": bool(with_)})
        yield load(flags, config), Output(consoles, json=json, no_progress=no_progress)


def log_to_stderr() -> None:
    """Every request, without anything personal."""
    import logging

    logging.basicConfig(format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("fsseg").setLevel(logging.DEBUG)
