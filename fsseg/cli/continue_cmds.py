"""`resume`, `retry`, `apply`, `undo`: everything that goes on from an earlier run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from fsseg.cli.connect import account_of, check_tokens, folder_of, state_dir
from fsseg.cli.errors import NoInput
from fsseg.cli.planning import Act, Show, drive, show_run
from fsseg.cli.question import is_terminal, push_if_agreed
from fsseg.cli.run_end import advised, resumable
from fsseg.cli.run_inputs import register
from fsseg.cli.session import Output, Session, refuse_forbidden, session
from fsseg.exit_codes import ExitCode
from fsseg.freshsales.account import Account
from fsseg.pipeline import Pipeline
from fsseg.segment.open import Input
from fsseg.segment.places import exists
from fsseg.settings import ConfigError, Settings
from fsseg.state.actions import Action, EventOutcome
from fsseg.state.plan_counts import has_written
from fsseg.state.renewal import forget_review
from fsseg.state.reopen import failed, reopen_failed
from fsseg.state.run_folder import APPLICABLE, OPEN, STDIN, NoSuchRun, Run, RunInfo, RunState, new_run, readable_runs
from fsseg.state.run_meta import PlanStage, TrafficCount
from fsseg.state.run_selection import LATEST, Fits, latest, named
from fsseg.state.seal import check

NOW = ("limits", "allow_mass_changes")
"""Settings that count as they are given now, not as they were when the run began."""

STANDING = {
    RunState.PLANNED: "it is a dry run",
    RunState.SUPERSEDED: "run {by} has taken its files since",
    RunState.DECLINED: "somebody said no to it",
    RunState.APPLIED: "run {by} pushes its plan",
    RunState.UNDONE: "run {by} has undone it: import its files again",
}
"""Why there is nothing of a run to go on with."""


def names_account(settings: Settings) -> bool:
    """Whether flags, environment or settings file say which account is meant."""
    chosen = settings.freshsales
    return settings.sandbox or bool(chosen.domain or chosen.base_url)


def hosts(settings: Settings) -> list[str]:
    """The account that is named; two where a bare name may be that of either edition's address."""
    host = account_of(settings).host
    if settings.sandbox or settings.freshsales.edition:
        return [host]
    other = _account(_in_edition(settings, "suite"))
    return [host, other.host] if other and other.host != host else [host]


def folders(settings: Settings) -> list[Path]:
    """The folders of the account that is named, else those of all accounts."""
    if names_account(settings):
        return [folder_of(settings, host) for host in hosts(settings)]
    return all_folders(settings)


def all_folders(settings: Settings) -> list[Path]:
    """The folders of all accounts that there ever was a run of."""
    return [folder for folder in state_dir(settings).iterdir() if folder.is_dir()]


def find(settings: Settings, fits: Fits, id: str | None) -> Run | None:
    """The run of that id; without one the newest that fits.

    Raises `NoSuchRun`, and `ConfigError` where the run is of another account, or of either that a bare name may mean.
    """
    if id and id != LATEST:
        chosen = named(all_folders(settings), id)
        settings_of(chosen, settings)
        return chosen
    if not names_account(settings):
        return latest(all_folders(settings), fits)
    found = [run for folder in folders(settings) if (run := latest([folder], fits))]
    if len(found) > 1:
        either = " and ".join(f"run {run.id} of {run.info.account}" for run in found)
        raise ConfigError(f"{settings.freshsales.domain} may mean {either}: give --edition, or the run")
    return found[0] if found else None


def settings_of(run: Run, given: Settings) -> Settings:
    """The settings that the run began with; limits, the brake's flag, key, suppression list, cluster and `--as` as now.

    An import that was let change as much as it likes still is. Raises `ConfigError` where another account is named than
    the run's own.
    """
    info = run.info
    if names_account(given):
        _refuse_other(run, given)
    elif given.freshsales.edition not in (None, info.edition):
        raise ConfigError(
            f"run {run.id} belongs to {info.account} ({info.edition}), and not to a {given.freshsales.edition} account"
        )
    over = given.model_dump(mode="json", exclude_unset=True)
    merged = {**info.settings, **{name: over[name] for name in ("state_dir",) if name in over}}
    merged |= given.model_dump(mode="json", include=set(NOW))
    if info.settings.get("allow_mass_changes") and not info.dry:  # somebody has lifted the brake for this very push
        merged["allow_mass_changes"] = True
    if given.filter.suppress_file is not None:
        merged["filter"] = {**merged["filter"], "suppress_file": str(given.filter.suppress_file)}
    if given.cluster.address is not None:
        merged["cluster"] = given.cluster.model_dump()
    if given.sandbox_as:
        merged["sandbox_as"] = given.sandbox_as
    merged["freshsales"] = {**info.settings.get("freshsales", {}), **(over.get("freshsales") or {})}
    settings = Settings.model_validate(merged)
    account = _account(settings)
    return settings if account and account.edition == info.edition else _in_edition(settings, info.edition)


