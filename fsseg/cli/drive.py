"""What all commands do with a run: take it to its end, write its files, and say what came of it."""

from __future__ import annotations

import gc
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

from fsseg.cli.heartbeat import heartbeat
from fsseg.cli.question import ask_to_push
from fsseg.cli.run_end import Declined, Ending, advised, ending_of, tell_too_few
from fsseg.cli.run_inputs import FEW, tell_empty
from fsseg.cli.session import Output, Session, import_flags
from fsseg.cli.streams import CannotPrint
from fsseg.exit_codes import ExitCode
from fsseg.figures import counted
from fsseg.freshsales.errors import FreshsalesError, Stop
from fsseg.pipeline import Pipeline
from fsseg.plan.brake import BrakeRefused
from fsseg.report.console import Consoles
from fsseg.report.files import read_lines
from fsseg.report.formats.text import print_dry_run, print_totals
from fsseg.report.quiet import quiet_lines
from fsseg.report.render import print_json
from fsseg.report.standing import standing
from fsseg.segment.open import Input
from fsseg.state.actions import Action, EventOutcome
from fsseg.state.database import StateError
from fsseg.state.plan_counts import has_failed, has_stayed, has_writes_to_come, has_written
from fsseg.state.plan_store import Store
from fsseg.state.reopen import failed
from fsseg.state.run_folder import Run, RunState, now
from fsseg.state.run_meta import PlanStage
from fsseg.state.run_selection import supersede, supersede_undos

Show = Callable[[Pipeline, dict[str, Any], str], None]
"""Shows what came of a run; the text is a command that is told right after it, and so not by it."""


def drive(
    held: Session, pipeline: Pipeline, inputs: Callable[[], Sequence[Input]], show: Show, *, yes: bool
) -> ExitCode:
    """Take a run to its end; whatever stops it, write its files, show what came of it, and give the exit code."""
    ending = Ending()
    before = pipeline.came_to
    gc.freeze()  # records make no cycles: to look for some as often as usual takes a tenth of the time
    gc.set_threshold(100_000, 20, 50)
    with ExitStack() as stack:
        stack.enter_context(pipeline.progress)
        try:
            with heartbeat(lambda: held.output.progress):
                asks = partial(ask_to_push, pipeline, held.output, stack, yes=yes)
                pipeline.walk(inputs, None if pipeline.run.info.dry else asks)
        except Declined as error:
            if pipeline.run.info.of:
                return discard(held, pipeline.run, error)
            ending = Ending(ExitCode.INTERRUPTED if error.interrupted else ExitCode.DONE, error)
        except BrakeRefused as error:
            ending = Ending(ExitCode.BRAKE, error)
        except FreshsalesError as error:
            if pipeline.stage is PlanStage.NEW:
                raise
            if pipeline.came_to == before:
                tell_too_few(error)
            ending = Ending(ending_of(error), error)
        with pipeline.progress.stage("Report", None, "lines", brief=True) as stage:
            summary = _reported(held, pipeline, ending)
            stage.advance(pipeline.sample.count)
    return account_for(held, pipeline, ending, summary, show)


def discard(held: Session, run: Run, declined: Declined) -> ExitCode:
    """Leave nothing of an apply or undo that somebody said no to; the plan that was to be applied is noted as such."""
    text = "nothing was written"
    if run.info.command == "apply":
        original = run.beside(run.info.of or "")
        with suppress(StateError):  # it may be gone
            original.note(state=RunState.DECLINED, by=None)
            text += f"; what would still push it: {advised('apply', original)}"
    held.output.consoles.error(text)
    shutil.rmtree(run.folder)
    return ExitCode.INTERRUPTED if declined.interrupted else ExitCode.DONE


