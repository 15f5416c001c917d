"""The way back: compare what a run wrote with what Freshsales holds now, plan what is to be put back, and push that."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from functools import partial

from fsseg.pipeline import WRITING, Pipeline
from fsseg.plan.undo import plan_undo
from fsseg.report.progress import Coming
from fsseg.state.deliveries import deliveries_of
from fsseg.state.run_folder import Run
from fsseg.state.run_meta import PlanStage
from fsseg.state.seal import check
from fsseg.state.undo_rows import count_records_to_compare


class UndoPipeline(Pipeline):
    """An undo on its way; it begins as folded. The brake lets it pass, as it is asked for and puts back."""

    to_plan = (Coming("Compare"), WRITING)

    def match(self) -> None:
        """Read what the run to undo wrote, and plan the way back. Raises the client's errors and `StateError`."""
        assert self.reader is not None
        with closing(self._undone.open()) as original:
            check(original, self._undone.id)
            in_flight = {self._undone.id} if original.has_in_flight else set()
        # What is deleted may have got something from any run.
        self.earlier_runs.resolve_doubts(self.ledger.runs_in_doubt | in_flight)
        self.store.meta.read_at = datetime.now(UTC).isoformat()
        with (
            closing(self._undone.open()) as original,
            self.progress.stage("Compare", count_records_to_compare(original), "records") as stage,
        ):
            plan_undo(
                original, self.store, self.reader, self.catalog, self.ledger, stage.advance,
                partial(deliveries_of, self._undone.others()), ended=_ended(self._undone),
                delete_created=bool(self.store.meta.delete_created),
            )  # fmt: skip
        self.planned(self.ledger.generation)

    def _plan_again(self, since: int) -> None:
        self.store.meta.stage = PlanStage.FOLDED
        self.match()

    @property
    def _undone(self) -> Run:
        """The run to undo."""
        return self.run.beside(str(self.store.meta.undoes))

    def brake(self) -> str | None:
        return None


def _ended(run: Run) -> datetime:
    """When the run had written all that it ever did; now, where it doesn't say."""
    told = run.info.finished_at
    return datetime.fromisoformat(told) if told else datetime.now(UTC)
