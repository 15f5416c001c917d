"""The way of the data, on one screen: read, map and fold → match → plan → push → report.

`Pipeline.walk` goes it up to the last request; `Pipeline.report` says what became of every event, whatever stopped it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, ClassVar

from fsseg.fold.companies import fold_companies
from fsseg.fold.fold_inputs import fold_inputs
from fsseg.match.people import match_people
from fsseg.match.records import match_accounts, match_deals
from fsseg.match.timeline import match_entries, recall_entries
from fsseg.plan.brake import BrakeRefused
from fsseg.plan.decide import decide
from fsseg.push.executor import push, stages_to_come
from fsseg.renewing import RenewableRun
from fsseg.report.changes_file import ChangesFile
from fsseg.report.progress import Coming
from fsseg.report.run_files import ExitCodeOf, write_run_files
from fsseg.run_context import Advance
from fsseg.segment.open import Input
from fsseg.state.commit_run import commit_run
from fsseg.state.doubts import doubted_runs, fail_doubted
from fsseg.state.match_queue import most_requests
from fsseg.state.outcomes import count_outcomes
from fsseg.state.run_meta import PlanStage
from fsseg.state.seal import seal_read, unseal_read, unseal_settled

WRITING = Coming("Report")


class Pipeline(RenewableRun):
    """A run on its way."""

    to_plan: ClassVar[Sequence[Coming]] = (Coming("Read"), Coming("Fold"), Coming("Match"), Coming("Plan"), WRITING)
    """The stages that the progress shows from the start."""

    def walk(self, inputs: Callable[[], Sequence[Input]], agree: Callable[[], None] | None) -> None:
        """From wherever the run stands up to its last request; it may be stopped anywhere, and goes on from there.

        `inputs` registers what is to be read. `agree` shows the plan and raises where somebody says no; without it this
        is a dry run. Raises `BrakeRefused`, `NoInput`, `StateError` and the client's errors.
        """
        self.commit_killed()
        unseal_read(self.store)
        with self.planning(self.to_plan):
            if self.stage is PlanStage.NEW:
                fold_inputs(self.folding(), inputs(), self.progress.stage, self.ticking)  # reads and maps on the way
                self.write_ahead()
                if self.cluster is not None:
                    self.cluster.close()  # the rest takes hours, perhaps, and no workers
            if self.stage is PlanStage.FOLDED:
                self.match()
            if self.stage is PlanStage.MATCHED:
                self.decide()
                self.planned(self.store.meta.key.generation)
        self.refuse_forbidden()
        if agree is not None:
            self.renew()  # other runs may have delivered something since this plan was made
        if self.is_void:
            self.store.meta.stage = PlanStage.PUSHED  # nothing of this plan is ever to be sent
            return
        if refusal := self.brake():
            raise BrakeRefused(refusal)
        if agree is None:
            return
        agree()
        unseal_settled(self.store)
        self.progress.expect([*map(Coming._make, stages_to_come(self.store)), WRITING])
        push(self.push_context(), self.push_stage)
        self.progress.to_go(0)  # it may have taken fewer than were forecast
        self.store.meta.stage = PlanStage.PUSHED

    def match(self) -> None:
        """For every person, account, deal and entry, what Freshsales holds of it today."""
        self.earlier_runs.resolve_doubts(doubted_runs(self.store, self.ledger, self.run.id))
        with self.match_stage() as advance:
            self.match_records(advance)
        self.store.meta.stage = PlanStage.MATCHED

    def match_records(self, advance: Advance, *, anew: bool = False) -> None:
        matching = self.matching(advance, anew=anew)
        with nullcontext() if self.reader is None else self.pacer.whole(most_requests(self.store)):
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

    def decide(self) -> None:
        if self.reader is not None:
            fail_doubted(self.store, self.ledger, self.run.id, entries=not self.settings.again)
        with self.progress.stage("Plan", None, "records", brief=True) as stage:
            decide(self.deciding(), stage.advance)

    def report(self, head: dict[str, Any], exit_code: ExitCodeOf, *, dry_run: bool) -> dict[str, Any]:
        """Remember what was delivered, write the run's files, and give the summary; see `write_run_files`."""
        run, store = self.run, self.store
        changes = ChangesFile(run, store, self.processes, dry_run=dry_run, ahead=self.ahead)
        is_planned = self.stage not in (PlanStage.FOLDED, PlanStage.MATCHED)
        totals = count_outcomes(store, dry_run=dry_run and is_planned)
        store.checkpoint()
        if not dry_run:
            commit_run(run, store, self.ledger, self.say, totals)
        self.note_requests()
        summary, self.sample = write_run_files(run, store, changes, totals, head, self.requests(), exit_code)
        self.processes.dismiss()
        seal_read(store)
        return summary
