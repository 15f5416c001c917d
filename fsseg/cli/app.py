"""The command line: Typer wiring only. Whatever is slow to import is imported inside the commands."""

from __future__ import annotations

import typer

from fsseg.cli.dry_run import dry_run
from fsseg.cli.import_cmd import import_

app = typer.Typer(
    name="fsseg",
    help="Segment's Freshsales destination as a batch importer: see what would change, then push it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("import")(import_)
app.command("dry-run")(dry_run)


def main() -> None:
    """The entry point of the `fsseg` command."""
    app()