def _reported(held: Session, pipeline: Pipeline, ending: Ending) -> dict[str, Any]:
    """Write the files of the run; its summary."""
    run, info = pipeline.run, pipeline.run.info
    declined = isinstance(ending.error, Declined)
    head = {
        "run_id": run.id,
        "command": held.command,
        **({"of": info.of} if info.of else {}),
        "account": info.account,
        "edition": info.edition,
        "started_at": _whole_seconds(info.started_at),
        "finished_at": _whole_seconds(now()),
        "exit_code": 0,
        "seconds": round(info.seconds + time.monotonic() - held.began, 1),
        "import_flags": import_flags(held.settings),
        "run_dir": str(run.folder),
    }
    if pipeline.pacer.per_hour is not None:
        head |= {"account_limit": pipeline.pacer.per_hour, "quota_left": pipeline.pacer.remaining}
    if isinstance(ending.error, BrakeRefused):
        head["notes"] = [f"safety brake: {ending.error}"]
    elif ending.code in (ExitCode.STOPPED, ExitCode.REFUSED_CREDENTIALS) and ending.error:
        head["stopped_by"] = str(ending.error)

    meta = pipeline.store.meta
    partly = bool(meta.unopened or meta.counts.unreadable)

    def exit_code(outcomes: dict[str, int]) -> int:
        unusable = outcomes[EventOutcome.REJECTED] or outcomes[EventOutcome.FAILED]
        bad = partly or unusable or _not_undone(pipeline.store)
        return ExitCode.SOME_FAILED if ending.code is ExitCode.DONE and bad and not declined else ending.code

    dry_run = info.dry or declined
    return pipeline.report(head | {"dry_run": dry_run}, exit_code, dry_run=dry_run)


def account_for(held: Session, pipeline: Pipeline, ending: Ending, summary: dict[str, Any], show: Show) -> ExitCode:
    """Note how the run stands, show what came of it, and give the exit code."""
    run, output = pipeline.run, held.output
    state = _state(pipeline, ending)
    dry, seconds = run.info.dry, run.info.seconds + time.monotonic() - held.began
    info = run.note(
        state=state, exit_code=summary["exit_code"], outcomes=summary["events"]["outcomes"], finished_at=now(),
        seconds=seconds, failed=0 if dry else failed(pipeline.store),
        in_flight=not dry and pipeline.store.has_in_flight,
    )  # fmt: skip
    if info.command == "dry-run" and state in (RunState.PLANNED, RunState.DONE) and not info.offline:
        supersede(held.folder, info)
    if info.command == "undo" and info.of and state is RunState.DONE and _has_undone(pipeline.store):
        with suppress(StateError):
            run.beside(info.of).note(state=RunState.UNDONE, by=run.id)
        supersede_undos(held.folder, info)
    unreadable = pipeline.store.meta.counts.unreadable
    _tell_unreadable(output.consoles, [fault for _, fault in unreadable])
    _tell_lost(output.consoles, summary)
    faulty = {path for path, _ in (*unreadable, *pipeline.store.meta.unopened)}
    read = [row for row in summary["inputs"] if row["container"]]  # none beyond --limit
    empty = [row["path"] for row in read if not row["events"] and row["path"] not in faulty]
    tell_empty(output.consoles, empty)
    how = _how_to_go_on(run, ending)
    try:
        show(pipeline, summary, how if output.consoles.on_one_terminal else "")
        output.consoles.out.file.flush()
    except CannotPrint as error:
        error.add_note(f"what was to be told there is kept: {advised('report', run)}")
        raise
    finally:
        _say_how_it_ended(output, run, ending, summary, how)
    return ExitCode(summary["exit_code"])


def _tell_unreadable(consoles: Consoles, faults: list[str]) -> None:
    for fault in faults[:FEW]:
        consoles.mistake(fault)
    if len(faults) > FEW:
        consoles.mistake(f"{counted(len(faults) - FEW, 'more input')} can't be read: summary.json names them")


