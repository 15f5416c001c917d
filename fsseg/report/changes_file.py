"""changes.jsonl: what was planned for every record and timeline entry, and what became of it, a line each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, NamedTuple

from fsseg.processes import Processes, ProcessLost
from fsseg.report.change_parts import (
    AHEAD,
    EntriesAhead,
    Part,
    Written,
    WrittenApart,
    parts_of,
    write_apart,
    write_part,
)
from fsseg.report.changes import Sample
from fsseg.report.packed import MOST_BYTES, Packed, pack
from fsseg.state.plan_store import SMALL_CACHE, Store
from fsseg.state.private_file import BUFFER, private
from fsseg.state.run_folder import Run


class Changes(NamedTuple):
    """The file, once it is written: the first changes of each kind, and the lines that a page holds."""

    sample: Sample
    packed: Packed


class ChangesFile:
    """changes.jsonl, written anew: conflicts and unchanged records among it, first the records, then the timeline.

    Where there are several processes, they begin at once; `ahead` is what they have begun with before.
    """

    def __init__(
        self, run: Run, store: Store, processes: Processes, *, dry_run: bool, ahead: EntriesAhead | None = None
    ) -> None:
        self._path = run.changes
        self._processes = processes
        self._dry_run = dry_run
        self._store = store
        self._shown = _Shown()
        self._ahead = ahead
        self._unchanged = frozenset(ahead.unchanged()) if ahead else frozenset()
        self._written: Iterator[WrittenApart] | None = None
        if processes.jobs > 1:
            plan, folder = str(store.path), str(processes.folder)
            rest = (part for part in parts_of(store) if part not in self._unchanged)
            tasks = ((plan, folder, part, dry_run, self._shown.has_room) for part in rest)
            self._written = processes.results(_write_apart, tasks, AHEAD)

    def finish(self) -> Changes:
        """The first changes, and how many there are, once the file is written."""
        try:
            return self._finish()
        except ProcessLost:
            self._written, self._shown = None, _Shown()
            return self._finish()

    def _finish(self) -> Changes:
        sample, shown = Sample(), self._shown
        with open(self._path, "wb", buffering=BUFFER, opener=private) as file:
            written = self._alone(file) if self._written is None else self._together(file, self._written)
            for part in written:
                sample.extend(part.sample)
                shown.add(part)
        return Changes(sample, shown.packed + pack(sample.after(shown.packed.rows)))

    def _alone(self, file: IO[bytes]) -> Iterator[Written]:
        for part in parts_of(self._store):
            yield write_part(file, self._store, part, self._dry_run, pack=self._shown.has_room)

    def _together(self, file: IO[bytes], rest: Iterator[WrittenApart]) -> Iterator[Written]:
        before = self._ahead.written() if self._ahead else {}
        parts = [*parts_of(self._store)]
        last = next((part for part in reversed(parts) if part not in self._unchanged), None)
        for part in parts:
            apart = before[part] if part in self._unchanged else next(rest)
            if part == last:  # the processes have nothing more to write
                self._processes.meanwhile(_empty_log, str(self._store.path))
            yield _moved(apart, file)


class _Shown:
    """The lines that a page holds: those of the first parts, as many as come up to its limit."""

    def __init__(self) -> None:
        self.has_room = True
        self.packed = Packed(b"", 0)
        self._left = MOST_BYTES

    def add(self, part: Written) -> None:
        """Take the next part, unless that is too much."""
        self._left -= part.size
        self.has_room = self.has_room and self._left >= 0
        if self.has_room and part.packed is not None:
            self.packed += part.packed


def _write_apart(task: tuple[str, str, Part, bool, bool]) -> WrittenApart:
    plan, folder, part, dry_run, pack = task
    with closing(Store(Path(plan), SMALL_CACHE)) as store:
        return write_apart(folder, store, part, dry_run, pack=pack)


def _empty_log(plan: str) -> None:
    with closing(Store(Path(plan), SMALL_CACHE)) as store:
        store.empty_log()


def _moved(part: WrittenApart, file: IO[bytes]) -> Written:
    """The part, once what was written of it by itself is in the file."""
    with open(part.path, "rb") as written:
        os.unlink(part.path)
        shutil.copyfileobj(written, file, BUFFER)
    return part.written
