"""Read, map and fold: from the input files to one planned record per person and to their timeline entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from typing import Protocol

from msgspec import convert

from fsseg.fold.batch import Batcher
from fsseg.fold.collect import Counts, Gatherer, no_cycles
from fsseg.fold.daily_rollup import aggregate
from fsseg.fold.dedupe import Seen
from fsseg.fold.group import Folded
from fsseg.fold.parallel import gather, gather_apart
from fsseg.fold.people import settle
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.rules import Rules
from fsseg.mapping.warning_counter import WarningCounter
from fsseg.segment.open import Input
from fsseg.state.actions import Code, EventOutcome
from fsseg.state.ledger import Ledger
from fsseg.state.plan_store import Store
from fsseg.state.run_meta import EventCounts, PlanStage, WarningCount
from fsseg.state.source_events import keep_rejected


class Stage(Protocol):
    """What shows how far the reading has come."""

    def advance(self, count: int) -> None:
        """So many events more."""


@dataclass(frozen=True)
class Folding:
    """What reading, mapping and folding need. `again`: events that were delivered before count, too."""

    store: Store
    ledger: Ledger
    catalog: Catalog
    rules: Rules
    again: bool
    daily: bool
    jobs: int
    limit: int | None


def fold_inputs(
    work: Folding,
    inputs: Sequence[Input],
    stage: Callable[[str, None, str], AbstractContextManager[Stage]],
    ticking: Callable[[Callable[[int], None]], Callable[[int], None]],
) -> None:
    """Fill the store with records and entries, and note in it what became of all other events.

    `stage` opens a stage of the progress, `ticking` makes what advances it end the run where somebody wants that.
    """
    seen = Seen(None if work.again else work.ledger.delivered().among)
    with closing(Gatherer(work.store, seen)) as gatherer, no_cycles():
        with stage("Read", None, "events") as shown:
            _read(work, gatherer, inputs, ticking(shown.advance))
        seen.clear()
        settle(work.store, gatherer, Folded(gatherer, Mapper(work.catalog, work.rules, gatherer.warnings)), work.ledger)
    keep_rejected(work.store)
    if work.daily:
        aggregate(work.store)
    work.store.meta.counts = _counted(gatherer.counts, gatherer.warnings)
    work.store.meta.stage = PlanStage.GATHERED


def _read(work: Folding, gatherer: Gatherer, inputs: Sequence[Input], tick: Callable[[int], None]) -> None:
    if work.jobs == 1 or work.limit is not None:
        gather(gatherer, inputs, Batcher(work.catalog, work.rules), work.limit, tick)
    else:
        gather_apart(gatherer, inputs, work.catalog, work.rules, work.jobs, tick)


def _counted(counts: Counts, warnings: WarningCounter) -> EventCounts:
    reasons = [(EventOutcome(outcome), Code(code), count) for (outcome, code), count in counts.reasons.items()]
    warned = convert(warnings.rows(), list[WarningCount])
    return EventCounts(counts.read, dict(counts.by_type), reasons, warned, counts.unreadable)