def _refuse_other(run: Run, given: Settings) -> None:
    info = run.info
    if given.freshsales.edition is None:  # neither the sandbox nor every address tells it
        account = _account(_in_edition(given, info.edition)) or account_of(given)
    else:
        account = account_of(given)
    if (account.host, account.edition) != (info.account, info.edition):
        raise ConfigError(
            f"run {run.id} belongs to {info.account} ({info.edition}), but {account.host} ({account.edition}) is named:"
            " nothing was sent to either"
        )


def _in_edition(settings: Settings, edition: str) -> Settings:
    return settings.model_copy(update={"freshsales": settings.freshsales.model_copy(update={"edition": edition})})


def _account(settings: Settings) -> Account | None:
    try:
        return account_of(settings)
    except ConfigError:
        return None


def nothing_left(output: Output, given: Settings, run: Run | None, text: str) -> ExitCode:
    """Say so, and of which account; a run that was named is shown as it ended."""
    if run is None:
        output.consoles.info(f"{text} for {' or '.join(hosts(given)) if names_account(given) else 'any account'}")
        return ExitCode.DONE
    info = run.info
    is_undo = info.command == "undo" and info.state is RunState.SUPERSEDED
    why = f"run {info.by} has done that since" if is_undo else STANDING.get(info.state, "").format(by=info.by)
    how = advised("apply", run) if _can_be_applied(info) else ""
    if how:
        why += f": {how} pushes it{'' if info.state is RunState.PLANNED else ' all the same'}"
    output.consoles.info(f"{text}: {why}" if why else text)
    if summary := run.summary():
        show_run(output, run, summary, how)
    return ExitCode.DONE


def resume(given: Settings, output: Output, id: str | None, *, yes: bool) -> ExitCode:
    """Take a run from where it stands to its end. Raises what `fsseg.cli.errors.handled` handles."""
    run = find(given, lambda run: _may_go_on(run, given), id)
    if run is None or run.info.state not in OPEN:
        return nothing_left(output, given, run, "nothing to resume")
    if run.info.command == "undo" and not (run.info.dry or run.info.agreed or yes):
        _refuse_unasked(run, given)

    def prepare(held: Session) -> Run | None:
        return run if run.info.state in OPEN else None

    return go_on(given, output, run, "resume", prepare, partial(_push, yes=yes))


def _may_go_on(run: Run, given: Settings) -> bool:
    """Whether the run can be resumed.

    What the safety brake has stopped waits for somebody to lift it, and an undo for somebody to agree to it.
    """
    info = run.info
    held = info.exit_code == ExitCode.BRAKE and not given.allow_mass_changes
    waits = info.command == "undo" and not (info.dry or info.agreed or is_terminal())
    return info.state in OPEN and not held and not waits


def retry(given: Settings, output: Output, id: str | None) -> ExitCode:
    """Push again all that failed in a run. Raises what `fsseg.cli.errors.handled` handles."""
    run = find(given, lambda run: not run.info.dry and run.info.failed > 0, id)
    if run is None or run.info.dry or run.info.state in STANDING:
        if id is None and (stopped := find(given, lambda run: _may_go_on(run, given), None)):
            output.consoles.info(f"run {stopped.id} has not come to its end: {advised('resume', stopped)}")
        return nothing_left(output, given, run, "nothing to retry")

    def prepare(held: Session) -> Run | None:
        with closing(run.open()) as store:
            held.check_account(store, run)
            check(store, run.id)
            if not failed(store):
                return None
            run.note(state=RunState.STOPPED)  # what is planned again can be resumed, whatever ends this process
            reopen_failed(store)
            return run

    code = go_on(given, output, run, "retry", prepare, partial(_push, yes=True))
    return ExitCode.SOME_FAILED if code is ExitCode.DONE and run.info.outcomes.get(EventOutcome.FAILED) else code


def _push(pipeline: Pipeline, output: Output, stack: ExitStack, *, yes: bool) -> None:
    store = pipeline.store
    check(store, pipeline.run.id)
    pipeline.commit_killed()
    if pipeline.stage is PlanStage.NEW:
        store.clear()
        pipeline.plan(_inputs(pipeline))
    pipeline.plan(())
    refuse_forbidden(pipeline)
    if not pipeline.run.info.dry:
        push_if_agreed(pipeline, output, stack, yes=yes)


