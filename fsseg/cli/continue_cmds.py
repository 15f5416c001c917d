"""`resume`, `retry`, `undo`, and what they and `apply` have in common: all that goes on from an earlier run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial

from fsseg.cli.arguments import is_terminal
from fsseg.cli.connect import check_tokens, holder
from fsseg.cli.drive import drive, show_run, shows_run
from fsseg.cli.run_end import advised, resumable
from fsseg.cli.run_inputs import register
from fsseg.cli.session import Output, Session, session
from fsseg.cli.which_run import find, hosts, names_account, settings_of
from fsseg.exit_codes import ExitCode
from fsseg.pipeline import Pipeline
from fsseg.segment.no_input import NoInput
from fsseg.segment.open import Input
from fsseg.segment.places import exists
from fsseg.settings import ConfigError, Settings
from fsseg.state.actions import Action, EventOutcome
from fsseg.state.plan_counts import may_have_written
from fsseg.state.reopen import failed, reopen_failed
from fsseg.state.run_folder import APPLICABLE, OPEN, STDIN, Run, RunInfo, RunState, new_run
from fsseg.state.run_meta import PlanStage
from fsseg.state.run_selection import LATEST, Fits
from fsseg.state.seal import check

STANDING = {
    RunState.PLANNED: "it is a dry run",
    RunState.SUPERSEDED: "run {by} has taken its files since",
    RunState.DECLINED: "somebody said no to it",
    RunState.APPLIED: "run {by} pushes its plan",
    RunState.UNDONE: "run {by} has undone it: import its files again",
}
"""Why there is nothing of a run to go on with."""


def nothing_left(output: Output, given: Settings, run: Run | None, text: str) -> ExitCode:
    """Say so, and of which account; a run that was named is shown as it ended."""
    if run is None:
        output.consoles.info(f"{text} for {' or '.join(hosts(given)) if names_account(given) else 'any account'}")
        return ExitCode.DONE
    info = run.info
    is_undo = info.command == "undo" and info.state is RunState.SUPERSEDED
    why = f"run {info.by} has done that since" if is_undo else STANDING.get(info.state, "").format(by=info.by)
    how = advised("apply", run) if can_be_applied(info) else ""
    if how:
        why += f": {how} pushes it{'' if info.state is RunState.PLANNED else ' all the same'}"
    output.consoles.info(f"{text}: {why}" if why else text)
    if summary := run.summary():
        show_run(output, run, summary, how)
    return ExitCode.DONE


def can_be_applied(info: RunInfo) -> bool:
    """Whether it has a whole plan that nobody pushes, unlike an undo or an import that another one has superseded."""
    return info.state in APPLICABLE and info.command != "undo" and (info.dry or info.state is RunState.DECLINED)


def resume(given: Settings, output: Output, id: str | None, *, yes: bool) -> ExitCode:
    """Take a run from where it stands to its end. Raises what `fsseg.cli.errors.handled` handles."""
    run = find(given, lambda run: _may_go_on(run, given), id)
    if run is None and (waiting := find(given, lambda run: run.info.state in OPEN, None)):
        braked = _is_braked(waiting)
        why = "the safety brake holds it" if braked else "nobody has agreed to it"
        how = advised("resume", waiting, "--allow-mass-changes" if braked else "--yes")
        output.consoles.info(f"run {waiting.id} has not come to its end: {why}; if it is meant: {how}")
    if run is None or run.info.state not in OPEN:
        return nothing_left(output, given, run, "nothing to resume")
    if run.info.command == "undo" and not (run.info.dry or run.info.agreed or yes):
        _refuse_unasked(run, given)

    def prepare(held: Session) -> Run | None:
        if run.info.state not in OPEN:
            return None
        _name(output, "resuming", run)
        with closing(run.open()) as store:
            held.check_account(store, run)
            if not run.info.offline:  # such a plan has no seal, as nothing of it can be sent
                check(store, run.id)
        return run

    return go_on(given, output, run, "resume", prepare, yes=yes)


def _name(output: Output, doing: str, run: Run) -> None:
    """Say at once which run is meant, as many can be, and what it is."""
    info = run.info
    output.consoles.info(f"{doing} {run.id}, the {info.command} of {info.started_at[:16].replace('T', ' ')} UTC")


def _may_go_on(run: Run, given: Settings) -> bool:
    """Whether the run can be resumed.

    What the safety brake has stopped waits for somebody to lift it, and an undo for somebody to agree to it.
    """
    info = run.info
    held = _is_braked(run) and not given.allow_mass_changes
    waits = info.command == "undo" and not (info.dry or info.agreed or is_terminal())
    return info.state in OPEN and not held and not waits


def _is_braked(run: Run) -> bool:
    return run.info.exit_code == ExitCode.BRAKE


def retry(given: Settings, output: Output, id: str | None) -> ExitCode:
    """Push again all that failed in a run. Raises what `fsseg.cli.errors.handled` handles."""
    run = find(given, lambda run: not run.info.dry and run.info.failed > 0, id)
    if run is None or run.info.dry or run.info.state in STANDING:
        if id is None and (stopped := find(given, lambda run: _may_go_on(run, given), None)):
            is_held = holder(stopped.account_folder) == stopped.id
            how = "it is under way" if is_held else advised("resume", stopped)
            output.consoles.info(f"run {stopped.id} has not come to its end: {how}")
        return nothing_left(output, given, run, "nothing to retry")

    def prepare(held: Session) -> Run | None:
        with closing(run.open()) as store:
            held.check_account(store, run)
            check(store, run.id)
            is_begun = run.info.failed > 0 and run.info.state in OPEN  # a retry that stopped has no failed rows left
            if not (failed(store) or is_begun):
                return None
            run.note(state=RunState.STOPPED)  # what is planned again can be resumed, whatever ends this process
            reopen_failed(store)
        _name(output, "retrying", run)
        return run

    code = go_on(given, output, run, "retry", prepare, yes=True)
    return ExitCode.SOME_FAILED if code is ExitCode.DONE and run.info.outcomes.get(EventOutcome.FAILED) else code


def undo(given: Settings, output: Output, id: str | None, *, delete_created: bool, dry: bool, yes: bool) -> ExitCode:
    """Put back what a run changed. Raises what `fsseg.cli.errors.handled` handles."""
    fits: Fits = partial(_can_be_undone, delete_created=delete_created)
    original = find(given, fits, id)
    if id in (None, LATEST) and (undone := _undone_after(given, fits)):
        earlier = f"; to undo the one before it, too: {advised('undo', original)}" if original else ""
        output.consoles.info(f"run {undone.id} is undone already{earlier}")
        return ExitCode.DONE
    if original is None or original.info.dry or original.info.command not in ("import", "apply"):
        return nothing_left(output, given, original, "nothing to undo")
    if not (dry or yes):
        _refuse_unasked(original, given)

    def prepare(held: Session) -> Run:
        info = original.info
        with closing(original.open()) as store:
            held.check_account(store, original)
        already = f", which run {info.by} has undone already" if info.state is RunState.UNDONE else ""
        output.consoles.info(f"undoing {original.id}{already}")

        def note(run: Run) -> None:
            with closing(run.open()) as store, store.transaction():
                store.meta.undoes = original.id
                store.meta.delete_created = delete_created
                store.meta.stage = PlanStage.FOLDED

        return new_run(
            held.folder, note, account=info.account, edition=info.edition, command="undo", dry=dry, agreed=yes,
            settings=info.settings, of=original.id,
        )  # fmt: skip

    return go_on(given, output, original, "undo", prepare, yes=yes)


def _undone_after(given: Settings, fits: Fits) -> Run | None:
    """The run that was undone since the latest one that can be; a command typed twice must not take that back, too."""
    latest = find(given, lambda run: run.info.state is RunState.UNDONE or fits(run), None)
    return latest if latest and not fits(latest) else None


def _refuse_unasked(run: Run, given: Settings) -> None:
    """Raise `ConfigError` where there is nobody to ask, or sooner where the account can't be reached at all."""
    check_tokens(settings_of(run, given))
    if not is_terminal():
        raise ConfigError("undo asks first, and there is nobody to ask here", "give --yes")


