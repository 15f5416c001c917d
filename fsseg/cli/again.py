"""`resume`, `retry`, `apply`, `undo`: everything that goes on from an earlier run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from fsseg.cli.connect import account_folder, account_of, state_dir
from fsseg.cli.exit_codes import ExitCode
from fsseg.cli.planning import account_for, show_run
from fsseg.cli.work import Ending, Output, ending_of, interruptible, now, opened, refuse_forbidden, register
from fsseg.freshsales.errors import FreshsalesError
from fsseg.pipeline import Pipeline
from fsseg.plan.again import Fits, applicable, is_dry, latest
from fsseg.plan.brake import BrakeRefused
from fsseg.plan.database import StateError
from fsseg.plan.run import Run, new_run
from fsseg.plan.store import Store
from fsseg.segment.open import Input
from fsseg.settings import ConfigError, Settings

NOW = ("limits", "allow_mass_changes")
"""Settings that count as they are given now, not as they were when the run began."""
ACCOUNT = ("state_dir", "sandbox")
"""Settings that count as they are given now, if they are."""


def find(settings: Settings, fits: Fits, id: str | None, *, any_named: bool = False) -> Run | None:
    """The newest run that fits, of the account given, or of any where none is; with an `id` only that one.

    `any_named`: a run named outright is taken whether it fits or not. Raises `NoSuchRun` for an unknown id.
    """
    return latest(_folders(settings, id), (lambda store: True) if any_named and id else fits, id)


def nothing_left(output: Output, settings: Settings, id: str | None, text: str) -> ExitCode:
    """Say so; a run that was named is shown as it ended."""
    output.consoles.say(text)
    run = find(settings, lambda store: True, id) if id else None
    if run is not None and (summary := run.summary()):
        show_run(output, run, summary)
    return ExitCode.DONE


def _folders(settings: Settings, id: str | None) -> Iterator[Path]:
    """An id names one run of all; without one it is the account's latest that counts."""
    chosen = settings.freshsales
    if id is None and (settings.sandbox or chosen.domain or chosen.base_url):
        yield account_folder(settings, account_of(settings))
        return
    yield from (folder for folder in sorted(state_dir(settings).iterdir()) if folder.is_dir())


def settings_of(store: Store, given: Settings) -> Settings:
    """The settings that the run began with; limits, the brake's flag and the account as they are given now."""
    began: dict[str, Any] = store.get("settings", {})
    over = given.model_dump(mode="json", exclude_unset=True)
    merged = {**began, **{name: over[name] for name in ACCOUNT if name in over}}
    merged |= given.model_dump(mode="json", include=set(NOW))
    merged["freshsales"] = {**began.get("freshsales", {}), **(over.get("freshsales") or {})}
    return Settings.model_validate(merged)


def go_on(
    given: Settings, output: Output, run: Run, command: str, prepare: Callable[[Store], object] = lambda store: None
) -> ExitCode:
    """Take `run` from where it stands to its end, after `prepare`, under the lock. The exit code of the whole run.

    Raises what `fsseg.cli.errors.handled` handles.
    """
    with closing(run.open()) as store:
        settings, dry = settings_of(store, given), is_dry(store)
    with opened(settings, output, lambda folder: run, writes=not dry) as pipeline:
        pipeline.store.put("invoked", command)
        prepare(pipeline.store)
        ending = Ending()
        with interruptible(pipeline.pacer):
            with pipeline.progress:
                try:
                    if pipeline.stage == "new":
                        pipeline.store.clear()
                        pipeline.plan(_inputs(pipeline))
                    pipeline.plan(())
                    refuse_forbidden(pipeline)
                    if not dry and _refused_by_strict(pipeline):
                        pipeline.store.put("stage", "pushed")  # nothing of this plan is ever to be sent
                    elif not dry:
                        pipeline.carry_out()
                except BrakeRefused as error:
                    ending = Ending(ExitCode.BRAKE, error)
                except FreshsalesError as error:
                    ending = Ending(ending_of(error), error)
            return account_for(
                pipeline, output, ending, lambda pipeline, summary: show_run(output, pipeline.run, summary)
            )


def _refused_by_strict(pipeline: Pipeline) -> bool:
    """A reviewed plan is read against Freshsales again first; whether what moved on since keeps back all of it."""
    store = pipeline.store
    if store.get("applies") and store.get("moved") is None:
        store.put("moved", pipeline.recheck())
    return bool(store.get("strict_apply") and store.get("moved"))


def _inputs(pipeline: Pipeline) -> list[Input]:
    paths = pipeline.store.get("paths", [])
    if "-" in paths and not pipeline.store.get("stdin_whole"):
        raise ConfigError("standard input was not read to its end before the run stopped: import it again")
    return register(pipeline.store, pipeline.run, paths)


def fork(run: Run, *, strict: bool) -> Run:
    """A new run with a copy of the plan of `run`, which is noted in both. Raises `StateError`, `ConfigError`."""
    with closing(run.open()) as store:
        if not applicable(store):
            raise ConfigError(f"{run.id} isn't a finished dry run: only those can be applied")
        if store.get("offline"):
            raise ConfigError(
                f"{run.id} was planned offline, without looking at what Freshsales holds: make a dry run online"
            )
        if store.checksum() != store.get("checksum"):
            raise StateError(f"the plan of {run.id} was changed since it was reviewed: it is not applied")
        copy = _begun(run, store) or new_run(run.folder.parent.parent)
        if store.get("applied_by") is None:
            store.copy_to(copy.plan)
            os.chmod(copy.plan, 0o600)
            store.put("applied_by", copy.id)
    with closing(copy.open()) as store, store.transaction():
        store.put("applies", run.id)
        store.put("strict_apply", strict)
        store.put("command", "apply")
        store.put("dry", False)
        store.put("requests", {})
        store.put("started_at", now())
    return copy


def _begun(run: Run, store: Store) -> Run | None:
    """The copy of an apply that was killed before it had noted what it is. Raises `ConfigError` for any other."""
    if (taken := store.get("applied_by")) is None:
        return None
    copy = Run(run.folder.parent / taken)
    if copy.plan.exists():
        with closing(copy.open()) as other:
            if other.get("applies") is None:
                return copy
    raise ConfigError(f"{run.id} was applied already, by run {taken}: fsseg resume {taken} goes on with that one")


def plan_undo(run: Run, settings: Settings, *, delete_created: bool, dry_run: bool) -> Run:
    """A new run that is to take back `run`; what it has to put back is read when it goes on."""
    undo = new_run(run.folder.parent.parent)
    with closing(run.open()) as original, closing(undo.open()) as store, store.transaction():
        for name, value in {
            "settings": original.get("settings"),
            "command": "undo",
            "invoked": "undo",
            "undoes": run.id,
            "delete_created": delete_created,
            "dry": dry_run,
            "started_at": now(),
            "stage": "gathered",
        }.items():
            store.put(name, value)
    return undo
