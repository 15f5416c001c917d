"""The way of the data, on one screen: read → map → fold → match → diff → push → report.

`plan` goes up to the diff and never writes to Freshsales; `renew` brings a plan up to date with what other runs did;
`carry_out` goes on from there, as often as it takes; `account_for` says what became of every event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from msgspec.structs import replace

from fsseg.fold.batch import Batcher
from fsseg.fold.collect import Counts, Gatherer, no_cycles
from fsseg.fold.daily_rollup import aggregate
from fsseg.fold.dedupe import Seen
from fsseg.fold.group import Folded
from fsseg.fold.parallel import gather, gather_apart
from fsseg.fold.people import settle
from fsseg.freshsales.errors import Forbidden, Interrupted
from fsseg.freshsales.pacer import Pacer
from fsseg.freshsales.reader import Reader
from fsseg.freshsales.writer import Writer
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.rules import Rules
from fsseg.mapping.tally import Tally
from fsseg.match.match import Matching, match
from fsseg.match.mirror import Mirror
from fsseg.match.timeline import match_entries
from fsseg.plan.brake import BrakeRefused, shares
from fsseg.plan.decide import Deciding, decide
from fsseg.plan.forecast import Forecast, forecast
from fsseg.plan.refresh import hold_to_review, reopen_touched, skip_delivered
from fsseg.plan.undo import DONE, reverse
from fsseg.plan.verify import recheck
from fsseg.push.bulk import JOB
from fsseg.push.context import PushContext
from fsseg.push.executor import push, recover
from fsseg.report.changes import Sample
from fsseg.report.files import read_lines, write_summary
from fsseg.report.formats.html import write_html
from fsseg.report.humanize import counted
from fsseg.report.progress import Progress
from fsseg.report.summary import summary, write_changes, write_failures
from fsseg.segment.open import Input
from fsseg.settings import Settings
from fsseg.state.database import StateError
from fsseg.state.deliveries import left_out, told, values_of, written_since
from fsseg.state.doubts import doubted_runs, hold_back
from fsseg.state.ledger import Ledger
from fsseg.state.ledger_update import commit, is_behind, roll_back
from fsseg.state.outcomes import Totals, add_up
from fsseg.state.plan_key import PlanKey, plan_key, put_plan_key
from fsseg.state.plan_store import Record, Store
from fsseg.state.reopen import close_absent, reopen_unknown
from fsseg.state.run_folder import Run, RunState, all_runs
from fsseg.state.seal import check, seal, seal_read, seal_settled, unseal, unseal_settled
from fsseg.state.source_events import keep_rejected

Match = Literal["segment", "email"]


@dataclass
class Pipeline:
    """One run and everything it needs. `reader` is None offline, `writer` None wherever nothing may be written.

    How far it has come is kept in its store, so that it can go on there: `new`, `gathered`, `matched`, `planned`,
    `pushed`; `renewing` while a plan is brought up to date.
    """

    settings: Settings
    rules: Rules
    catalog: Catalog
    run: Run
    store: Store
    ledger: Ledger
    mirror: Mirror | None
    reader: Reader | None
    writer: Writer | None
    pacer: Pacer
    progress: Progress
    forbidden: dict[str, Forbidden] = field(default_factory=dict)
    workers: int = 4

    def __post_init__(self) -> None:
        self._spent: dict[str, Any] = self.store.get("requests", {})
        """What earlier processes of this run spent."""
        self._rechecked = False
        self.sample = Sample()
        """The first changes of the run, once they are written."""

    @property
    def how(self) -> Match:
        """Whether the destination's matching rules hold, or the e-mail alone."""
        return self._how(self.settings)

    def _how(self, settings: Settings) -> Match:
        return settings.identity.match or ("segment" if self.catalog.edition == "classic" else "email")

    @property
    def stage(self) -> str:
        return str(self.store.get("stage", "new"))

    def plan(self, inputs: Sequence[Input]) -> None:
        """Up to the diff, from wherever the run stands. Reads from Freshsales only."""
        if self.stage == "new":
            self._gather(inputs)
        if self.stage == "gathered" and self.store.get("undoes"):
            self._plan_undo()
        if self.stage == "gathered":
            self._match()
        if self.stage == "matched":
            self._decide()
            self._planned(plan_key(self.store).generation)

    def _decide(self) -> None:
        offline = self.reader is None
        if not offline:
            hold_back(self.store, self.ledger, self.run.id, entries=not self.settings.again)
        decide(Deciding(self.store, self.catalog, self.ledger, self.settings.create_missing, offline))

    def _planned(self, generation: int) -> None:
        """Seal the plan, which is up to date with that generation of the ledger."""
        expected = None if self.reader is None else self._forecast()._asdict()
        with self.store.transaction():
            if expected is not None:
                self.store.put("forecast", expected)
            put_plan_key(self.store, replace(plan_key(self.store), generation=generation))
            seal(self.store)
            seal_settled(self.store)
            self.note_requests()
            self.store.put("stage", "planned")

    def renew(self) -> None:
        """Bring a plan up to date before it is pushed, by what other runs have delivered or undone since it was made.

        A reviewed plan is also compared with what Freshsales holds now. Raises `StateError` for a plan that isn't what
        fsseg made it.
        """
        check(self.store, self.run.id)
        key, generation = plan_key(self.store), self.ledger.generation
        if self.stage == "renewing" or (self.stage == "planned" and key.generation != generation):
            with self.store.transaction():
                self.store.put("stage", "renewing")
                unseal(self.store)
            if self.store.get("undoes"):
                self.store.put("stage", "gathered")
                self._plan_undo()
            else:
                self._renew(key)
            self._planned(generation)
        unseal_settled(self.store)
        if self.store.get("applies") and self.stage == "planned" and not self._rechecked:
            self._rechecked = True
            with self.progress.stage("Recheck", None, "records") as stage:
                recheck(self._matching(stage.advance))

    def _renew(self, key: PlanKey) -> None:
        reviewed = bool(self.store.get("applies"))
        recover(self._work(self.store, self.settings))
        self._commit(self.run, self.store)
        skip_delivered(self.store, self.ledger)
        self._settle_doubts(doubted_runs(self.store, self.ledger, self.run.id))
        if reopen_touched(self.store, self.ledger, key.generation, review=reviewed):
            with self.progress.stage("Renew", None, "records") as stage:
                match(self._matching(stage.advance, anew=True))
                self._match_entries()
        self._decide()
        if reviewed:
            others = (run for run in all_runs(self.run.folder.parent.parent) if run.id != self.run.id)
            written = written_since(others, key.generation)
            hold_to_review(self.store, self.catalog, lambda record: values_of(written, record, self._parent(record)))

    def _parent(self, record: Record) -> int | None:
        return self.store.record(record.parent).remote_id if record.parent else None

    def settle_killed(self) -> None:
        """Write into the ledger what runs have delivered that were killed before they could.

        A run that can't say how it stands may have been. What is damaged of others is told, and stops nothing here.
        """
        self.note_requests()
        for run in all_runs(self.run.folder.parent.parent):
            if run.id == self.run.id:
                continue
            try:
                was_killed = run.was_killed
            except StateError:
                self._settle_damaged(run)
                continue
            if was_killed and run.has_whole_plan:
                self._settle(run)
                run.note(state=RunState.STOPPED)
            elif was_killed:
                self._tell_lost(run)
        if self.stage == "new":
            put_plan_key(self.store, replace(plan_key(self.store), generation=self.ledger.generation))

    def _settle(self, run: Run) -> None:
        with closing(run.open()) as store:
            if self.reader is not None and store.get(JOB):
                self._recover(store)  # what it has begun would come over what is written now
            self._commit(run, store)

    def _settle_damaged(self, run: Run) -> None:
        if run.plan.exists():
            if not run.has_whole_plan:
                self._tell_lost(run)
                return
            with closing(run.open()) as store:
                is_behind_it = store.get("undoes") is not None or is_behind(self.ledger, store, run.id)
            if is_behind_it and run.has_sent:
                self._settle(run)
        self.progress.message(
            f"run {run.id} is damaged, as its run.json can't be read; what it delivered stays known. fsseg runs prune"
            f" deletes it once it is old, or delete {run.folder}"
        )

    def _tell_lost(self, run: Run) -> None:
        self.progress.message(
            f"run {run.id} is damaged, as its plan.db can't be read: what it delivered last may not be known, and be"
            f" sent again. To be rid of it, delete {run.folder}"
        )

    def _settle_doubts(self, runs: Iterable[str]) -> None:
        """Ask what became of what these runs have sent."""
        if self.reader is None:
            return
        key, before = plan_key(self.store), self.ledger.generation
        for id in sorted(runs):
            run = Run(self.run.folder.parent / id)
            if not run.plan.exists():
                continue
            if not run.has_whole_plan:
                self.progress.message(f"run {id} is damaged: what it may have sent can't be looked for")
                continue
            self.progress.message(f"looking for what run {id} may have sent")
            with closing(run.open()) as store:
                looked_for = reopen_unknown(store)
                self._recover(store)
                close_absent(store, looked_for)
                self._commit(run, store)
        if key.generation == before:
            put_plan_key(self.store, replace(key, generation=self.ledger.generation))

    def _recover(self, store: Store) -> None:
        recover(self._work(store, Settings.model_validate(store.get("settings"))))

    def _gather(self, inputs: Sequence[Input]) -> None:
        seen = Seen(None if self.settings.again else self.ledger.delivered().among)
        with closing(Gatherer(self.store, seen)) as gatherer, no_cycles():
            with self.progress.stage("Read", None, "events") as stage:
                self._read(gatherer, inputs, self._ticking(stage.advance))
            seen.clear()
            folded = Folded(gatherer, Mapper(self.catalog, self.rules, gatherer.tally))
            settle(self.store, gatherer, folded, self.ledger)
        keep_rejected(self.store)
        if self.settings.timeline.aggregate == "daily":
            aggregate(self.store)
        self.store.put("counts", _counted(gatherer.counts, gatherer.tally))
        self.store.put("stage", "gathered")

    def _read(self, gatherer: Gatherer, inputs: Sequence[Input], tick: Callable[[int], None]) -> None:
        jobs, limit = self.settings.jobs, self.settings.limit
        if jobs == 1 or limit is not None:
            gather(gatherer, inputs, Batcher(self.catalog, self.rules), limit, tick)
        else:
            gather_apart(gatherer, inputs, self.catalog, self.rules, jobs, tick)

    def _ticking(self, advance: Callable[[int], None]) -> Callable[[int], None]:
        def tick(count: int) -> None:
            advance(count)
            if self.pacer.interrupted:
                raise Interrupted("interrupted")

        return tick

    def _match(self) -> None:
        self._settle_doubts(doubted_runs(self.store, self.ledger, self.run.id))
        people = self.store.count("record", "kind = 'person'")
        before = self.pacer.total
        with self.progress.stage("Match", people, "people") as stage:
            match(self._matching(stage.advance))
            self._match_entries()
            stage.note(counted(self.pacer.total - before, "request"))
        self.store.put("stage", "matched")

    def _match_entries(self) -> None:
        if self.reader is not None:
            match_entries(self.store, self.reader, self.progress.message)

    def _plan_undo(self) -> None:
        """Read what the run to undo wrote, and plan the way back."""
        assert self.reader is not None
        self._settle_doubts(self.ledger.runs_in_doubt)  # what is deleted may have got something from any of them
        delete_created = self.store.get("delete_created")
        with self._undone() as original:
            check(original, self.store.get("undoes"))
        with (
            self._undone() as original,
            self.progress.stage("Compare", original.count("record", DONE), "records") as stage,
        ):
            others = (run for run in all_runs(self.run.folder.parent.parent) if run.id != self.store.get("undoes"))
            reverse(
                original, self.store, self.reader, self.catalog, self.ledger, stage.advance, partial(told, others),
                delete_created=delete_created,
            )  # fmt: skip
        self._planned(self.ledger.generation)

    def _matching(self, advance: Callable[[int], None], *, anew: bool = False) -> Matching:
        def tick(people: int) -> None:
            advance(people)
            self.note_requests()

        return Matching(
            self.store, self.catalog, self.reader, self.ledger, self.mirror, self.how, self.settings.identity.id_field,
            self.settings.convert_leads, self.progress.message, tick, anew,
        )  # fmt: skip

    def _forecast(self) -> Forecast:
        return forecast(self.store, self._requests()["total"], self.pacer.per_hour, self.pacer.remaining)

    def brake(self) -> str | None:
        """Why the safety brake refuses this plan, or None.

        So it is offline, where nobody knows what changes, and for an undo, which is asked for and puts back.
        """
        lifted = self.settings.allow_mass_changes or self.reader is None or self.store.get("undoes") is not None
        return None if lifted else shares(self.store).refusal

    def carry_out(self) -> None:
        """Push what is planned and not settled yet.

        Raises `BrakeRefused` before anything is sent, and `Halted` or `Stop` once what was under way is settled.
        """
        if refusal := self.brake():
            raise BrakeRefused(refusal)
        unseal_settled(self.store)
        push(self._work(self.store, self.settings), self._stage)
        self.store.put("stage", "pushed")

    def _work(self, store: Store, settings: Settings) -> PushContext:
        """What pushing needs, for the rows of this run or of another one."""
        assert self.reader is not None and self.writer is not None
        owner = Mapper(self.catalog, self.rules, Tally()).owner_id or self._first_owner()
        return PushContext(
            store,
            self.catalog,
            self.reader,
            self.writer,
            lambda seconds: self.pacer.pause(seconds, "an earlier request"),
            self._how(settings),
            settings.identity.id_field,
            owner,
            self.workers,
            self.note_requests,
        )

    @contextmanager
    def _stage(self, name: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        with self.progress.stage(name, total, unit) as stage:

            def advance(count: int) -> None:
                stage.advance(count)
                if self.pacer.limit is not None and self.pacer.remaining is not None:
                    self.progress.quota(self.pacer.remaining, self.pacer.limit)

            yield advance

    def _first_owner(self) -> int | None:
        """Whether a sales activity needs an owner isn't settled in the documentation, so it gets one."""
        owner = self.catalog.fields("contact").get("owner_id")
        return int(owner.choices[0].id) if owner and owner.choices else None

    def account_for(
        self, head: dict[str, Any], exit_code: Callable[[dict[str, int]], int], *, dry_run: bool
    ) -> dict[str, Any]:
        """Write the run's files, remember what was delivered, and give the summary.

        `exit_code` tells it from how many events had which outcome.
        """
        totals = add_up(self.store, dry_run=dry_run)
        if not dry_run:
            self._commit(self.run, self.store, totals)
        self.sample = write_changes(self.run, self.store)
        lost = write_failures(self.run, self.store, totals)
        requests = self._requests()
        found = summary(self.store, totals, head | {"dry_run": dry_run}) | {"requests": requests}
        for row in found["inputs"]:
            row |= {"lost": lost[row["path"]]} if row["path"] in lost else {}
        if self.store.get("forecast"):
            found["forecast"] = self.store.get("forecast")
        found["exit_code"] = exit_code(found["events"]["outcomes"])
        write_summary(self.run.summary_path, found)
        page, failures = self.run.folder / "report.html", read_lines(self.run.failures)
        write_html(page, found, self.sample, failures, run_dir=self.run.folder)
        self.note_requests()
        seal_read(self.store)
        return found

    def _commit(self, run: Run, store: Store, totals: Totals | None = None) -> None:
        """Write into the ledger what a run has delivered or taken back; its plan is as up to date as it was."""
        key, before = plan_key(store), self.ledger.generation
        if (undoes := store.get("undoes")) is not None:
            undone = Run(run.folder.parent / undoes)
            if not undone.plan.exists():
                self.progress.message(f"run {undoes}, which {run.id} undoes, is gone: what it has put back isn't known")
                return
            with closing(undone.open()) as original:
                others = partial(left_out, all_runs(self.run.folder.parent.parent))
                roll_back(original, store, self.ledger, undoes, others)
        else:
            commit(store, self.ledger, totals or add_up(store, dry_run=False), run.id)
        seal_settled(store)
        if key.generation == before:
            put_plan_key(store, replace(key, generation=self.ledger.generation))

    def _undone(self) -> closing[Store]:
        return closing(Run(self.run.folder.parent / self.store.get("undoes")).open())

    def note_requests(self) -> None:
        """Write down what was spent so far."""
        self.store.put("requests", self._requests())

    def _requests(self) -> dict[str, Any]:
        pacer = self.pacer
        now = {
            "total": pacer.total, "read": pacer.read, "write": pacer.write, "retried": pacer.retried,
            "rate_limited": pacer.rate_limited, "waited_s": round(pacer.waited_s, 1),
        }  # fmt: skip
        return {name: count + self._spent.get(name, 0) for name, count in now.items()}


def _counted(counts: Counts, tally: Tally) -> dict[str, Any]:
    return {
        "read": counts.read,
        "by_type": dict(counts.by_type),
        "reasons": [[outcome, code, count] for (outcome, code), count in counts.reasons.items()],
        "warnings": tally.rows(),
        "unreadable": counts.unreadable,
    }