def _can_be_undone(run: Run, *, delete_created: bool) -> bool:
    """Whether the run wrote something that is still there, or may have; once it was undone that is what it created."""
    info = run.info
    if info.dry or info.command not in ("import", "apply"):
        return False
    was_put_back = info.state is RunState.UNDONE and not delete_created
    still_there = [Action.UPDATE] if was_put_back else [Action.CREATE, Action.UPDATE]
    with run.reading() as store:
        return may_have_written(store, *still_there)


def go_on(
    given: Settings, output: Output, run: Run, command: str, prepare: Callable[[Session], Run | None], *, yes: bool
) -> ExitCode:
    """Hold the account of `run`, let `prepare` say which run is to act under the lock, and take that to its end."""
    settings = settings_of(run, given)
    with session(settings, output, command, offline=run.info.offline) as held:
        acting = prepare(held)
        if acting is None:
            return nothing_left(output, given, run, f"nothing to {command}")
        with resumable(acting, fresh=False):
            info = acting.info
            with held.pipeline(acting, writes=not info.dry, offline=info.offline) as pipeline:
                return drive(held, pipeline, partial(_inputs, pipeline), shows_run(output), yes=yes)


def _inputs(pipeline: Pipeline) -> list[Input]:
    """What a run reads anew that has kept nothing of its events yet.

    Raises `ConfigError` where standard input is gone, and nothing is left of the run; and `NoInput`.
    """
    run = pipeline.run
    pipeline.store.clear()
    if run.lacks_stdin:
        raise ConfigError(f"run {run.id} can't be resumed")
    gone = [path for path in run.info.inputs if path != STDIN and not exists(path)]
    if gone:
        more = f", and {len(gone) - 1:,} more" if len(gone) > 1 else ""
        raise NoInput(f"{gone[0]} is gone{more}, and run {run.id} stopped before it was read: put it back")
    return register(pipeline.store, run, run.info.inputs, run.info.given or run.info.inputs)