def apply(given: Settings, output: Output, id: str | None, *, strict: bool, yes: bool) -> ExitCode:
    """Push the plan of a reviewed dry run, or of an import that was declined, in a run of its own.

    Raises what `fsseg.cli.errors.handled` handles.
    """
    original = find(given, lambda run: run.info.state is RunState.PLANNED, id)
    if original is None:
        meant = find(given, lambda run: _can_be_applied(run.info) or _is_offline(run.info), None)
        raise _none_to_apply(meant, find(given, lambda run: run.info.command == "dry-run", None))

    def prepare(held: Session) -> Run:
        _forget_begun(held, original)
        _refuse_inapplicable(original)
        when = original.info.started_at[:16].replace("T", " ")
        output.consoles.info(f"applying {original.id}, planned {when} UTC")
        return _fork(held, original, strict=strict)

    def act(pipeline: Pipeline, output: Output, stack: ExitStack) -> None:
        pipeline.commit_killed()
        refuse_forbidden(pipeline)
        push_if_agreed(pipeline, output, stack, yes=yes)

    return go_on(given, output, original, "apply", prepare, act)


def _none_to_apply(meant: Run | None, latest: Run | None) -> Exception:
    """Why there is no dry run to apply where none is named, and what may have been `meant`."""
    none = "there is no dry run to apply: fsseg dry-run makes one"
    if latest is not None and (meant is None or meant.info.started_at < latest.info.started_at):
        by, state = latest.info.by, latest.info.state
        whys = {RunState.DONE: "has nothing to apply", RunState.APPLIED: f"was applied by {by}"}
        if why := whys.get(state):
            return NoSuchRun(f"{none}; the latest, {latest.id}, {why}")
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
        raise ConfigError(_who_applied(info, Run(original.folder.parent / str(info.by))))
    if info.offline:
        raise _planned_offline(info)
    if not _can_be_applied(info):
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


def _can_be_applied(info: RunInfo) -> bool:
    """Whether it has a whole plan that nobody pushes, unlike an undo or an import that another one has superseded."""
    return info.state in APPLICABLE and info.command != "undo" and (info.dry or info.state is RunState.DECLINED)


def _forget_begun(held: Session, original: Run) -> None:
    """Delete the copy of an apply whose process ended before anything was sent, at its question say."""
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


def undo(given: Settings, output: Output, id: str | None, *, delete_created: bool, dry: bool, yes: bool) -> ExitCode:
    """Put back what a run changed. Raises what `fsseg.cli.errors.handled` handles."""
    original = find(given, lambda run: _can_be_undone(run, delete_created=delete_created), id)
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

    def act(pipeline: Pipeline, output: Output, stack: ExitStack) -> None:
        pipeline.commit_killed()
        pipeline.plan(())
        if not dry:
            push_if_agreed(pipeline, output, stack, yes=yes)

    return go_on(given, output, original, "undo", prepare, act)


def _refuse_unasked(run: Run, given: Settings) -> None:
    """Raise `ConfigError` where there is nobody to ask, or sooner where the account can't be reached at all."""
    check_tokens(settings_of(run, given))
    if not is_terminal():
        raise ConfigError("undo asks first, and there is nobody to ask here", "give --yes")


def _can_be_undone(run: Run, *, delete_created: bool) -> bool:
    """Whether the run wrote something that is still there; of one that was undone that is what it created."""
    info = run.info
    if info.dry or info.command not in ("import", "apply"):
        return False
    was_put_back = info.state is RunState.UNDONE and not delete_created
    still_there = [Action.UPDATE] if was_put_back else [Action.CREATE, Action.UPDATE]
    with run.reading() as store:
        return has_written(store, *still_there)


def go_on(
    given: Settings, output: Output, run: Run, command: str, prepare: Callable[[Session], Run | None],
    act: Callable[[Pipeline, Output, ExitStack], None],
) -> ExitCode:  # fmt: skip
    """Hold the account of `run`, let `prepare` say which run is to act under the lock, and take that to its end."""
    settings = settings_of(run, given)
    with session(settings, output, command, offline=run.info.offline) as held:
        acting = prepare(held)
        if acting is None:
            return nothing_left(output, given, run, f"nothing to {command}")
        with resumable(acting, fresh=False):
            info = acting.info
            with held.pipeline(acting, writes=not info.dry, offline=info.offline) as pipeline:
                steps: Act = lambda stack: act(pipeline, output, stack)  # noqa: E731
                show: Show = lambda pipeline, summary, told: show_run(output, pipeline.run, summary, told)  # noqa: E731
                return drive(held, pipeline, steps, show)


def _inputs(pipeline: Pipeline) -> list[Input]:
    """Raises `ConfigError` where standard input is gone, and nothing is left of the run; and `NoInput`."""
    run = pipeline.run
    if run.lacks_stdin:
        raise ConfigError(f"run {run.id} can't be resumed")
    gone = [path for path in run.info.inputs if path != STDIN and not exists(path)]
    if gone:
        more = f", and {len(gone) - 1:,} more" if len(gone) > 1 else ""
        raise NoInput(f"{gone[0]} is gone{more}, and run {run.id} stopped before it was read: put it back")
    return register(pipeline.store, run, run.info.inputs, run.info.given or run.info.inputs)
