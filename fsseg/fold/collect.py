"""The first half of folding: what was read, freed of repetitions, is counted and heaped up by person."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fsseg.fold.batch import Batch, without
from fsseg.fold.dedupe import Seen
from fsseg.fold.partitions import Spool
from fsseg.mapping.warning_counter import MappingWarning, WarningCounter
from fsseg.segment.open import Input
from fsseg.state.plan_store import Store

SPILL = 16 << 20
"""Bytes of rows kept in memory, of people and of entries; bounds memory whatever the size of the input."""


@dataclass
class Counts:
    """How the events read fared before any record was looked at. `reasons` counts (outcome, code)."""

    read: int = 0
    by_type: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    def note(self, outcome: str, code: str, count: int = 1) -> None:
        """So many events ended here."""
        self.reasons[outcome, code] += count


class Gatherer:
    """Takes batches in the order of their events. What it heaped up is for `fsseg.fold.people` to settle."""

    def __init__(self, store: Store, seen: Seen) -> None:
        self.counts = Counts()
        self.warnings = WarningCounter()
        self.folder = store.path.parent
        """Where what is too much for memory may be put for a while."""
        self.people = Spool(self.folder, SPILL)
        self.groups = Spool(self.folder, SPILL)
        self.entries = Spool(self.folder, SPILL)
        self._store = store
        self._seen = seen

    def close(self) -> None:
        self.people.close()
        self.groups.close()
        self.entries.close()

    def take(self, batch: Batch) -> None:
        """Count the events of one more batch, and keep what they say, of each event once."""
        counts = self.counts
        counts.read += batch.read
        counts.by_type.update(batch.types)
        if repeated := self._seen.repeated(batch.passed):
            counts.note("skipped", "duplicate", len(repeated))
            without(batch, [batch.positions[index] for index in repeated])
        for code, count in batch.skipped.items():
            counts.note("skipped", code, count)
        for note, count in batch.noted.items():
            self.warnings.add([MappingWarning(*note)], count)
        self.people.add(batch.people)
        self.groups.add(batch.groups)
        self.entries.add(batch.entries)
        if batch.rejects or batch.anonymous:
            self._write(batch)

    def end(self, input: Input, container: str, events: int, fault: str) -> None:
        """Note what an input was, and why it could not be read to its end, if so."""
        if fault:
            self.counts.unreadable.append((input.path, fault))
        self._store.db.execute(
            "UPDATE input SET container = ?, events = ? WHERE number = ?", (container, events, input.number)
        )

    def _write(self, batch: Batch) -> None:
        with self._store.transaction() as db:
            db.executemany("INSERT OR REPLACE INTO anonymous VALUES (?, ?, ?)", (row for _, row in batch.anonymous))
            db.executemany("INSERT INTO reject VALUES (?, ?, ?, ?, ?, ?)", batch.rejects)
        self.counts.reasons.update(("rejected", reject[2]) for reject in batch.rejects)


@contextmanager
def no_cycles() -> Iterator[None]:
    """No search for reference cycles: events make none, and among so many it takes a third of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
