"""Which files were imported wholly: every event of theirs came to its end in one run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from xxhash import xxh3_64_hexdigest

from fsseg.segment import json_codec
from fsseg.segment.open import Input
from fsseg.segment.places import absolute, stamp
from fsseg.segment.stores import Stamp
from fsseg.state.actions import Code, EventOutcome
from fsseg.state.ledger import File, Ledger
from fsseg.state.outcomes import RANK, Totals
from fsseg.state.plan_store import Store

REWRITTEN = "failures.jsonl"
"""What a run leaves to be mended, and writes anew: it never counts as imported."""

END = 1 << 16
"""Bytes at the end of a file that tell whether it is the same when it has grown."""


_READING = ("table", "trait", "with_group", "stitch_anonymous", "create_missing")
"""Settings that decide which events a file holds, and which of them are taken."""


def imports(ledger: Ledger, files: Sequence[str], settings: Mapping[str, Any]) -> dict[str, str]:
    """Which of these files an earlier run imported wholly, unchanged and read as now, and which run that was.

    A run that left out what the same filters leave out now, or what is before `filter.since`, has imported what is
    wanted.
    """
    runs, since = {}, _since(settings)
    for path in files:
        known = ledger.file(absolute(path))
        if known is not None and known.since <= since:
            found = stamp(path)
            if (known.size, known.version) in (
                _as_read(found, settings),
                _as_read(found, settings, _filters(settings)),
            ):
                runs[path] = known.run
    return runs


def _as_read(found: Stamp | None, settings: Mapping[str, Any], filters: dict[str, Any] | None = None) -> Stamp | None:
    """The same with how the settings have the file read, where they say anything of it, and what filters left out."""
    told = {name: settings[name] for name in _READING if settings.get(name)} | (filters or {})
    return found._replace(version=f"{found.version} {json_codec.dumps(told).decode()}") if found and told else found


def add_inputs(store: Store, given: Iterable[tuple[str, str]]) -> None:
    """The run is to read these files, each a path and how it was given; their containers and events come later."""
    rows = ((number, absolute(path), shown) for number, (path, shown) in enumerate(given))
    with store.transaction() as db:
        db.executemany("INSERT OR REPLACE INTO input (number, path, shown) VALUES (?, ?, ?)", rows)


def note_files(store: Store, inputs: Sequence[Input]) -> None:
    """Keep what tells later whether these files were changed."""
    stamps = {input.number: stamp(input.path) for input in inputs}
    store.meta.stamps = stamps
    store.meta.ends = {input.number: _end(input.path, stamps[input.number]) for input in inputs}


def whether_unchanged(store: Store) -> Callable[[int, str], bool]:
    """Tells of an input, by number and path, whether it still is as it was read, but for what was added at its end."""
    stamps, ends = store.meta.stamps, store.meta.ends

    def is_unchanged(number: int, path: str) -> bool:
        known, now, end = stamps.get(number), stamp(path), ends.get(number)
        if known is None or now is None:
            return False
        return now == known or (now.size > known.size and end is not None and _end(path, known) == end)

    return is_unchanged


def note_imported(store: Store, ledger: Ledger, files: Sequence[str]) -> dict[str, str]:
    """As `imports`; the run's summary tells it too."""
    known = imports(ledger, files, store.meta.settings or {})
    store.meta.imported_by = known
    return known


def finished(store: Store, totals: Totals, run: str) -> Iterator[File]:
    """The files that this run, and none before, has imported wholly, unless they were changed meanwhile."""
    counts, stamps, before = store.meta.counts, store.meta.stamps, store.meta.imported_by
    settings = store.meta.settings or {}
    if settings.get("limit") is not None:
        return
    has_left_out = any(code == Code.FILTERED for _, code, _ in counts.reasons)
    since, filters = (_since(settings), _filters(settings)) if has_left_out else ("", {})
    left_out = {"-", *before, *(path for path, _ in counts.unreadable)}
    for number, path, shown, events in store.db.execute("SELECT number, path, shown, events FROM input").fetchall():
        known = stamps.get(number)
        if shown in left_out or path in left_out or os.path.basename(path) == REWRITTEN or events is None:
            continue
        ranks, as_read = totals.ranks[number], _as_read(known, settings, filters)
        if (
            as_read
            and known
            and known.version
            and known == stamp(path)
            and not (RANK[EventOutcome.FAILED] in ranks or RANK[EventOutcome.PENDING] in ranks)
        ):
            yield File(path, *as_read, events, run, since)


def _since(settings: Mapping[str, Any]) -> str:
    """The time before which events are left out."""
    return (settings.get("filter") or {}).get("since") or ""


def _filters(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What leaves events out for anything but their age."""
    filters, events = settings.get("filter") or {}, (settings.get("mapping") or {}).get("event") or {}
    ignored = sorted(name for name, rule in events.items() if rule.get("ignore"))
    found = {name: filters[name] for name in ("only", "events", "until") if filters.get(name)}
    return found | ({"ignored": ignored} if ignored else {})


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
