"""`apply`: pushing the plan that a dry run has made, in a run of its own."""

from __future__ import annotations

import os
import shutil
from contextlib import closing

from fsseg.cli.continue_cmds import can_be_applied, go_on
from fsseg.cli.run_end import advised
from fsseg.cli.session import Output, Session
from fsseg.cli.which_run import find
from fsseg.exit_codes import ExitCode
from fsseg.settings import ConfigError, Settings
from fsseg.state.renewal import forget_review
from fsseg.state.run_folder import OPEN, NoSuchRun, Run, RunInfo, RunState, new_run, readable_runs
from fsseg.state.run_meta import TrafficCount
from fsseg.state.seal import check


def apply(given: Settings, output: Output, id: str | None, *, strict: bool, yes: bool) -> ExitCode:
    """Push the plan of a reviewed dry run, or of an import that was declined, in a run of its own.

    Raises what `fsseg.cli.errors.handled` handles.
    """
    original = find(given, lambda run: run.info.state is RunState.PLANNED, id)
    if original is None:
        meant = find(given, lambda run: can_be_applied(run.info) or _is_offline(run.info), None)
        raise _none_to_apply(meant, find(given, lambda run: run.info.command == "dry-run", None))

    def prepare(held: Session) -> Run:
        _forget_begun(held, original)
        _refuse_inapplicable(original)
        when = original.info.started_at[:16].replace("T", " ")
        output.consoles.info(f"applying {original.id}, planned {when} UTC")
        return _fork(held, original, strict=strict)

    return go_on(given, output, original, "apply", prepare, yes=yes)


def _none_to_apply(meant: Run | None, latest: Run | None) -> Exception:
    """Why there is no dry run to apply where none is named, and what may have been `meant`."""
    none = "there is no dry run to apply: fsseg dry-run makes one"
    if latest is not None and (meant is None or meant.info.started_at < latest.info.started_at):
        if latest.info.state is RunState.DONE:
            return NoSuchRun(f"{none}; the latest, {latest.id}, has nothing to apply")
        if latest.info.state is RunState.APPLIED:
            return NoSuchRun(f"{none}; {_who_applied(latest.info, latest.beside(str(latest.info.by)))}")
    if meant is None:
        return NoSuchRun(none)
    info = meant.info
    if _is_offline(info):
        return _planned_offline(info)
    return NoSuchRun(
        f"there is no dry run to apply by itself: run {info.id} is {info.state}; what would still push it:"
        f" {advised('apply', meant)}"
    )


def _is_offline(info: RunInfo) -> bool:
    return info.command == "dry-run" and info.offline


def _planned_offline(info: RunInfo) -> ConfigError:
    return ConfigError(
        f"{info.id} was planned offline, without looking at what Freshsales holds: make a dry run online"
    )


def _refuse_inapplicable(original: Run) -> None:
    info = original.info
    if info.state is RunState.APPLIED:
        raise ConfigError(_who_applied(info, original.beside(str(info.by))))
    if info.offline:
        raise _planned_offline(info)
    if not can_be_applied(info):
        raise ConfigError(f"{info.id} isn't a finished dry run with something to apply: only those can be applied")


def _who_applied(info: RunInfo, applying: Run) -> str:
    """Which run has pushed the plan, and what can be done about that one. Raises `StateError`."""
    if not applying.folder.exists():
        return f"{info.id} was applied already, by run {applying.id}, which was deleted since"
    now = applying.info
    if now.state in OPEN:
        how = advised("resume", applying, "--allow-mass-changes" if now.exit_code == ExitCode.BRAKE else "")
        return f"{info.id} was applied by run {applying.id}, which stopped on its way; go on with: {how}"
    if now.state is RunState.UNDONE:
        undone = f"{info.id} was applied by run {applying.id}, which run {now.by} has undone"
        return f"{undone}: make a dry run anew, or import its files again"
    return f"{info.id} was applied already, by run {applying.id}: {advised('runs show', applying)}"


def _forget_begun(held: Session, original: Run) -> None:
    """Delete what an apply of this plan has left that ended before it sent anything: at its question, say."""
    for run, info in readable_runs(held.folder):
        is_copy = info.of == original.id and info.command == "apply"
        if is_copy and info.state in (RunState.PLANNING, RunState.DECLINED) and not run.has_sent:
            original.note(state=RunState.DECLINED, by=None)
            shutil.rmtree(run.folder)


def _fork(held: Session, original: Run, *, strict: bool) -> Run:
    """A new run with a copy of the plan, which is noted in both. Raises `StateError`."""
    info = original.info

    def copy(run: Run) -> None:
        with closing(original.open()) as store:
            held.check_account(store, original)
            check(store, original.id)
            store.copy_to(run.plan)
        os.chmod(run.plan, 0o600)
        with closing(run.open()) as store, store.transaction():
            store.meta.applies = original.id
            store.meta.strict_apply = strict
            store.meta.drifted = None
            store.meta.requests, store.meta.traffic = {}, TrafficCount()
            store.meta.forecast = store.meta.first_forecast = None
            forget_review(store)

    run = new_run(
        held.folder, copy, account=info.account, edition=info.edition, command="apply", inputs=info.inputs,
        settings=info.settings, of=original.id,
    )  # fmt: skip
    original.note(state=RunState.APPLIED, by=run.id)
    return run
