"""The command line: Typer wiring only. Whatever is slow to import is imported inside the commands."""

from __future__ import annotations

import typer

from fsseg.cli.apply_cmd import apply
from fsseg.cli.check_cmd import check
from fsseg.cli.dry_run import dry_run
from fsseg.cli.fields_cmd import fields
from fsseg.cli.import_cmd import import_
from fsseg.cli.init_cmd import init
from fsseg.cli.inspect_cmd import inspect
from fsseg.cli.report_cmd import report
from fsseg.cli.resume_cmd import resume, retry
from fsseg.cli.runs_cmd import app as runs
from fsseg.cli.sandbox_cmd import app as sandbox
from fsseg.cli.undo_cmd import undo

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
app.command("apply")(apply)
app.command("resume")(resume)
app.command("retry")(retry)
app.command("undo")(undo)
app.add_typer(runs, name="runs")
app.command("report")(report)
app.command("fields")(fields)
app.command("inspect")(inspect)
app.command("check")(check)
app.command("init")(init)
app.add_typer(sandbox, name="sandbox")
