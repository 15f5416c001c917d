"""`fsseg report`: what became of a run, for people, programs, spreadsheets and browsers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsseg.cli import options as o
from fsseg.cli.option_groups import command_line
from fsseg.report.formats import Report, ReportFormat

if TYPE_CHECKING:
    from rich.console import Console

    from fsseg.cli.past_runs import Past


@command_line
def report(
    run: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="The run's id; the latest if none is given.", show_default=False),
    ] = None,
    format: Annotated[
        ReportFormat, typer.Option(help="text and html: everything; json: the summary; csv: the events that failed.")
    ] = ReportFormat.TEXT,
    output_file: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="File to write it to, for your eyes only (mode 0600).", show_default="stdout"
        ),
    ] = None,
    limit: Annotated[int, typer.Option(help="Failed events that the text lists.", min=0)] = 20,
    *,
    account: o.StoredAccount,
    display: o.JsonOrQuiet,
) -> None:
    """Report on a run: totals, reasons, and the events that need you."""
    with o.command(account, display) as (settings, output):
        from fsseg.cli.past_runs import named_run
        from fsseg.cli.work import advised
        from fsseg.report.quiet import attention_lines
        from fsseg.report.standing import standing
        from fsseg.settings import ConfigError
        from fsseg.state.run_folder import RunState

        past = named_run(settings, run)
        if not past.summary:
            goes_on = f": {advised('resume', past.run)} goes on with it"
            so = goes_on if past.state == RunState.STOPPED else f", and is {past.state}"
            raise ConfigError(f"{past.run.id} hasn't been reported yet{so}")
        asked_format = ReportFormat.JSON if display.json else format
        if display.quiet and asked_format is ReportFormat.TEXT and output_file is None:
            for line in attention_lines(past.summary, standing(past.run, past.state)):
                output.consoles.error(line)
        elif output_file is None:
            _print(output.consoles.out, past, asked_format, limit)
        else:
            _write(output_file, past, asked_format, limit)
            output.consoles.info(f"written to {output_file}")


def _print(console: Console, past: Past, format: ReportFormat, limit: int) -> None:
    from fsseg.report.files import read_lines
    from fsseg.report.standing import standing

    run = past.run
    report = Report(
        past.summary, read_lines(run.changes), read_lines(run.failures), run_dir=run.folder,
        standing=standing(run, past.state), most_failures=limit,
    )  # fmt: skip
    format.load().write(console, report)


def _write(path: Path, past: Past, format: ReportFormat, limit: int) -> None:
    """Whole or not at all. Raises `ConfigError`."""
    import io

    from fsseg.report.console import open_consoles
    from fsseg.settings import ConfigError
    from fsseg.state.private_file import replacing

    try:
        with replacing(path) as file:
            text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="", write_through=True)
            _print(open_consoles(stdout=text).out, past, format, limit)
            text.detach()
    except OSError as error:
        raise ConfigError(f"{path} can't be written: {error.strerror}") from None
