"""The command line: which commands there are. One is imported when it is called, and all of them only to be listed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from importlib import import_module

import typer

from fsseg.cli.examples import examples
from fsseg.cli.program import Program, program

HELP = "help"

COMMANDS = {
    "import": "import_cmd.import_",
    "dry-run": "dry_run.dry_run",
    "apply": "apply_cmd.apply",
    "resume": "resume_cmd.resume",
    "retry": "resume_cmd.retry",
    "undo": "undo_cmd.undo",
    "report": "report_cmd.report",
    "fields": "fields_cmd.fields",
    "inspect": "inspect_cmd.inspect",
    "check": "check_cmd.check",
    "init": "init_cmd.init",
    HELP: "program.help_",
    "runs": "runs_cmd.app",
    "sandbox": "sandbox_cmd.app",
}
"""Where in `fsseg.cli` each command is, or, if there are others below it, their `Typer`."""


def app_for(words: Sequence[str]) -> typer.Typer:
    """The program as far as this command line needs it: to build all commands takes a tenth of a short one."""
    is_one = bool(words) and words[0] in COMMANDS and words[0] != HELP
    return _app_with(words[:1]) if is_one else full_app()


@cache
def full_app() -> typer.Typer:
    """The program with all commands."""
    return _app_with(COMMANDS)


def _app_with(names: Iterable[str]) -> typer.Typer:
    app = typer.Typer(
        name="fsseg",
        cls=Program,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(epilog=examples(""))(program)
    for name in names:
        module, attribute = COMMANDS[name].split(".")
        command = getattr(import_module(f"fsseg.cli.{module}"), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name, epilog=examples(name))
        else:
            app.command(name, epilog=examples(name))(command)
    return app
