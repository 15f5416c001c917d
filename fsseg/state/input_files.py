"""Which files were imported wholly: every event of theirs came to its end in one run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from xxhash import xxh3_64_hexdigest

from fsseg.segment.archives import split_member
from fsseg.segment.open import Input
from fsseg.state.actions import Code, EventOutcome
from fsseg.state.ledger import File, Ledger
from fsseg.state.outcomes import RANK, Totals
from fsseg.state.plan_store import Store
from fsseg.state.run_meta import FileStamp

REWRITTEN = "failures.jsonl"
"""What a run leaves to be mended, and writes anew: it never counts as imported."""

END = 1 << 16
"""Bytes at the end of a file that tell whether it is the same when it has grown."""


def imports(ledger: Ledger, files: Sequence[str]) -> dict[str, str]:
    """Which of these files an earlier run imported wholly, unchanged since, and which run that was."""
    runs = {}
    for path in files:
        known = ledger.file(os.path.abspath(path))
        if known is not None and _stamp(path) == (known.size, known.mtime_ns):
            runs[path] = known.run
    return runs


def add_input(store: Store, number: int, path: str, shown: str) -> None:
    """The run is to read the file at `path`, which was given as `shown`; its container and events come later."""
    row = (number, os.path.abspath(path), shown)
    store.db.execute("INSERT OR REPLACE INTO input (number, path, shown) VALUES (?, ?, ?)", row)


def note_files(store: Store, inputs: Sequence[Input]) -> None:
    """Keep what tells later whether these files were changed."""
    stamps = {input.number: _stamp(input.path) for input in inputs}
    store.meta.stamps = stamps
    store.meta.ends = {input.number: _end(input.path, stamps[input.number]) for input in inputs}


def holds_what_was_read(store: Store, number: int, path: str) -> bool:
    """Whether the input is still as it was when it was read, but for what was added at its end."""
    known, stamp = store.meta.stamps.get(number), _stamp(path)
    if known is None or stamp is None:
        return False
    end = store.meta.ends.get(number)
    return stamp == known or (stamp.size > known.size and end is not None and _end(path, known) == end)


def note_imported(store: Store, ledger: Ledger, files: Sequence[str]) -> dict[str, str]:
    """As `imports`; the run's summary tells it too."""
    known = imports(ledger, files)
    store.meta.imported_by = known
    return known


def finished(store: Store, totals: Totals, run: str) -> Iterator[File]:
    """The files that this run, and none before, has imported wholly, unless they were changed meanwhile."""
    counts, stamps, before = store.meta.counts, store.meta.stamps, store.meta.imported_by
    partial = (store.meta.settings or {}).get("limit") is not None
    if partial or any(code == Code.FILTERED for _, code, _ in counts.reasons):
        return
    left_out = {"-", *before, *(path for path, _ in counts.unreadable)}
    for number, path, shown, events in store.db.execute("SELECT number, path, shown, events FROM input").fetchall():
        stamp = stamps.get(number)
        if shown in left_out or os.path.basename(path) == REWRITTEN or events is None:
            continue
        ranks = totals.ranks[number]
        if (
            stamp
            and stamp == _stamp(path)
            and not (RANK[EventOutcome.FAILED] in ranks or RANK[EventOutcome.PENDING] in ranks)
        ):
            yield File(path, *stamp, events, run)


def _end(path: str, stamp: FileStamp | None) -> str | None:
    """What tells the bytes before the size that the file had; a pipe can't be read twice."""
    if stamp is None or not os.path.isfile(path):
        return None
    try:
        with open(path, "rb") as file:
            file.seek(max(stamp.size - END, 0))
            return xxh3_64_hexdigest(file.read(min(stamp.size, END)))
    except OSError:
        return None


def _stamp(path: str) -> FileStamp | None:
    try:
        stat = os.stat(split_member(path)[0])
    except OSError:
        return None
    return FileStamp(stat.st_size, stat.st_mtime_ns)
