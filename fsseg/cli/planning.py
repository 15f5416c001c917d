"""`import`, `dry-run`: plan, show, and, where it is an import, push."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Literal

from fsseg.cli.exit_codes import ExitCode
from fsseg.cli.work import (
    Ending,
    Output,
    ending_of,
    find_inputs,
    interruptible,
    now,
    opened,
    refuse_forbidden,
    register,
)
from fsseg.freshsales.errors import FreshsalesError
from fsseg.pipeline import Pipeline
from fsseg.plan.again import is_dry
from fsseg.plan.brake import BrakeRefused
from fsseg.plan.files import note_imported
from fsseg.plan.run import Run, new_run
from fsseg.plan.store import Store
from fsseg.report.console import Consoles
from fsseg.report.files import read_lines
from fsseg.report.render import print_json
from fsseg.report.text import print_dry_run, print_totals
from fsseg.settings import Settings

Show = Callable[[Pipeline, dict[str, Any]], None]

FEW = 3
"""Files that are named on the terminal."""


def run(
    settings: Settings, paths: list[str], output: Output, command: Literal["import", "dry-run"], show: Show, *,
    offline: bool = False, ask: bool = False,
) -> ExitCode:  # fmt: skip
    """Plan the events of `paths`; push them too if it is an import. The exit code.

    Raises what `fsseg.cli.errors.handled` handles; a run that was begun is accounted for in any case.
    """
    files, unreadable = find_inputs(paths, output.consoles)
    started = now()
    importing = command == "import"
    with opened(settings, output, new_run, writes=importing, offline=offline) as pipeline:
        remember_options(pipeline, settings, command, started, files, offline)
        if not settings.again:
            tell_imported(output.consoles, note_imported(pipeline.store, pipeline.ledger, files))
        if offline:
            output.consoles.say("offline: compared with what earlier runs delivered, not with what Freshsales holds")
        ending = Ending()
        with interruptible(pipeline.pacer):
            with ExitStack() as stack:
                stack.enter_context(pipeline.progress)
                try:
                    pipeline.plan(register(pipeline.store, pipeline.run, files))
                    refuse_forbidden(pipeline)
                    refusal = pipeline.brake()
                    if refusal:
                        raise BrakeRefused(refusal)
                    if importing:
                        if ask and must_ask(pipeline):
                            stack.pop_all().close()
                            if not agreed(pipeline, output):
                                return ExitCode.DONE
                            pipeline.progress = output.progress = output.fresh()
                            stack.enter_context(pipeline.progress)
                        pipeline.carry_out()
                except BrakeRefused as error:
                    ending = Ending(ExitCode.BRAKE, error)
                except FreshsalesError as error:
                    ending = Ending(ending_of(error), error)
            return account_for(pipeline, output, ending, show, partly=unreadable > 0)


def tell_imported(consoles: Consoles, runs: dict[str, str]) -> None:
    """Say which files there is nothing new in."""
    for path, run in list(runs.items())[:FEW]:
        what = "what it delivered is skipped (--again sends it anew)"
        consoles.say(f"{path} was imported wholly by run {run}: {what}")
    if len(runs) > FEW:
        consoles.say(f"so were {len(runs) - FEW:,} more of these files: summary.json names them")


def remember_options(
    pipeline: Pipeline, settings: Settings, command: str, started: str, files: list[str], offline: bool
) -> None:
    """What resuming needs to know; settings hold no secret."""
    for name, value in {
        "settings": settings.model_dump(mode="json"),
        "invoked": command,
        "dry": command == "dry-run",
        "offline": offline,
        "started_at": started,
        "paths": [path if path == "-" else os.path.abspath(path) for path in files],
        "command": command,
    }.items():
        pipeline.store.put(name, value)


def must_ask(pipeline: Pipeline) -> bool:
    """Whether records of the account would be changed, and there is somebody to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty() and pipeline.store.count("record", "action = 'update'") > 0


def agreed(pipeline: Pipeline, output: Output) -> bool:
    """Ask whether to go on."""
    import typer

    counts = [pipeline.store.count("record", f"action = '{action}'") for action in ("create", "update")]
    entries = pipeline.store.count("entry", "action = 'create'")
    question = f"{counts[0]:,} to create, {counts[1]:,} to update, {entries:,} timeline entries. Push this?"
    if typer.confirm(question, err=True):
        return True
    output.consoles.say("nothing was sent")
    return False


def account_for(pipeline: Pipeline, output: Output, ending: Ending, show: Show, *, partly: bool = False) -> ExitCode:
    """Write the files of the run, show what came of it, and give the exit code."""
    dry = is_dry(pipeline.store)
    head = {
        "run_id": pipeline.run.id,
        "command": pipeline.store.get("invoked"),
        "account": pipeline.store.get("account")["host"],
        "edition": pipeline.catalog.edition,
        "started_at": pipeline.store.get("started_at"),
        "finished_at": now(),
        "exit_code": 0,
        "run_dir": str(pipeline.run.folder),
    }
    if pipeline.pacer.limit is not None:
        head |= {"account_limit": pipeline.pacer.per_hour, "quota_left": pipeline.pacer.remaining}
    if isinstance(ending.error, BrakeRefused):
        head["notes"] = [f"safety brake: {ending.error}"]
    if pipeline.stage == "new" and ending.error is not None:
        raise ending.error

    def exit_code(outcomes: dict[str, int]) -> int:
        bad = partly or outcomes["rejected"] or outcomes["failed"] or _not_undone(pipeline.store)
        return ExitCode.SOME_FAILED if ending.code is ExitCode.DONE and bad else ending.code

    summary = pipeline.account_for(head, exit_code, dry_run=dry)
    show(pipeline, summary)
    if ending.code not in (ExitCode.DONE, ExitCode.SOME_FAILED):
        output.consoles.complain(_why(ending))
    return ExitCode(summary["exit_code"])


def _not_undone(store: Store) -> bool:
    """Whether an undo, which has no events of its own, had to leave something as it is."""
    left = "status IN ('failed', 'unknown')"
    return store.get("undoes") is not None and any(store.count(table, left) for table in ("record", "entry"))


def show_run(output: Output, run: Run, summary: dict[str, Any]) -> None:
    """The totals of a run, or its summary as JSON; a dry run with its diff."""
    out, failures = output.consoles.out, read_lines(run.failures)
    if output.json:
        print_json(out, summary)
    elif output.consoles.quiet:
        return
    elif summary["dry_run"]:
        print_dry_run(out, summary, read_lines(run.changes), failures, run_dir=run.folder)
    else:
        print_totals(out, summary, failures, run_dir=run.folder)


def _why(ending: Ending) -> str:
    if ending.code is ExitCode.BRAKE:
        return f"the safety brake: {ending.error}"
    if ending.code is ExitCode.REFUSED_CREDENTIALS:
        return f"Freshsales refused this key: {ending.error}. Check it with: fsseg check"
    return f"stopped early: {ending.error}; go on with: fsseg resume"