def _tell_lost(consoles: Consoles, summary: dict[str, Any]) -> None:
    """Name the files whose failed events can't be given any more."""
    files = [row["path"] for row in summary["inputs"] if row.get("lost")]
    if files:
        more = f" and {len(files) - FEW:,} more" if len(files) > FEW else ""
        one, several = "it was read, or is gone: what failed of it", "they were read, or are gone: what failed of them"
        since = f"since {one if len(files) == 1 else several} is named in failures.jsonl, but can't be given there"
        consoles.error(f"{', '.join(files[:FEW])}{more} changed {since}")


def _state(pipeline: Pipeline, ending: Ending) -> RunState:
    """How the run stands now."""
    info = pipeline.run.info
    if isinstance(ending.error, Declined):
        return RunState.DECLINED
    if info.dry and pipeline.stage is PlanStage.PLANNED:
        to_apply = has_writes_to_come(pipeline.store)
        return RunState.PLANNED if info.command == "dry-run" and to_apply and not info.offline else RunState.DONE
    return RunState.STOPPED if ending.stopped else RunState.DONE


def _has_undone(store: Store) -> bool:
    """Whether an undo has put anything back."""
    return has_written(store, Action.UPDATE, Action.DELETE)


def _whole_seconds(time: str) -> str:
    """A time of `RunInfo` as the reports write it."""
    found = datetime.fromisoformat(time).astimezone(UTC)
    return found.isoformat(timespec="seconds").replace("+00:00", "Z")


def _not_undone(store: Store) -> bool:
    """Whether an undo, which has no events of its own, had to leave something as it is."""
    return store.meta.undoes is not None and (has_failed(store) or has_stayed(store))


def shows_run(output: Output) -> Show:
    """Shows a run as `show_run` does."""
    return lambda pipeline, summary, told: show_run(output, pipeline.run, summary, told)


def show_run(output: Output, run: Run, summary: dict[str, Any], told: str = "") -> None:
    """The totals of a run, or its summary as JSON; a dry run with its diff. `told` is as in `print_totals`."""
    out, failures, stands = output.consoles.out, read_lines(run.failures), standing(run)
    if output.json:
        print_json(out, summary)
    elif output.consoles.quiet:
        return
    elif run.info.dry:
        print_dry_run(
            out, summary, read_lines(run.changes), failures, run_dir=run.folder, command_shown=told, standing=stands,
            brief=True,
        )  # fmt: skip
    else:
        print_totals(out, summary, failures, run_dir=run.folder, command_shown=told, standing=stands, brief=True)


def _how_to_go_on(run: Run, ending: Ending) -> str:
    """The command that goes on with what was declined or has stopped; empty where there is none."""
    match ending:
        case Ending(error=Declined()):
            return advised("apply", run)
        case Ending(code=ExitCode.BRAKE):
            verb = "apply" if run.info.state is RunState.PLANNED else "resume"
            return "" if run.info.state is RunState.DONE else advised(verb, run, "--allow-mass-changes")
    return advised("resume", run) if ending.stopped else ""


def _say_how_it_ended(output: Output, run: Run, ending: Ending, summary: dict[str, Any], how: str) -> None:
    """What stopped the run and how it goes on; under `--quiet`, what else there is to know of it."""
    resume = f"go on with: {how}"
    match ending:
        case Ending(error=Declined()):
            output.consoles.error(f"nothing was written; what would still push it: {how}")
        case Ending(code=ExitCode.BRAKE):
            output.consoles.mistake(f"the safety brake: {ending.error}", *([f"if this is meant: {how}"] if how else []))
        case Ending(error=Stop() as refused):
            output.consoles.mistake(f"Freshsales refused this key: {refused}", f"{refused.hint}; then {resume}")
        case Ending(code=ExitCode.DONE):
            if output.consoles.quiet:
                for line in quiet_lines(summary, read_lines(run.failures)):
                    output.consoles.error(line)
        case _:
            output.consoles.mistake(f"stopped early: {ending.error}", resume)
