"""The way of the data, on one screen: read, map and fold → match → plan → push → report.

`plan` goes up to the diff and never writes to Freshsales; `renew` brings a plan up to date with what other runs did;
`push` goes on from there, as often as it takes; `report` says what became of every event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

from fsseg.fold.companies import fold_companies
from fsseg.fold.fold_inputs import fold_inputs
from fsseg.match.matching import Matching
from fsseg.match.people import match_people
from fsseg.match.records import match_accounts, match_deals
from fsseg.match.timeline import match_entries, recall_entries
from fsseg.plan.brake import BrakeRefused
from fsseg.plan.decide import decide
from fsseg.plan.renew import hold_to_review, reopen_touched, skip_delivered
from fsseg.plan.verify import verify_unchanged
from fsseg.push.executor import push, recover, stages_to_come
from fsseg.report.changes_file import ChangesFile
from fsseg.report.progress import Coming
from fsseg.report.run_files import ExitCodeOf, write_run_files
from fsseg.run_context import RunContext
from fsseg.segment.open import Input
from fsseg.state.commit_run import commit_run
from fsseg.state.doubts import doubted_runs, hold_back
from fsseg.state.match_queue import TO_MATCH, most_requests
from fsseg.state.outcomes import count_outcomes
from fsseg.state.run_folder import all_runs
from fsseg.state.run_meta import PlanStage
from fsseg.state.seal import begin_renewal, check, seal_read, unseal_read, unseal_settled

WRITING = Coming("Report")
TO_PLAN = [Coming("Read"), Coming("Fold"), Coming("Match"), Coming("Plan"), WRITING]
"""The stages of a run that the progress shows from its start."""


class Pipeline(RunContext):
    """A run on its way."""

    def plan(self, inputs: Sequence[Input]) -> None:
        """Up to the diff, from wherever the run stands. Reads from Freshsales only."""
        unseal_read(self.store)
        self.progress.expect(TO_PLAN)
        if self.stage is PlanStage.NEW:
            fold_inputs(self.folding(), inputs, self.progress.stage, self.ticking)
            if self.cluster is not None:
                self.cluster.close()  # the rest takes hours, perhaps, and no workers
        if self.stage is PlanStage.FOLDED:
            self.earlier_runs.resolve_doubts(doubted_runs(self.store, self.ledger, self.run.id))
            with self.match_stage() as advance:
                self._match(advance)
            self.store.meta.stage = PlanStage.MATCHED
        if self.stage is PlanStage.MATCHED:
            self._decide()
            self.planned(self.store.meta.key.generation)

    def _match(self, advance: Callable[[int], None], *, anew: bool = False) -> None:
        asked = nullcontext() if self.reader is None else self.pacer.whole(most_requests(self.store))
        with asked:
            self._match_all(self.matching(advance, anew=anew), anew=anew)

    def _match_all(self, matching: Matching, *, anew: bool) -> None:
        self.suppress()  # whoever is known to be suppressed needn't be looked for
        match_people(matching)
        while not anew and self.take_repeats():
            match_people(matching)
        self.suppress()
        fold_companies(self.store)  # which are accounts only where their people are contacts
        match_accounts(matching)
        match_deals(matching)
        if self.reader is not None:
            match_entries(self.store, self.reader, self.say)
        elif self.settings.again:
            recall_entries(self.store, self.ledger)

    def _decide(self) -> None:
        if self.reader is not None:
            hold_back(self.store, self.ledger, self.run.id, entries=not self.settings.again)
        with self.progress.stage("Plan", None, "records", brief=True) as stage:
            decide(self.deciding(), stage.advance)

    def renew(self) -> None:
        """Bring a plan up to date before it is pushed, by what other runs have delivered or undone since it was made.

        A reviewed plan is also compared with what Freshsales holds now. Raises `StateError` for a plan that isn't what
        fsseg made it.
        """
        check(self.store, self.run.id)
        since, generation = self.store.meta.key.generation, self.ledger.generation
        if self.stage is PlanStage.RENEWING or (self.stage is PlanStage.PLANNED and since != generation):
            begin_renewal(self.store)
            self._renew(since)
            self.planned(generation)
        unseal_settled(self.store)
        if self.store.meta.applies and self.stage is PlanStage.PLANNED and not self.verified:
            self.verified = True
            to_check = TO_MATCH * self.store.count("record") + 20
            with self.progress.stage("Recheck", None, "records") as stage, self.pacer.whole(to_check):
                verify_unchanged(self.matching(stage.advance))
            self.note_forecast()
            self.note_requests()
        self.suppress_planned()

    def _renew(self, since: int) -> None:
        reviewed = self.store.meta.applies is not None
        recover(self.push_context())
        commit_run(self.run, self.store, self.ledger, self.say)
        skip_delivered(self.store, self.ledger)
        self.earlier_runs.resolve_doubts(doubted_runs(self.store, self.ledger, self.run.id))
        if reopen_touched(self.store, self.ledger, since, review=reviewed):
            with self.progress.stage("Renew", None, "records") as stage:
                self._match(stage.advance, anew=True)
        self._decide()
        if reviewed:
            others = (run for run in all_runs(self.run.folder.parent.parent) if run.id != self.run.id)
            hold_to_review(self.store, self.catalog, others, since)

    def push(self) -> None:
        """Push what is left to push. Raises `BrakeRefused` before anything is sent, `Halted` or `Stop` on the way."""
        if refusal := self.brake():
            raise BrakeRefused(refusal)
        unseal_settled(self.store)
        self.progress.expect([*map(Coming._make, stages_to_come(self.store)), WRITING])
        push(self.push_context(), self.push_stage)
        self.progress.to_go(0)  # it may have taken fewer than were forecast
        self.store.meta.stage = PlanStage.PUSHED

    def report(self, head: dict[str, Any], exit_code: ExitCodeOf, *, dry_run: bool) -> dict[str, Any]:
        """Remember what was delivered, write the run's files, and give the summary; see `write_run_files`."""
        run, store = self.run, self.store
        changes = ChangesFile(run, store, self.processes, dry_run=dry_run)
        is_planned = self.stage not in (PlanStage.FOLDED, PlanStage.MATCHED)
        totals = count_outcomes(store, dry_run=dry_run and is_planned)
        store.checkpoint()
        if not dry_run:
            commit_run(run, store, self.ledger, self.say, totals)
        head |= {"dry_run": dry_run}
        self.note_requests()
        summary, self.sample = write_run_files(self.run, self.store, changes, totals, head, self.requests(), exit_code)
        seal_read(store)
        return summary
