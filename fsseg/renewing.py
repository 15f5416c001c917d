"""A run whose plan can be brought up to date before it is pushed."""

from __future__ import annotations

from abc import ABC, abstractmethod

from fsseg.plan.renew import hold_to_review, reopen_touched, skip_delivered
from fsseg.plan.verify import verify_unchanged
from fsseg.push.executor import recover
from fsseg.run_context import Advance, RunContext
from fsseg.state.commit_run import commit_run
from fsseg.state.doubts import doubted_runs
from fsseg.state.match_queue import TO_MATCH
from fsseg.state.reopen import failed
from fsseg.state.run_meta import PlanStage
from fsseg.state.seal import begin_renewal, check, unseal_settled


class RenewableRun(RunContext, ABC):
    """A run that takes into its plan what other runs have delivered or undone since that was made."""

    @abstractmethod
    def match_records(self, advance: Advance, *, anew: bool = False) -> None:
        """Find what Freshsales holds of what isn't matched yet; `anew` where some records were matched before."""

    @abstractmethod
    def decide(self) -> None:
        """Make the diff of what nothing is decided of yet."""

    def renew(self) -> None:
        """Bring the plan up to date; a reviewed one is also compared with what Freshsales holds now.

        Raises `StateError` for a plan that isn't what fsseg made it.
        """
        check(self.store, self.run.id)
        since, generation = self.store.meta.key.generation, self.ledger.generation
        if self.stage is PlanStage.RENEWING or (self.stage is PlanStage.PLANNED and since != generation):
            begin_renewal(self.store)
            self._plan_again(since)
            # What has failed is not planned anew, so that for a retry the plan is as old as it was.
            self.planned(since if failed(self.store) else generation)
        unseal_settled(self.store)
        if self.store.meta.applies and self.stage is PlanStage.PLANNED:
            self._verify()
        self.suppress_planned()

    def _plan_again(self, since: int) -> None:
        """Plan anew what other runs have touched since that generation of the ledger."""
        reviewed = self.store.meta.applies is not None
        recover(self.push_context())
        commit_run(self.run, self.store, self.ledger, self.say)
        skip_delivered(self.store, self.ledger)
        self.earlier_runs.resolve_doubts(doubted_runs(self.store, self.ledger, self.run.id))
        if reopen_touched(self.store, self.ledger, since, review=reviewed):
            with self.progress.stage("Renew", None, "records") as stage:
                self.match_records(stage.advance, anew=True)
        self.decide()
        if reviewed:
            hold_to_review(self.store, self.catalog, self.run.others(), since)

    def _verify(self) -> None:
        """Compare a reviewed plan with what Freshsales holds now."""
        to_check = TO_MATCH * self.store.count("record") + 20
        with self.progress.stage("Recheck", None, "records") as stage, self.pacer.whole(to_check):
            verify_unchanged(self.matching(stage.advance))
        self.note_forecast()
        self.note_requests()
