"""The way back: compare what a run wrote with what Freshsales holds now, plan what is to be put back, and push that."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial

from fsseg.pipeline import Pipeline
from fsseg.plan.undo import SENT, reverse
from fsseg.segment.open import Input
from fsseg.state.deliveries import told
from fsseg.state.plan_store import Store
from fsseg.state.run_folder import Run, all_runs
from fsseg.state.seal import check


class UndoPipeline(Pipeline):
    """An undo on its way; it reads no inputs. The brake lets it pass, as it is asked for and puts back."""

    def plan(self, inputs: Sequence[Input]) -> None:
        """Read what the run to undo wrote, and plan the way back. Raises the client's errors and `StateError`."""
        if self.stage != "gathered":
            return
        assert self.reader is not None
        undoes = self.store.get("undoes")
        with self._undone() as original:
            check(original, undoes)
            in_flight = {undoes} if original.has_in_flight else set()
        # What is deleted may have got something from any run.
        self.earlier_runs.resolve_doubts(self.ledger.runs_in_doubt | in_flight)
        self.store.put("read_at", datetime.now(UTC).isoformat())
        with (
            self._undone() as original,
            self.progress.stage("Compare", original.count("record", SENT), "records") as stage,
        ):
            others = (run for run in all_runs(self.run.folder.parent.parent) if run.id != undoes)
            reverse(
                original, self.store, self.reader, self.catalog, self.ledger, stage.advance, partial(told, others),
                delete_created=self.store.get("delete_created"),
            )  # fmt: skip
        self.planned(self.ledger.generation)

    def _renew(self, since: int) -> None:
        self.store.put("stage", "gathered")
        self.plan(())

    def _undone(self) -> closing[Store]:
        return closing(Run(self.run.folder.parent / self.store.get("undoes")).open())

    def brake(self) -> str | None:
        return None
