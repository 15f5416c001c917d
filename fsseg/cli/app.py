"""The command line: Typer wiring only. Whatever is slow to import is imported inside the commands."""

from __future__ import annotations

import typer

from fsseg.cli.apply_cmd import apply
from fsseg.cli.check_cmd import check
from fsseg.cli.dry_run import dry_run
from fsseg.cli.examples import examples
from fsseg.cli.fields_cmd import fields
from fsseg.cli.import_cmd import import_
from fsseg.cli.init_cmd import init
from fsseg.cli.inspect_cmd import inspect
from fsseg.cli.program import Program, help_, program
from fsseg.cli.report_cmd import report
from fsseg.cli.resume_cmd import resume, retry
from fsseg.cli.runs_cmd import app as runs
from fsseg.cli.sandbox_cmd import app as sandbox
from fsseg.cli.undo_cmd import undo

app = typer.Typer(
    name="fsseg",
    cls=Program,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.callback(epilog=examples(""))(program)
for name, command in {
    "import": import_,
    "dry-run": dry_run,
    "apply": apply,
    "resume": resume,
    "retry": retry,
    "undo": undo,
    "report": report,
    "fields": fields,
    "inspect": inspect,
    "check": check,
    "init": init,
    "help": help_,
}.items():
    app.command(name, epilog=examples(name))(command)
app.add_typer(runs, name="runs", epilog=examples("runs"))
app.add_typer(sandbox, name="sandbox", epilog=examples("sandbox"))
