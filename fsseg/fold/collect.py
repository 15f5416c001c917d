"""What becomes of each event as it is read: counted, passed on once, or kept as rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct, field

from fsseg.fold.batch import Batch, usable, without
from fsseg.fold.dedupe import DedupeIndex
from fsseg.fold.repeats import Repeats
from fsseg.mapping.warning_counter import MappingWarning, WarningCounter
from fsseg.segment.open import Input
from fsseg.segment.read import Jumps
from fsseg.state.actions import Code, EventOutcome
from fsseg.state.event_days import EventDays
from fsseg.state.plan_store import Store
from fsseg.state.suppressed_rows import add_ties

Repeated = tuple[int, int, bool]
"""Key and position of an event that repeats another one, and whether that was delivered by an earlier run."""


class Counts(Struct):
    """How the events read fared before any record was looked at. `reasons` counts (outcome, code)."""

    read: int = 0
    by_type: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    def note(self, outcome: str, code: str, count: int = 1) -> None:
        """Count so many events with this outcome and reason."""
        self.reasons[outcome, code] += count


class Collector:
    """Takes batches in the order of their events, whoever has read them."""

    def __init__(self, store: Store, dedupe: DedupeIndex) -> None:
        self.counts = Counts()
        self.warnings = WarningCounter()
        self.size = 0
        """Bytes that the rows take of all that was read, of repetitions too."""
        self.repeats = Repeats()
        self.jumps: dict[int, Jumps | None] = {}
        """By the number of the input, which lines its events stand in; see `Reader`."""
        self.days = EventDays()
        self.names: set[str] = set()
        """Of events, as far as `Batch.names` has them."""
        self._store = store
        self._dedupe = dedupe

    def take(self, batch: Batch) -> list[int]:
        """Count the events of one more batch, each of them once; the positions of those that repeat others.

        What these say is taken out of the batch.
        """
        keys, positions = usable(batch)
        duplicates = self._dedupe.duplicates(keys)
        delivered = set(self._dedupe.delivered) if duplicates else set()
        return self.take_known(
            batch, [(keys[index], positions[index], keys[index] in delivered) for index in duplicates]
        )

    def take_known(self, batch: Batch, repeated: Sequence[Repeated]) -> list[int]:
        """The same for a batch of which it is known which of its events repeat others."""
        counts, gone = self.counts, [position for _, position, _ in repeated]
        counts.read += batch.read
        counts.by_type.update(batch.types)
        self.size += batch.size
        self.days.add(batch.marks, batch.marked)
        self.names.update(batch.names)
        if gone:
            counts.note(EventOutcome.SKIPPED, Code.DUPLICATE, len(gone))
            without(batch, gone)
            for key, position, was_delivered in repeated:
                if not was_delivered:
                    self.repeats.add(key, position)
        for code, count in batch.skipped.items():
            counts.note(EventOutcome.SKIPPED, code, count)
        for _, warnings in batch.warnings:
            self.warnings.add(map(MappingWarning._make, warnings))
        if batch.ties:
            with self._store.transaction():
                add_ties(
                    self._store,
                    ((first, other, suppressed) for suppressed, (first, *others) in batch.ties
                     for other in others or [first]),
                )  # fmt: skip
        if batch.rejects or batch.anonymous:
            self._store.add_read(batch.rejects, [row for _, row in batch.anonymous])
            counts.reasons.update((EventOutcome.REJECTED, reject[2]) for reject in batch.rejects)
        return gone

    def end(self, input: Input, container: str, events: int, fault: str, jumps: Jumps | None) -> None:
        """Note what an input was, and why it could not be read to its end, if so; `jumps` are as in `Reader`."""
        self.jumps[input.number] = jumps
        self.days.end(input.number)
        if fault:
            self.counts.unreadable.append((input.path, fault))
        self._store.note_input(input.number, container, events)
