"""`fsseg report`: what became of a run, for people, programs, spreadsheets and browsers."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from fsseg.cli import options as o
from fsseg.cli.option_groups import command_line
from fsseg.report.formats import Report, ReportFormat

if TYPE_CHECKING:
    from rich.console import Console

    from fsseg.cli.past_runs import Past
    from fsseg.report.selection import Selection
    from fsseg.settings import Settings

Print = Callable[["Console"], bool]
"""Prints a report; whether there was anything to print."""


@dataclass(frozen=True)
class SelectionOptions:
    """The part of a run that is reported on: all of it where nothing is given."""

    person: Annotated[
        str | None, typer.Option(help="Only what happened to this person: an e-mail, a userId, or a record's id.")
    ] = None
    event: Annotated[str | None, typer.Option(help="Only track and page events of this name; those left out, too.")] = (
        None
    )
    reason: Annotated[
        str | None, typer.Option(help="Only what has this reason or warning code, and what to do about it.")
    ] = None


@command_line
def report(
    run: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="The run's id; the latest if none is given.", show_default=False),
    ] = None,
    format: Annotated[
        ReportFormat,
        typer.Option(
            help="text, markdown and html: everything; json: the summary; csv: the events that failed; changes-csv: "
            "each field of what changed."
        ),
    ] = ReportFormat.TEXT,
    output_file: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="File to write it to, for your eyes only (mode 0600).", show_default="stdout"
        ),
    ] = None,
    limit: Annotated[
        int,
        typer.Option(help="Failed events that the text lists; records and entries too, where some are chosen.", min=0),
    ] = 20,
    *,
    chosen: SelectionOptions,
    account: o.StoredAccount,
    display: o.JsonOrQuiet,
) -> None:
    """Report on a run: totals, reasons, and the events that need you."""
    with o.command(account, display) as (settings, output):
        from fsseg.report.files import read_lines
        from fsseg.report.quiet import attention_lines
        from fsseg.report.selection import Selection
        from fsseg.report.standing import standing

        past = _reported_run(settings, run)
        asked_format, say = (ReportFormat.JSON if display.json else format), output.consoles.info
        if selection := Selection(chosen.person, chosen.event, _known_reason(chosen.reason)):
            show: Print = partial(
                _print_selected, past=past, selection=selection, format=asked_format, limit=limit, say=say
            )
        elif display.quiet and asked_format is ReportFormat.TEXT and output_file is None:
            for line in attention_lines(past.summary, read_lines(past.run.failures), standing(past.run, past.state)):
                output.consoles.error(line)
            return
        else:
            show = partial(_print, past=past, format=asked_format, limit=limit)
        found = show(output.consoles.out) if output_file is None else _write(output_file, show)
        if not found:
            say(f"nothing in run {past.run.id} is about {selection}; {_elsewhere(past, selection)}")
        elif output_file is not None:
            say(f"written to {output_file}")


def _reported_run(settings: Settings, run: str | None) -> Past:
    """The run that is meant. Raises `ConfigError` where it has no summary yet."""
    from fsseg.cli.past_runs import named_run
    from fsseg.cli.run_end import advised
    from fsseg.settings import ConfigError
    from fsseg.state.run_folder import RunState

    past = named_run(settings, run)
    if not past.summary:
        goes_on = f": {advised('resume', past.run)} goes on with it"
        so = goes_on if past.state == RunState.STOPPED else f", and is {past.state}"
        raise ConfigError(f"{past.run.id} hasn't been reported yet{so}")
    return past


def _elsewhere(past: Past, selection: Selection) -> str:
    """Where to look on: in an earlier run that has the person; else nobody knows in which."""
    from fsseg.cli.person_history import earlier_runs
    from fsseg.cli.run_end import advised
    from fsseg.report.console import sanitise

    person = selection.person or ""
    for run in earlier_runs(past, person) if person else ():
        more = f"--person {shlex.quote(sanitise(person))}"
        return f"an earlier run has this person: {advised('report', past.run.beside(run), more)}"
    return "fsseg runs list names the other runs"


def _known_reason(reason: str | None) -> str | None:
    """The code as it is written. Raises `ConfigError` where there is none such."""
    from fsseg.mapping.names import did_you_mean
    from fsseg.report.reasons import REASONS, WARNINGS
    from fsseg.settings import ConfigError

    code = (reason or "").strip().casefold()
    if code and code not in {*REASONS, *WARNINGS}:
        hint = did_you_mean(code, {*REASONS, *WARNINGS}) or "fsseg report names those of the run"
        raise ConfigError(f"there is no reason {reason!r}", hint)
    return code or None


def _print_selected(
    out: Console, past: Past, selection: Selection, format: ReportFormat, limit: int, say: Callable[[str], None]
) -> bool:
    from fsseg.report.files import read_lines
    from fsseg.report.formats.selected import print_selected, print_selected_json, print_selected_markdown
    from fsseg.report.standing import standing

    run, history, person = past.run, None, selection.person or ""
    if person:
        from fsseg.cli.person_history import person_history

        history = person_history(past, person, say)
        names = history.names if history else ()
        selection, person = replace(selection, names=names), next(iter(names), person)
    elif selection.event:
        from fsseg.cli.person_history import event_history

        history = event_history(past, selection.event, say)
    if history is not None:
        history = history.narrowed(selection.event, selection.reason)
    report = Report(
        past.summary, read_lines(run.changes), read_lines(run.failures), run_dir=run.folder,
        history=history, person=person,
    )  # fmt: skip
    match format:
        case ReportFormat.TEXT:
            return print_selected(out, report, selection, limit)
        case ReportFormat.MARKDOWN:
            return print_selected_markdown(out, report, selection, limit)
        case ReportFormat.JSON:
            print_selected_json(out, report, selection)
        case _:
            changes, failures = report.changes, report.failures
            chosen = replace(
                report, summary={**past.summary, "selected": str(selection)},
                changes=filter(selection.takes_change, changes), standing=standing(run, past.state),
                failures=[failure for failure in failures if selection.takes_failure(failure)],
            )  # fmt: skip
            format.load().write(out, chosen)
    return True


def _print(console: Console, past: Past, format: ReportFormat, limit: int) -> bool:
    from fsseg.report.files import read_lines
    from fsseg.report.next_steps import report_command
    from fsseg.report.standing import standing

    run = past.run
    report = Report(
        past.summary, read_lines(run.changes), read_lines(run.failures), run_dir=run.folder,
        standing=standing(run, past.state), most_failures=limit, command_shown=report_command(past.summary),
    )  # fmt: skip
    format.load().write(console, report)
    return True


class _Nothing(Exception):
    """There is nothing to be written."""


def _write(path: Path, write: Print) -> bool:
    """Write the file, whole or not at all; whether there was anything to write. Raises `ConfigError`."""
    import io

    from fsseg.report.console import open_consoles
    from fsseg.settings import ConfigError
    from fsseg.state.private_file import replacing

    try:
        with replacing(path) as file:
            text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="", write_through=True)
            found = write(open_consoles(stdout=text).out)
            text.detach()
            if not found:
                raise _Nothing
    except OSError as error:
        raise ConfigError(f"{path} can't be written: {error.strerror}") from None
    except _Nothing:
        return False
    return True
