"""Read, map and fold: from the input files to one planned record per person and to their timeline entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from typing import Protocol

from msgspec import Struct, convert

from fsseg.cluster import Cluster
from fsseg.fold.collect import Collector, Counts
from fsseg.fold.dedupe import DedupeIndex
from fsseg.fold.engines import FoldEngine
from fsseg.fold.engines.cluster import ClusterEngine
from fsseg.fold.engines.local import LocalEngine
from fsseg.fold.engines.processes import ProcessesEngine
from fsseg.fold.fold_partition import FoldedPartition
from fsseg.fold.mended import Mended
from fsseg.fold.records import write_records
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.event_names import events_in_settings
from fsseg.mapping.rules import Rules
from fsseg.mapping.warning_counter import MappingWarning, WarningCounter
from fsseg.processes import Processes, no_cycles
from fsseg.segment.no_input import nothing_to_read
from fsseg.segment.open import Input
from fsseg.state.actions import Code, EventOutcome
from fsseg.state.daily_rollup import aggregate
from fsseg.state.ledger import Ledger
from fsseg.state.plan_store import Store
from fsseg.state.run_meta import EventCounts, PlanStage, WarningCount
from fsseg.state.source_events import keep_rejected


class Stage(Protocol):
    """What shows how far the reading has come."""

    def advance(self, count: int) -> None:
        """So many events more."""

    def note(self, text: str) -> None:
        """A few words that stand beside the counts."""


class Folding(Struct, frozen=True):
    """What reading, mapping and folding need. `again`: events that were delivered before count, too."""

    store: Store
    ledger: Ledger
    catalog: Catalog
    rules: Rules
    again: bool
    daily: bool
    processes: Processes
    cluster: Cluster | None
    limit: int | None

    @property
    def entries_are_new(self) -> bool:
        """Whether it is known from the start that timeline entries are to be made: nobody is asked for them."""
        return self.rules.offline and not (self.daily or self.again)

    def engine(self) -> FoldEngine:
        """Where the work is done. A limit is one count for all, so it takes one process."""
        if self.cluster is not None:
            return ClusterEngine(
                self.cluster, self.catalog, self.rules, None if self.again else self.ledger.delivered()
            )
        if self.processes.jobs == 1 or self.limit is not None:
            return LocalEngine(self.store.path.parent, self.catalog, self.rules, self.limit)
        return ProcessesEngine(self.processes, self.catalog, self.rules)


def fold_inputs(
    work: Folding,
    inputs: Sequence[Input],
    stage: Callable[..., AbstractContextManager[Stage]],
    ticking: Callable[[Callable[[int], None]], Callable[[int], None]],
) -> None:
    """Fill the store with records and entries, and note in it what became of all other events.

    `stage` opens a stage of the progress, `ticking` makes what advances it end the run where somebody wants that.
    Raises `NoInput` where none of the inputs holds events, saying what they are.
    """
    dedupe = DedupeIndex(None if work.again else work.ledger.delivered().among)
    collector = Collector(work.store, dedupe)
    with closing(work.engine()) as engine, no_cycles():
        with stage("Read", None, "events") as shown:
            engine.read(inputs, collector, ticking(shown.advance), shown.note)
        faults = [fault for _, fault in collector.counts.unreadable]
        if faults and len(faults) == len(inputs) and not collector.counts.read:
            raise nothing_to_read(*faults)
        if work.limit is None:  # else there may be such events among those that weren't read
            unmet = events_in_settings(work.rules).unmet(collector.names)
            collector.warnings.add(MappingWarning(Code.UNMET_EVENT, name, hint) for name, hint in unmet.items())
        with stage("Fold", None, "people", brief=True) as shown:
            folded = engine.fold(collector.size, shown.note)
            dedupe.clear()  # not before: it takes a while, in which processes have begun by now
            _fold(work, collector, _told(folded, ticking(shown.advance)))
    keep_rejected(work.store)
    if work.daily:  # not before: several ids may have turned out to be one person
        with work.store.transaction():
            aggregate(work.store)
    work.store.meta.counts = _counted(collector.counts, collector.warnings)
    work.store.meta.jumps = collector.jumps
    work.store.meta.days = collector.days.kept()
    work.store.meta.stage = PlanStage.FOLDED


def _fold(work: Folding, collector: Collector, partitions: Iterable[FoldedPartition]) -> None:
    mended = Mended(work.store, work.catalog, work.rules)
    write_records(
        work.store, collector, partitions, work.catalog.edition, work.ledger, mended, known_new=work.entries_are_new
    )


def _told(partitions: Iterable[FoldedPartition], advance: Callable[[int], None]) -> Iterator[FoldedPartition]:
    for folded in partitions:
        count = len(folded.people)
        yield folded
        del folded  # before the next one comes: two would take twice the memory
        advance(count)


def _counted(counts: Counts, warnings: WarningCounter) -> EventCounts:
    reasons = [(EventOutcome(outcome), Code(code), count) for (outcome, code), count in (+counts.reasons).items()]
    warned = convert(warnings.rows(), list[WarningCount])
    return EventCounts(counts.read, dict(counts.by_type), reasons, warned, counts.unreadable)
