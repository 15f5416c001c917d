"""The question before a push: what it would change, and whether to go on."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import typer

from fsseg.cli.arguments import is_terminal
from fsseg.cli.run_end import Declined
from fsseg.cli.session import Output
from fsseg.pipeline import Pipeline
from fsseg.report.changes import ChangeGroups
from fsseg.report.changes_file import ChangesFile
from fsseg.report.console import glyphs, line_width
from fsseg.report.files import read_lines
from fsseg.report.formats.text_diff import diff_lines
from fsseg.report.labels import with_choice_names
from fsseg.report.preview import left_line, preview_lines, undo_question
from fsseg.state.overview import Overview, overview, undoing
from fsseg.state.plan_store import Store
from fsseg.state.run_folder import RunState
from fsseg.state.run_selection import supersede

SHOWN = 50
"""Changes of each kind that the diff shows."""


def ask_to_push(pipeline: Pipeline, output: Output, stack: ExitStack, *, yes: bool) -> None:
    """Show what the plan comes to, and ask where there is somebody to ask; the run counts as running from then on.

    Whoever has agreed to the run is not asked again. Raises `Declined`.
    """
    if is_terminal() and not pipeline.run.info.agreed:
        stack.pop_all().close()  # no bars while somebody reads and answers
        question = _question(pipeline, output, yes=yes)
        if question is not None:
            _ask(pipeline, output, question)
        pipeline.progress = output.progress = output.fresh()
        stack.enter_context(pipeline.progress)
    info = pipeline.run.note(state=RunState.RUNNING, agreed=True)
    supersede(pipeline.run.account_folder, info)


def _question(pipeline: Pipeline, output: Output, *, yes: bool) -> str | None:
    """Show what would be pushed; what to ask about it, None where there is nothing to ask."""
    if pipeline.store.meta.undoes:
        return None if yes else _undo_question(pipeline.store, output)
    found = overview(pipeline.store)
    asks = not (yes or pipeline.settings.sandbox)
    if asks or not (output.consoles.quiet or output.json):
        _show(pipeline, output, found)
    return "Push this?" if asks and not found.is_empty else None


def _undo_question(store: Store, output: Output) -> str | None:
    found = undoing(store)
    question = undo_question(found)
    if question and (line := left_line(found)):
        output.consoles.err.print(line, soft_wrap=True)
    return question


def _show(pipeline: Pipeline, output: Output, found: Overview) -> None:
    err, info = output.consoles.err, pipeline.run.info
    for line in preview_lines(
        found, account=info.account, edition=info.edition, run=info.of or info.id, per_hour=pipeline.pacer.per_hour,
        width=line_width(err), glyphs=glyphs(err),
    ):  # fmt: skip
        err.print(line, soft_wrap=True)


def _ask(pipeline: Pipeline, output: Output, question: str) -> None:
    pipeline.run.note(state=RunState.DECLINED)  # until somebody agrees: a terminal may go away at the question
    while True:
        answer = answered(f"{question} [y/N/d]")
        if answer in ("y", "yes"):
            return
        if answer not in ("d", "diff"):
            raise Declined
        ChangesFile(pipeline.run, pipeline.store, pipeline.processes, dry_run=True).finish()
        err, changes = output.consoles.err, pipeline.run.changes
        edition = {"edition": pipeline.run.info.edition}
        named = with_choice_names(read_lines(changes), edition, pipeline.run.folder)
        shown = ChangeGroups(named, limit=SHOWN)
        for line in diff_lines(shown, glyphs(err), line_width(err), str(changes)):
            err.print(line, soft_wrap=True)


def answered(question: str) -> str:
    """What somebody types, in lower case; `n` where they only press return. Raises `Declined` for Ctrl-C."""
    try:
        with _interrupting():
            return str(typer.prompt(question, default="n", show_default=False, err=True)).strip().lower()
    except (typer.Abort, OSError):
        raise Declined(interrupted=True) from None


@contextmanager
def _interrupting() -> Iterator[None]:
    """Ctrl-C ends the question at once: nothing is under way that would have to finish first."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
