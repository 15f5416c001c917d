"""Which files were imported wholly: every event of theirs came to its end in one run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from xxhash import xxh3_64_hexdigest

from fsseg.segment.open import Input
from fsseg.segment.places import Stamp, absolute, stamp
from fsseg.state.actions import Code, EventOutcome
from fsseg.state.ledger import File, Ledger
from fsseg.state.outcomes import RANK, Totals
from fsseg.state.plan_store import Store

REWRITTEN = "failures.jsonl"
"""What a run leaves to be mended, and writes anew: it never counts as imported."""

END = 1 << 16
"""Bytes at the end of a file that tell whether it is the same when it has grown."""


def imports(ledger: Ledger, files: Sequence[str], since: str | None = None) -> dict[str, str]:
    """Which of these files an earlier run imported wholly, unchanged since, and which run that was.

    Events before `since` don't matter: a run that left them out has imported what is wanted.
    """
    runs = {}
    for path in files:
        known = ledger.file(absolute(path))
        if known is not None and stamp(path) == (known.size, known.version) and known.since <= (since or ""):
            runs[path] = known.run
    return runs


def add_input(store: Store, number: int, path: str, shown: str) -> None:
    """The run is to read the file at `path`, which was given as `shown`; its container and events come later."""
    row = (number, absolute(path), shown)
    store.db.execute("INSERT OR REPLACE INTO input (number, path, shown) VALUES (?, ?, ?)", row)


def note_files(store: Store, inputs: Sequence[Input]) -> None:
    """Keep what tells later whether these files were changed."""
    stamps = {input.number: stamp(input.path) for input in inputs}
    store.meta.stamps = stamps
    store.meta.ends = {input.number: _end(input.path, stamps[input.number]) for input in inputs}


def holds_what_was_read(store: Store, number: int, path: str) -> bool:
    """Whether the input is still as it was when it was read, but for what was added at its end."""
    known, now = store.meta.stamps.get(number), stamp(path)
    if known is None or now is None:
        return False
    end = store.meta.ends.get(number)
    return now == known or (now.size > known.size and end is not None and _end(path, known) == end)


def note_imported(store: Store, ledger: Ledger, files: Sequence[str]) -> dict[str, str]:
    """As `imports`; the run's summary tells it too."""
    known = imports(ledger, files, _since(store))
    store.meta.imported_by = known
    return known


def finished(store: Store, totals: Totals, run: str) -> Iterator[File]:
    """The files that this run, and none before, has imported wholly, unless they were changed meanwhile."""
    counts, stamps, before = store.meta.counts, store.meta.stamps, store.meta.imported_by
    since = ""
    has_left_out = any(code == Code.FILTERED for _, code, _ in counts.reasons)
    if has_left_out and (not (since := _since(store) or "") or _filters_else(store)):
        return
    if (store.meta.settings or {}).get("limit") is not None:
        return
    left_out = {"-", *before, *(path for path, _ in counts.unreadable)}
    for number, path, shown, events in store.db.execute("SELECT number, path, shown, events FROM input").fetchall():
        known = stamps.get(number)
        if shown in left_out or path in left_out or os.path.basename(path) == REWRITTEN or events is None:
            continue
        ranks = totals.ranks[number]
        if (
            known
            and known == stamp(path)
            and not (RANK[EventOutcome.FAILED] in ranks or RANK[EventOutcome.PENDING] in ranks)
        ):
            yield File(path, *known, events, run, since)


def _since(store: Store) -> str | None:
    """The time before which events were left out."""
    filters = (store.meta.settings or {}).get("filter") or {}
    return filters.get("since")


def _filters_else(store: Store) -> bool:
    """Whether events may have been left out for anything but their age."""
    settings = store.meta.settings or {}
    filters, tables = settings.get("filter") or {}, settings.get("mapping") or {}
    return any(filters.get(name) for name in ("until", "only", "events")) or bool(tables.get("event"))


def _end(path: str, known: Stamp | None) -> str | None:
    """What tells the bytes before the size that the file had; a pipe can't be read twice."""
    if known is None or not os.path.isfile(path):
        return None
    try:
        with open(path, "rb") as file:
            file.seek(max(known.size - END, 0))
            return xxh3_64_hexdigest(file.read(min(known.size, END)))
    except OSError:
        return None
