"""What every step of a run needs, and the words in which it asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

from msgspec.structs import replace

from fsseg.cluster import Cluster
from fsseg.figures import counted
from fsseg.fold.fold_inputs import Folding
from fsseg.fold.mended import Mended
from fsseg.fold.records import take_repeats_of_unknown
from fsseg.freshsales.errors import Forbidden, Interrupted
from fsseg.freshsales.names import Entity
from fsseg.freshsales.pacer import Pacer
from fsseg.freshsales.reader import Reader
from fsseg.freshsales.traffic import Traffic, Wait
from fsseg.freshsales.writer import Writer
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.event_rule import fields_added_up
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.rules import Rules
from fsseg.mapping.warning_counter import WarningCounter
from fsseg.match.matching import Matching
from fsseg.match.mirror import Mirror
from fsseg.match.suppression import suppress
from fsseg.plan.brake import refusal
from fsseg.plan.decide import Deciding, was_delivered
from fsseg.plan.defaults import Defaults
from fsseg.plan.forecast import Habits, forecast
from fsseg.processes import Processes
from fsseg.push.context import DealLinks, PushContext
from fsseg.push.custom_fields import CustomFields
from fsseg.push.earlier_runs import EarlierRuns
from fsseg.push.executor import recover
from fsseg.push.refusals import Refusals
from fsseg.report.change_parts import EntriesAhead
from fsseg.report.changes import Sample
from fsseg.report.progress import Coming, Progress
from fsseg.settings import Settings
from fsseg.state.actions import Code, Mode
from fsseg.state.behaviour import note_lacks_bulk, seen_behaviour
from fsseg.state.ledger import Ledger
from fsseg.state.match_queue import how_far
from fsseg.state.plan_counts import count_matched, count_people, entities_of
from fsseg.state.plan_store import Store
from fsseg.state.run_folder import Run
from fsseg.state.run_meta import Forecast, PlanStage, TrafficCount
from fsseg.state.seal import seal, seal_settled

Advance = Callable[[int], None]


@dataclass
class RunContext:
    """One run and everything it needs. `reader` is None offline, `writer` None wherever nothing may be written."""

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
    processes: Processes
    cluster: Cluster | None = None
    forbidden: dict[str, Forbidden] = field(default_factory=dict)
    workers: int = 4

    def __post_init__(self) -> None:
        self._spent = self.store.meta.requests
        """What earlier processes of this run spent."""
        earlier = self.store.meta.traffic
        self._traffic = Traffic(earlier.step_s, earlier.sent, [Wait(*wait) for wait in earlier.waits])
        """When they did."""
        self.sample = Sample()
        """The first changes of the run, once they are written."""
        self.ahead: EntriesAhead | None = None
        """Lines of changes.jsonl that are written already, or on their way."""

    @property
    def stage(self) -> PlanStage:
        """How far the run has come; it is kept in its store, so that it can go on there."""
        return self.store.meta.stage

    @property
    def came_to(self) -> tuple[int, ...]:
        """How far the run has come, to be compared."""
        entities: tuple[Entity, ...] = ("lead", "contact", "account")
        copied = 0 if self.mirror is None else sum(map(self.mirror.ready, entities))
        return *how_far(self.store), copied

    @property
    def earlier_runs(self) -> EarlierRuns:
        """The other runs of the account, and what they have left to be done."""
        asks = None if self.reader is None else self._push_context_of
        return EarlierRuns(self.run, self.store, self.ledger, self.progress.message, asks)

    def say(self, text: str) -> None:
        """Print a line beside the progress that is shown now."""
        self.progress.message(text)

    def ticking(self, advance: Advance) -> Advance:
        """Advances the stage, and raises `Interrupted` once somebody has pressed Ctrl-C."""

        def tick(count: int) -> None:
            advance(count)
            if self.pacer.interrupted:
                raise Interrupted("interrupted")

        return tick

    def commit_killed(self) -> None:
        """Write into the ledger what runs have delivered that were killed before they could."""
        self.note_requests()
        self.earlier_runs.commit_killed()
        if self.stage is PlanStage.NEW:
            self._note_generation(self.ledger.generation)

    @property
    def is_void(self) -> bool:
        """Whether a plan has drifted that is to be pushed wholly or not at all."""
        return self.store.meta.strict_apply and bool(self.store.meta.drifted)

    def refuse_forbidden(self) -> None:
        """Raise the refusal of something that this plan needs, before the first write.

        What was read and mapped without it has to be read and mapped anew.
        """
        needs: set[str] = {*entities_of(self.store)}
        reasons = self.store.meta.counts.reasons
        if any(code in (Code.TIMELINE_UNAVAILABLE, Code.ACTIVITY_TYPE_MISSING) for _, code, _ in reasons):
            needs.add("sales_activity_types")
        for name, error in self.forbidden.items():
            if name in needs:
                if self.run.info.of is None and not self.run.has_sent:
                    self.store.meta.stage = PlanStage.NEW
                    self.store.meta.forecast = self.store.meta.first_forecast = self.store.meta.read_at = None
                raise error

    def brake(self) -> str | None:
        """Why the safety brake refuses this plan, or None; offline it never does, as nobody knows what changes."""
        lifted = self.settings.allow_mass_changes or self.reader is None
        return None if lifted else refusal(count_matched(self.store))

    def folding(self) -> Folding:
        """What reading, mapping and folding need."""
        settings = self.settings
        return Folding(
            store=self.store, ledger=self.ledger, catalog=self.catalog, rules=self.rules, again=settings.again,
            daily=settings.timeline.aggregate == "daily", processes=self.processes, cluster=self.cluster,
            limit=settings.limit,
        )  # fmt: skip

    @contextmanager
    def planning(self, stages: Sequence[Coming]) -> Iterator[None]:
        """Show these stages, if there is something to plan; commits don't wait for the disk, as nothing leaves yet."""
        if self.stage in (PlanStage.NEW, PlanStage.FOLDED, PlanStage.MATCHED):
            self.progress.expect(stages)
        with self.store.hurried():
            yield

    def write_ahead(self) -> None:
        """Have the lines of timeline entries written by processes that wait, where it is known what comes of these."""
        if self.folding().entries_are_new and self.processes.jobs > 1:
            self.ahead = EntriesAhead(self.store, self.processes)

    def take_repeats(self) -> bool:
        """Take events that are no duplicates, since matching has rejected their originals; whether there are any."""
        if self.reader is None or self.settings.create_missing:
            return False
        mended = Mended(self.store, self.catalog, self.rules)
        daily = self.settings.timeline.aggregate == "daily"
        return take_repeats_of_unknown(self.store, mended, self.catalog.edition, self.ledger, daily=daily)

    def deciding(self) -> Deciding:
        """What the diff needs."""
        settings = self.settings
        return Deciding(
            store=self.store, catalog=self.catalog, ledger=self.ledger, processes=self.processes,
            create_missing=settings.create_missing, offline=self.reader is None, strict=settings.strict,
            defaults=Defaults(self.catalog, settings.defaults.model_dump(), self.rules),
            existing=Mode(settings.existing), convert_leads=self._converts,
            added_up=fields_added_up(self.rules.mapping.get("event", {})),
        )  # fmt: skip

    def matching(self, advance: Advance, *, anew: bool = False) -> Matching:
        """What matching needs; `anew` where some records were matched before."""

        def tick(people: int) -> None:
            advance(people)
            self.note_requests()

        if self.store.meta.read_at is None:  # what was read in an earlier process stays as old as it is
            self.store.meta.read_at = datetime.now(UTC).isoformat()
        settings = self.settings
        return Matching(
            store=self.store, catalog=self.catalog, reader=self.reader, ledger=self.ledger, mirror=self.mirror,
            match_mode=self._match_mode(settings), id_field=settings.identity.id_field,
            deal_id_field=settings.identity.deal_id_field, convert_leads=self._converts, say=self.say, tick=tick,
            anew=anew, needed=("updated_at",) if Mode(settings.existing) is Mode.NEWER else (),
        )  # fmt: skip

    @property
    def _converts(self) -> bool:
        """Whether leads become contacts; to convert a lead is to change it."""
        return self.settings.convert_leads and Mode(self.settings.existing) is Mode.UPDATE

    def suppress(self) -> None:
        """Take out of the plan who is on the suppression list."""
        if self.rules.suppress:
            suppress(self.store, self.ledger, self.rules.suppress)

    def suppress_planned(self) -> None:
        """Take out of a finished plan who is on the list by now, once it is known what became of all that was sent."""
        if self.rules.suppress:
            recover(self.push_context())
            self.suppress()
            seal(self.store)

    def _match_mode(self, settings: Settings) -> Literal["segment", "email"]:
        """Whether the destination's matching rules hold, or the e-mail alone."""
        return settings.identity.match or ("segment" if self.catalog.edition == "classic" else "email")

    def planned(self, generation: int) -> None:
        """Seal the plan, which is up to date with that generation of the ledger.

        Offline there is no need to: nothing can be pushed of that.
        """
        with self.store.transaction():
            self._note_generation(generation)
            if self.reader is not None:
                self.note_forecast()
                seal(self.store)
                seal_settled(self.store)
            self.note_requests()
            self.store.meta.stage = PlanStage.PLANNED

    def note_forecast(self) -> None:
        """Write down what the run is expected to take, with what it has spent by now."""
        expected = self._forecast(self.requests()["total"])
        self.store.meta.forecast = expected
        self.store.meta.first_forecast = self.store.meta.first_forecast or expected

    def _note_generation(self, generation: int) -> None:
        self.store.meta.key = replace(self.store.meta.key, generation=generation)

    def _forecast(self, spent: int) -> Forecast:
        """What is to come, at the pace that was measured: pages of a large account may take seconds each."""
        pacer, measured = self.pacer, self.pacer.seconds_per_request
        pace = {} if measured is None else {"per_request": measured}
        custom_fields = self.custom_fields(self.settings)
        seen = seen_behaviour(self.run.account_folder)
        habits = Habits(
            seen.deal_contacts == "lost", not custom_fields.bulk_merges, writes_whole=custom_fields.how == "whole",
            lacks_bulk=seen.lacks_bulk,
        )  # fmt: skip
        return forecast(self.store, spent, pacer.per_hour, pacer.remaining, habits, **pace)

    def push_context(self) -> PushContext:
        """What pushing the rows of this run needs."""
        return self._push_context(self.store, self.settings)

    def _push_context_of(self, store: Store) -> PushContext:
        """The same for the rows of another run, by the settings that it began with."""
        return self._push_context(store, Settings.model_validate(store.meta.settings))

    def _push_context(self, store: Store, settings: Settings) -> PushContext:
        assert self.reader is not None and self.writer is not None
        owner = Mapper(self.catalog, self.rules, WarningCounter()).owner_id or self._first_owner()
        return PushContext(
            store=store, catalog=self.catalog, reader=self.reader, writer=self.writer,
            pause=lambda seconds: self.pacer.pause(seconds, "an earlier request"),
            match_mode=self._match_mode(settings), id_field=settings.identity.id_field,
            deal_id_field=settings.identity.deal_id_field, owner_id=owner, workers=self.workers,
            custom_fields=self.custom_fields(settings), note_requests=self.note_requests, say=self.say,
            strict=settings.strict, refusals=Refusals(self.catalog, store, self.say),
            deal_links=DealLinks.of(self.run.account_folder),
            note_lacks_bulk=partial(note_lacks_bulk, self.run.account_folder),
            was_delivered=partial(was_delivered, store, self.ledger), may_write=not self.run.info.dry,
        )  # fmt: skip

    def custom_fields(self, settings: Settings) -> CustomFields:
        """How the custom fields of single records are written."""
        read_at = self.store.meta.read_at
        since = None if read_at is None else datetime.fromisoformat(read_at)
        return CustomFields.of(self.run.account_folder, settings.freshsales.custom_fields, since)

    def _first_owner(self) -> int | None:
        """Whether a sales activity needs an owner isn't settled in the documentation, so it gets one."""
        owner = self.catalog.fields("contact").get("owner_id")
        return int(owner.choices[0].id) if owner and owner.choices else None

    @contextmanager
    def match_stage(self) -> Iterator[Advance]:
        """A stage of the progress that tells at its end how many requests it took."""
        before = self.pacer.total
        with self.progress.stage("Match", count_people(self.store), "people") as stage:
            yield stage.advance
            stage.note(counted(self.pacer.total - before, "request"))

    @contextmanager
    def push_stage(self, name: str, total: int, unit: str) -> Iterator[Advance]:
        """A stage of the progress that shows what is left of the quota, too."""
        with self.progress.stage(name, total, unit) as stage:

            def advance(count: int) -> None:
                stage.advance(count)
                if expected := self.store.meta.forecast:
                    self.progress.to_go(max(expected.requests - self.requests()["total"], 0))
                if self.pacer.per_hour is not None and self.pacer.remaining is not None:
                    self.progress.quota(self.pacer.remaining, self.pacer.per_hour)

            yield advance

    def note_requests(self) -> None:
        """Write down how many requests were sent so far."""
        self.store.meta.requests = self.requests()
        traffic = self.pacer.traffic.following(self._traffic)
        self.store.meta.traffic = TrafficCount(
            traffic.step_s, traffic.sent, [(wait.begin, wait.end, wait.reason) for wait in traffic.waits]
        )

    def requests(self) -> dict[str, Any]:
        """The requests that all processes of this run have sent."""
        return {name: count + self._spent.get(name, 0) for name, count in self.pacer.spent().items()}
