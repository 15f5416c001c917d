"""`import`, `dry-run`: beginning a run of files, without those that earlier runs have dealt with."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import Literal

from fsseg.cli.drive import Show, drive
from fsseg.cli.run_end import advised, resumable
from fsseg.cli.run_inputs import FEW, find_inputs, kept_stdin, refuse_on_cluster, register
from fsseg.cli.session import Output, Session, session
from fsseg.exit_codes import ExitCode
from fsseg.figures import counted
from fsseg.report.console import Consoles
from fsseg.segment.places import absolute
from fsseg.segment.stores import is_remote
from fsseg.settings import Settings
from fsseg.state.input_files import imports, note_imported
from fsseg.state.run_folder import STDIN, Run, new_run
from fsseg.state.run_selection import open_undos

OFFLINE = "offline: compared with what earlier runs delivered, not with what Freshsales holds"


def run(
    settings: Settings, paths: list[str], output: Output, command: Literal["import", "dry-run"], show: Show, *,
    offline: bool = False, yes: bool = False,
) -> ExitCode:  # fmt: skip
    """Plan the events of `paths`; push them too if it is an import. The exit code.

    Raises what `fsseg.cli.errors.handled` handles; a run that was begun is accounted for in any case.
    """
    refuse_on_cluster(settings, paths)
    files, unopened = find_inputs(paths, output.consoles, settings)
    dry = command == "dry-run"
    if settings.config_file:
        output.consoles.info(f"settings: {settings.config_file}")
    with session(settings, output, command, offline=offline) as held:
        if not settings.again:
            files = unfinished(held, files)
        begun = new_run(
            held.folder, account=held.account.host, edition=held.account.edition, command=command, dry=dry,
            offline=offline, settings=settings.model_dump(mode="json"),
            inputs=[path if path == STDIN else absolute(path) for path in files], given=files,
        )  # fmt: skip
        with ExitStack() as open_run:
            open_run.enter_context(resumable(begun, fresh=True))
            if STDIN in files:
                kept_stdin(begun)  # before anything that may stop the run, which could not be resumed without it
            pipeline = open_run.enter_context(held.pipeline(begun, writes=not dry, offline=offline))
            pipeline.store.meta.unopened = unopened
            if not settings.again:
                tell_imported(output.consoles, note_imported(pipeline.store, pipeline.ledger, files))
            _tell_undos(output.consoles, open_undos(held.folder, begun.info.inputs))
            if offline:
                output.consoles.info(OFFLINE)
            return drive(held, pipeline, partial(register, pipeline.store, begun, files, files), show, yes=yes)


def unfinished(held: Session, files: list[str]) -> list[str]:
    """The files without the objects that earlier runs have dealt with wholly: these aren't even fetched."""
    objects = [path for path in files if is_remote(path)]
    done = imports(held.ledger, objects, held.settings.model_dump())
    if done:
        held.output.consoles.info(
            f"{counted(len(done), 'object was', 'objects were')} dealt with wholly by earlier runs, and"
            f" {'is' if len(done) == 1 else 'are'} not fetched again; {len(objects) - len(done):,} to read"
        )
    return [path for path in files if path not in done]


def tell_imported(consoles: Consoles, runs: dict[str, str]) -> None:
    """Say which files there is nothing new in."""
    for path, run in list(runs.items())[:FEW]:
        what = "what was delivered is skipped (--again compares it once more)"
        consoles.info(f"{path} was dealt with wholly by run {run}: {what}")
    if len(runs) > FEW:
        more = len(runs) - FEW
        consoles.info(f"so {'was' if more == 1 else 'were'} {more:,} more of these files: summary.json names them")


def _tell_undos(consoles: Consoles, undos: list[Run]) -> None:
    for run in undos:
        consoles.info(
            f"run {run.id}, which undoes {run.info.of}, stopped on its way: what it has still to put back is skipped"
            f" here, and goes once somebody types {advised('resume', run)}"
        )
