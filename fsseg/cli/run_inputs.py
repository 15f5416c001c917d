"""The files that a run reads: found, told of where something is wrong with them, and noted in the run's plan."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from fsseg.figures import counted
from fsseg.report.console import Consoles
from fsseg.segment.archives import is_archive
from fsseg.segment.hints import hints_of
from fsseg.segment.inputs import expand
from fsseg.segment.no_input import nothing_to_read
from fsseg.segment.object_list import Window
from fsseg.segment.open import Input
from fsseg.segment.stores import use_endpoint
from fsseg.segment.tables.profiles_sync import identifiers_among
from fsseg.settings import ConfigError, Settings, suppressed
from fsseg.state.input_files import add_inputs, note_files
from fsseg.state.plan_store import Store
from fsseg.state.private_file import replacing
from fsseg.state.run_folder import STDIN, Run

FEW = 3
"""Files, or lines of one, that are named on the terminal."""


def refuse_on_cluster(settings: Settings, paths: list[str]) -> None:
    """Raise `ConfigError` for what can't be planned on a cluster."""
    if settings.cluster.address is None:
        return
    if settings.limit is not None:
        raise ConfigError("--limit counts events one after another, which workers of a cluster don't: leave one out")
    if STDIN in paths:
        raise ConfigError("standard input can't be read by the workers of a cluster: give files that all of it sees")


def find_inputs(
    paths: Sequence[str], consoles: Consoles, settings: Settings
) -> tuple[list[str], list[tuple[str, str]]]:
    """The files to read, and the paths that can't be, each with the reason, which is told.

    Raises `NoInput` if none can.
    """
    since, until = settings.filter.since, settings.filter.until
    if since and until and since >= until:
        raise ConfigError(f"no event is from {since} on and before {until}", "let --since be earlier than --until")
    use_endpoint(settings.endpoint)
    files, unreadable = expand(paths, Window(since, until))
    faults = [(path, f"{path}: {reason}") for path, reason in unreadable]
    if faults and not files:
        raise nothing_to_read(*(fault for _, fault in faults))
    for _, fault in faults:
        consoles.mistake(fault)
    found = [*files, *(path for path, _ in faults)]
    for path in paths:
        if any(file.startswith(path) for file in found):
            continue
        if os.path.isdir(path) or (os.path.isfile(path) and is_archive(path)):
            consoles.info(f"{path}: there is no event file in it")
    return files, faults


def tell_empty(consoles: Consoles, files: Sequence[str]) -> None:
    """Name the files without a single event, as whoever made them may not know; tables of identifiers hold none."""
    identifiers = identifiers_among(files)
    files = [path for path in files if path not in identifiers]
    for path in files[:FEW]:
        consoles.info(f"{'standard input' if path == STDIN else path}: there is no event in it")
    if len(files) > FEW:
        consoles.info(f"nor in {counted(len(files) - FEW, 'more file')}")


def register(store: Store, run: Run, files: Sequence[str], given: Sequence[str]) -> list[Input]:
    """Note the inputs in the run's plan, also by the names that they were given by.

    Standard input is kept in the run's folder, so that its events can be told.
    """
    held = list(_held(run, files, given))
    hints = hints_of(store.meta.settings, identifiers_among(path for path, _ in held))
    inputs = [Input(path, number, hints=hints) for number, (path, _) in enumerate(held)]
    add_inputs(store, held)
    note_files(store, inputs)
    return inputs


def _held(run: Run, files: Sequence[str], given: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The files with the names that they were given by; an archive on standard input is what is in it."""
    for file, shown in zip(files, given, strict=True):
        if file != STDIN:
            yield file, shown
            continue
        kept = kept_stdin(run)
        members = expand([kept])[0] or [kept]
        yield from ((path, f"{STDIN}{path.removeprefix(kept)}") for path in members)


def kept_stdin(run: Run) -> str:
    """Where the run keeps what standard input held; it is read now if it wasn't before."""
    if not run.stdin.exists():
        with replacing(run.stdin) as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy, 1 << 20)
    return str(run.stdin)


def tell_doubtful(path: Path | None, consoles: Consoles) -> None:
    """Say which entries of the suppression list count for nothing, and whether it is without any that counts."""
    entries, doubtful = suppressed(path)
    if path and not entries:
        consoles.error(f"{path}: nobody stands on the suppression list, so nobody is left out")
    for entry in doubtful[:FEW]:
        consoles.error(f"{path} line {entry.line}: neither an address nor an id, so nobody is meant: {entry.text}")
    if len(doubtful) > FEW:
        consoles.error(f"{path}: so {counted(len(doubtful) - FEW, 'more line is', 'more lines are')} of no use")
