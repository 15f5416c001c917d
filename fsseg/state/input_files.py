"""Which files were imported wholly: every event of theirs came to its end in one run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from fsseg.segment.open import Input
from fsseg.state.ledger import File, Ledger
from fsseg.state.outcomes import RANK, Totals
from fsseg.state.plan_store import Store

NEVER = "failures.jsonl"
"""What a run leaves to be mended, and writes anew."""

STAMPS, IMPORTED = "stamps", "imported_by"
"""Under these names the store keeps size and time of change of its inputs as they were when they were first read, by
number, and the runs that imported them before, by the path as it was given."""


def imports(ledger: Ledger, files: Sequence[str]) -> dict[str, str]:
    """Which of these files an earlier run imported wholly, unchanged since, and which run that was."""
    found = {}
    for path in files:
        known = ledger.file(os.path.abspath(path))
        if known is not None and _stamp(path) == [known.size, known.mtime_ns]:
            found[path] = known.run
    return found


def note_files(store: Store, inputs: Sequence[Input]) -> None:
    """Keep what tells later whether these files were changed."""
    store.put(STAMPS, {str(input.number): _stamp(input.path) for input in inputs})


def note_imported(store: Store, ledger: Ledger, files: Sequence[str]) -> dict[str, str]:
    """As `imports`; the run's summary tells it too."""
    known = imports(ledger, files)
    store.put(IMPORTED, known)
    return known


def finished(store: Store, totals: Totals, run: str) -> Iterator[File]:
    """The files that this run, and none before, has imported wholly, unless they were changed meanwhile."""
    counts, stamps, before = store.get("counts", {}), store.get(STAMPS, {}), store.get(IMPORTED, {})
    partial = store.get("settings", {}).get("limit") is not None
    if partial or any(code == "filtered" for _, code, _ in counts.get("reasons", ())):
        return
    left_out = {"-", *before, *(path for path, _ in counts.get("unreadable", ()))}
    for number, path, shown, events in store.db.execute("SELECT number, path, shown, events FROM input").fetchall():
        stamp = stamps.get(str(number))
        if shown in left_out or os.path.basename(path) == NEVER or events is None:
            continue
        ranks = totals.ranks[number]
        if stamp and stamp == _stamp(path) and not (RANK["failed"] in ranks or RANK["pending"] in ranks):
            size, mtime_ns = stamp
            yield File(path, size, mtime_ns, events, run)


def _stamp(path: str) -> list[int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns]
