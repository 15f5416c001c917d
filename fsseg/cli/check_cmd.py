"""`fsseg check`: credentials, permissions, types, limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fsseg.cli import options as o
from fsseg.cli.option_groups import command_line

if TYPE_CHECKING:
    from rich.console import Console

    from fsseg.account.preflight import Checkup, Finding
    from fsseg.cli.connect import Connection
    from fsseg.exit_codes import ExitCode
    from fsseg.mapping.catalog import Catalog
    from fsseg.mapping.rules import Rules
    from fsseg.settings import Settings

STYLES = {"ok": "green", "missing": "yellow", "forbidden": "yellow", "refused": "red"}


@command_line
def check(
    *,
    account: o.AccountOptions,
    max_time: Annotated[
        str | None, typer.Option(help="Give up after this long (90s, 50m).", rich_help_panel=o.RUN)
    ] = "2m",
    probe: Annotated[
        bool,
        typer.Option(
            "--probe",
            help="Make a contact, a lead and a deal, see how the account treats them, and delete them again.",
            rich_help_panel=o.RUN,
        ),
    ] = False,
    display: o.NoBars,
) -> None:
    """Check that the account has what imports need: it only reads, but for --probe.

    Ends 0, 1 (something is to be created or enabled, or a probe has left something) or 3.
    """
    with o.command(account, display, o.LimitOptions(max_time=max_time)) as (settings, output):
        from fsseg.account.preflight import check as look
        from fsseg.cli.connect import reading, tell_open_token_file
        from fsseg.cli.probe import last_probe
        from fsseg.cli.probe import probe as try_out
        from fsseg.cli.session import rules_of
        from fsseg.report.render import print_json

        with reading(settings, lambda: output.progress) as connection:
            tell_open_token_file(settings, output.consoles)
            rules = rules_of(settings, application_token=connection.application_token)
            found = look(connection.reader, connection.account.edition, rules, settings.defaults.model_dump())
            if found.catalog:
                found.findings += unfit_defaults(found.catalog, rules, settings)
            if found.worst != "refused":
                found.findings += try_out(settings, output) if probe else last_probe(settings, connection.reader)
            code = _code(found)
            if display.json:
                print_json(output.consoles.out, _plain(found, connection, code))
            elif not display.quiet:
                _print(output.consoles.out, found, connection, probed=probe)
        if code:
            output.consoles.mistake(_verdict(found))
        raise typer.Exit(code)


def unfit_defaults(catalog: Catalog, rules: Rules, settings: Settings) -> Iterator[Finding]:
    """The defaults of the settings that no field of this account takes, which every import would be refused for."""
    from fsseg.account.preflight import mistaken
    from fsseg.mapping.mistakes import MappingError
    from fsseg.plan.defaults import Defaults

    try:
        Defaults(catalog, settings.defaults.model_dump(), rules)
    except MappingError as error:
        yield from mistaken(error, "correct the settings")


def _code(found: Checkup) -> ExitCode:
    from fsseg.exit_codes import ExitCode

    match found.worst:
        case "ok":
            return ExitCode.DONE
        case "refused":
            return ExitCode.REFUSED_CREDENTIALS
    return ExitCode.SOME_FAILED


def _plain(found: Checkup, connection: Connection, code: ExitCode) -> dict[str, Any]:
    return {
        "account": connection.account.host,
        "edition": connection.account.edition,
        "exit_code": code,
        "requests_per_hour": connection.pacer.per_hour,
        "quota_left": connection.pacer.remaining,
        "requests": connection.pacer.total,
        "timeline": {"track": found.track or None, "page": found.page or None},
        "findings": [finding._asdict() for finding in found.findings],
    }


def _print(out: Console, found: Checkup, connection: Connection, *, probed: bool) -> None:
    from fsseg.cli.table import heading, print_sentence, print_table
    from fsseg.figures import counted, number

    account, pacer = connection.account, connection.pacer
    limit = f"{counted(pacer.per_hour, 'request')}/hour" if pacer.per_hour else "no limit told"
    left = f", {number(pacer.remaining)} left" if pacer.remaining is not None else ""
    heading(out, f"{account.host} · {account.edition} · {limit}{left}")
    out.print()
    rows = [(one.state, one.name, "; ".join(filter(None, (one.detail, one.hint)))) for one in found.findings]
    print_table(out, ("", "", ""), rows, styles=[STYLES[one.state] for one in found.findings])
    out.print()
    if found.catalog:
        print_sentence(out, f"Track events become {found.track}; page events become {found.page}.")
    beside = ", beside those of the probe" if probed else ""
    print_sentence(out, f"{counted(pacer.total, 'request')}, all of them reading{beside}.", "dim")


def _verdict(found: Checkup) -> str:
    worst = [finding for finding in found.findings if finding.state == found.worst]
    if found.worst == "refused":
        return "\n".join(f"Freshsales refused {one.name}: {one.detail}" for one in worst)
    lacking = [finding.name for finding in found.findings if finding.state != "ok"]
    return f"to create, enable or correct: {', '.join(lacking)}"
