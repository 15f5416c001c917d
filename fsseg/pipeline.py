"""The way of the data, on one screen: read → map → fold → match → diff → push → report.

`plan` goes up to the diff and never writes to Freshsales; `carry_out` goes on from there, as often as it takes;
`account_for` says what became of every event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from fsseg.freshsales.errors import Forbidden, Interrupted
from fsseg.freshsales.pacer import Pacer
from fsseg.freshsales.reader import Reader
from fsseg.freshsales.writer import Writer
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.rules import Rules
from fsseg.mapping.tally import Tally
from fsseg.plan.batch import Batcher
from fsseg.plan.brake import BrakeRefused, shares
from fsseg.plan.daily import aggregate
from fsseg.plan.decide import Deciding, decide
from fsseg.plan.finish import forget, remember, unsettle, unsettle_written
from fsseg.plan.forecast import Forecast, forecast
from fsseg.plan.gather import Counts, Gatherer, no_cycles
from fsseg.plan.heaps import Folded
from fsseg.plan.jobs import gather, gather_apart
from fsseg.plan.ledger import Ledger
from fsseg.plan.match import Matching, match
from fsseg.plan.messages import match_entries
from fsseg.plan.mirror import Mirror
from fsseg.plan.originals import keep_rejected
from fsseg.plan.people import settle
from fsseg.plan.recheck import recheck
from fsseg.plan.reverse import DONE, reverse
from fsseg.plan.run import Run
from fsseg.plan.seen import Seen
from fsseg.plan.store import Store
from fsseg.plan.tally_up import Totals, add_up
from fsseg.push.executor import push
from fsseg.push.work import Work
from fsseg.report.files import read_lines, write_summary
from fsseg.report.html import write_html
from fsseg.report.progress import Progress
from fsseg.report.summary import summary, write_changes, write_failures
from fsseg.segment.open import Input
from fsseg.settings import Settings


@dataclass
class Pipeline:
    """One run and everything it needs. `reader` is None offline, `writer` None wherever nothing may be written.

    How far it has come is kept in its store, so that it can go on there: `new`, `gathered`, `matched`, `planned`,
    `pushed`.
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

    @property
    def how(self) -> Literal["segment", "email"]:
        """Whether the destination's matching rules hold, or the e-mail alone."""
        return self.settings.identity.match or ("segment" if self.catalog.edition == "classic" else "email")

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
            offline = self.reader is None
            decide(Deciding(self.store, self.catalog, self.ledger, self.settings.create_missing, offline))
            if self.reader is not None:
                self.store.put("forecast", self._forecast()._asdict())
            self.store.put("checksum", self.store.checksum())
            self.store.put("stage", "planned")

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
        people = self.store.count("record", "kind = 'person'")
        before = self.pacer.total
        with self.progress.stage("Match", people, "people") as stage:
            match(self._matching(stage.advance))
            if self.reader is not None:
                match_entries(self.store, self.reader, self.progress.message)
            stage.note(f"{self.pacer.total - before:,} requests")
        self.store.put("stage", "matched")

    def _plan_undo(self) -> None:
        """Read what the run to undo wrote, and plan the way back."""
        assert self.reader is not None
        self.store.clear()
        delete_created = self.store.get("delete_created")
        with (
            self._undone() as original,
            self.progress.stage("Compare", original.count("record", DONE), "records") as stage,
        ):
            reverse(original, self.store, self.reader, self.catalog, stage.advance, delete_created=delete_created)
        self.store.put("stage", "planned")

    def _matching(self, tick: Callable[[int], None]) -> Matching:
        return Matching(
            self.store, self.catalog, self.reader, self.ledger, self.mirror, self.how, self.settings.identity.id_field,
            self.settings.convert_leads, self.progress.message, tick,
        )  # fmt: skip

    def recheck(self) -> int:
        """Turn into conflicts whatever has moved on in Freshsales since the plan was made; how many did."""
        with self.progress.stage("Recheck", None, "records") as stage:
            return recheck(self._matching(stage.advance))

    def _forecast(self) -> Forecast:
        spent = self.pacer.total + self.store.get("requests", {}).get("total", 0)
        return forecast(self.store, spent, self.pacer.per_hour, self.pacer.remaining)

    def brake(self) -> str | None:
        """Why the safety brake refuses this plan, or None, as it does offline, where nobody knows what changes."""
        return None if self.settings.allow_mass_changes or self.reader is None else shares(self.store).refusal

    def carry_out(self) -> None:
        """Push what is planned and not settled yet.

        Raises `BrakeRefused` before anything is sent, and `Halted` or `Stop` once what was under way is settled.
        """
        if refusal := self.brake():
            raise BrakeRefused(refusal)
        assert self.reader is not None and self.writer is not None
        owner = Mapper(self.catalog, self.rules, Tally()).owner_id or self._first_owner()
        work = Work(
            self.store,
            self.catalog,
            self.reader,
            self.writer,
            lambda seconds: self.pacer.pause(seconds, "an earlier request"),
            self.how,
            self.settings.identity.id_field,
            owner,
            self.workers,
        )
        self._unsettle()
        push(work, self._stage)
        self.store.put("stage", "pushed")

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
            self._remember(totals)
        write_changes(self.run, self.store)
        write_failures(self.run, self.store, totals)
        requests = self._requests()
        found = summary(self.store, totals, head | {"dry_run": dry_run}) | {"requests": requests}
        if self.store.get("forecast"):
            found["forecast"] = self.store.get("forecast")
        found["exit_code"] = exit_code(found["events"]["outcomes"])
        write_summary(self.run.summary_path, found)
        changes, failures = read_lines(self.run.changes), read_lines(self.run.failures)
        write_html(self.run.folder / "report.html", found, changes, failures, run_dir=self.run.folder)
        self.store.put("requests", requests)
        self.store.put("accounted", self.stage)
        return found

    def _unsettle(self) -> None:
        unsettle(self.store, self.ledger)
        if self.store.get("undoes") is not None:
            with self._undone() as original:
                unsettle_written(original, self.ledger)

    def _remember(self, totals: Totals) -> None:
        if self.store.get("undoes") is None:
            remember(self.store, self.ledger, totals, self.run.id)
        else:
            with self._undone() as original:
                forget(original, self.store, self.ledger, self.store.get("undoes"))

    def _undone(self) -> closing[Store]:
        return closing(Run(self.run.folder.parent / self.store.get("undoes")).open())

    def _requests(self) -> dict[str, Any]:
        pacer = self.pacer
        now = {
            "total": pacer.total, "read": pacer.read, "write": pacer.write, "retried": pacer.retried,
            "rate_limited": pacer.rate_limited, "waited_s": round(pacer.waited_s, 1),
        }  # fmt: skip
        earlier = self.store.get("requests", {})
        return {name: count + earlier.get(name, 0) for name, count in now.items()}


def _counted(counts: Counts, tally: Tally) -> dict[str, Any]:
    return {
        "read": counts.read,
        "by_type": dict(counts.by_type),
        "reasons": [[outcome, code, count] for (outcome, code), count in counts.reasons.items()],
        "warnings": tally.rows(),
        "unreadable": counts.unreadable,
    }
