"""Bulk upsert: many records a request, one job at a time, each refusal tied back to its record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from msgspec.structs import replace

from fsseg.freshsales.errors import BulkBusy, FreshsalesError, Halted, NoBulk, NotFound, Refused, Unavailable
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Job
from fsseg.freshsales.sizes import MIN_BULK
from fsseg.push.context import PushContext
from fsseg.push.journal import ends_the_push, try_lookup, wait_since
from fsseg.push.outcome import Outcome, failed
from fsseg.push.payload import plain
from fsseg.push.read_back import ReadBack
from fsseg.push.refused_field import named_field
from fsseg.state.actions import Code, Status
from fsseg.state.plan_store import Record
from fsseg.state.push_queue import records_in_flight
from fsseg.state.run_meta import BulkJob

JOB_TIMEOUT_S = 3600.0
"""Seconds after which a job that still runs ends the push, which a resumption takes up again."""

BUSY_PAUSES_S = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, *(600.0,) * 5)
"""Seconds to leave an account alone that has as many unfinished jobs as it may; then the push ends, to be resumed."""

UNKNOWN_JOB_WAIT_S = 30.0
"""Seconds, since it was sent, for a job to end whose id was never learnt, as the process ended before the answer."""

MAX_POLL_S = 60.0
"""Seconds between two questions after a job that takes long, at the most."""

MIN_POLL_S = 0.2
"""Seconds before a job is asked about for the first time, at the least: an unneeded poll costs a request."""

Attributes = Callable[[Record], dict[str, Any]]
Act = Callable[[Record], Outcome]


@dataclass
class Bulk:
    """Bulk upsert of one entity. `send` sends one record by itself, `recover` looks for one that a job may have made.

    `settled` is called once a job has ended. `patient`: others who are busy are waited for here. `pause` is how
    long the next job is left alone before it is asked about.
    """

    context: PushContext
    entity: Entity
    identifier: str
    attributes: Attributes
    send: Act
    recover: Act
    settled: Callable[[], None] = lambda: None
    pause: float = 0.5
    available: bool = True
    patient: bool = False

    @cached_property
    def read_back(self) -> ReadBack:
        """Looks at what a job has stored."""
        return ReadBack(self.context, self.entity)

    def await_earlier(self) -> list[tuple[Record, Outcome]]:
        """Let the job end that was running when an earlier push ended, and tell what it says of its records.

        Of those that it doesn't speak of, nothing is known but that nothing more will come of them. What it has harmed
        is mended; where nothing may be written, it is left to be asked again, and nothing is told.
        """
        note = self.context.store.meta.job
        if note is None or note.entity != self.entity:
            return []
        in_flight = list(records_in_flight(self.context.store, self.entity))
        job = self._ended(note, in_flight)
        if not self.context.may_write:
            return []
        outcomes = [] if job is None else self._told_later(note, job, in_flight)
        told = {record.id for record, _ in outcomes}
        self.read_back.mend([record for record in in_flight if record.id not in told])
        self._save_job(None)
        return outcomes

    def _ended(self, note: BulkJob, in_flight: Sequence[Record]) -> Job | None:
        """The job once it has ended; None where it says nothing of its records."""
        if note.id is None:
            wait_since(in_flight, UNKNOWN_JOB_WAIT_S, self.context.pause)
            return None
        try:
            job = self._await_job(note.id)
        except NotFound:  # forgotten, so it has ended
            return None
        return None if job.status == "failed" else job

    def _told_later(self, note: BulkJob, job: Job, in_flight: Sequence[Record]) -> list[tuple[Record, Outcome]]:
        ids = set(note.records)
        records = [record for record in in_flight if record.id in ids]
        outcomes = self._told(records, job)
        if outcomes is None:
            return []
        told = self.read_back.look(records, outcomes)
        again = {record.id for record in self._refused_for_their_shape(records, told)}
        return [
            (record, Outcome(Status.PLANNED) if record.id in again else outcome)
            for record, outcome in zip(records, told, strict=True)
        ]

    def push(self, records: Sequence[Record]) -> list[Outcome]:
        """The outcomes of `records`, in order.

        Raises what ends the push, and `BulkBusy` where others are, unless we are `patient`: then nothing was sent.
        """
        why = {record.id: self._refusal(record) for record in records}
        sent = [record for record in records if why[record.id] is None]
        outcomes = dict(zip((record.id for record in sent), self._push(sent, self._send_alone), strict=True))
        self._save_job(None)  # not before, so that a resumption looks at what its jobs may have harmed
        return [outcomes.get(record.id) or failed(Refused(why[record.id] or "", status=400)) for record in records]

    def _refusal(self, record: Record) -> str | None:
        return None if self.context.refusals is None else self.context.refusals.stopped(record)

    def _push(self, records: Sequence[Record], send_alone: Act) -> list[Outcome]:
        if not self.available or len(records) < MIN_BULK:
            return [send_alone(record) for record in records]
        job = None
        try:
            job = self._run_job(records)
        except NoBulk:
            self.available = False
            self.context.note_lacks_bulk(True)
            return [send_alone(record) for record in records]
        except BulkBusy:
            raise
        except FreshsalesError as error:
            if ends_the_push(error):
                raise
        self.settled()
        if job is None or job.status == "failed":
            # One poisonous record can fail a whole job: halving it finds the record in few requests.
            middle = len(records) // 2
            with self._patiently():
                return self._push(records[:middle], self._resend) + self._push(records[middle:], self._resend)
        return self._outcomes(records, job)

    @contextmanager
    def _patiently(self) -> Iterator[None]:
        """Wait for others where some of what is to be sent was sent before."""
        before, self.patient = self.patient, True
        try:
            yield
        finally:
            self.patient = before

    def _send_alone(self, record: Record) -> Outcome:
        try:
            return self.send(record)
        except FreshsalesError as error:
            if ends_the_push(error):
                raise
            return failed(error)

    def _resend(self, record: Record) -> Outcome:
        """Send by itself what a job that failed may have written all the same."""
        outcome = try_lookup(self.recover, record)
        if outcome.status != Status.PLANNED:
            return outcome
        return self._send_alone(record.known_as(outcome.remote_id or record.remote_id, tried=True))

    def _run_job(self, records: Sequence[Record]) -> Job:
        items = []
        for record in records:
            key = {"id": str(record.remote_id)} if record.remote_id else {self.identifier: record.key}
            attributes = self.attributes(record)
            if self.context.emails.is_text:
                attributes = plain(attributes) or attributes
            items.append(key | {"data": attributes})
        # Saved before there is an id, so that a resumption knows of a job even if its answer never arrived.
        note = BulkJob(self.entity, None, [record.id for record in records])
        self._save_job(note)
        try:
            job_id = self._start_job(items)
        except BulkBusy:
            self._save_job(None)
            raise
        self._save_job(replace(note, id=job_id))
        self.context.note_lacks_bulk(False)
        return self._await_job(job_id)

    def _start_job(self, items: list[dict[str, Any]]) -> str:
        for seconds in BUSY_PAUSES_S if self.patient else ():
            try:
                return self.context.writer.bulk_upsert(self.entity, items)
            except BulkBusy:
                self.context.pause(seconds)
        return self.context.writer.bulk_upsert(self.entity, items)

    def _save_job(self, job: BulkJob | None) -> None:
        self.context.store.meta.job = job

    def _await_job(self, job_id: str) -> Job:
        """The job once it has ended. A poll that fails is one poll less. Raises `Halted` if it takes too long."""
        waited, pause = 0.0, self.pause
        while waited < JOB_TIMEOUT_S:
            self.context.pause(pause)
            waited += pause
            try:
                job = self.context.reader.job(job_id)
            except Unavailable:
                continue
            if job.status != "running":
                # A job that had ended at the first poll may have ended long before: the next is asked about sooner.
                self.pause = max(MIN_POLL_S, 0.8 * pause) if pause == self.pause else waited
                return job
            pause = min(pause * 1.5, MAX_POLL_S)
        halted = Halted(f"a bulk job still runs after {waited / 60:.0f} minutes")
        halted.sent = True
        raise halted

    def _outcomes(self, records: Sequence[Record], job: Job) -> list[Outcome]:
        told = self._told(records, job)
        if told is not None:
            told = self.read_back.look(records, told)
            again = self._in_the_other_shape(records, told)
            rest = [(record, one) for record, one in zip(records, told, strict=True) if record.id not in again]
            self._count(rest)
            outcomes = again | {
                record.id: self._send_alone(record) if self._may_go_without_a_field(record, outcome) else outcome
                for record, outcome in rest
            }
            return [outcomes[record.id] for record in records]
        # The report names fewer than it counts: what it kept to itself is found out one by one.
        with self._patiently():
            return [
                self._resend(record) if outcome.status == Status.DONE else outcome
                for record, outcome in zip(records, self._named(records, job), strict=True)
            ]

    def _in_the_other_shape(self, records: Sequence[Record], told: Sequence[Outcome]) -> dict[int, Outcome]:
        """The outcomes, by id, of those that were sent again since it wasn't known how addresses must be given.

        The first of them goes by itself, and, where only text will do, the others.
        """
        refused = self._refused_for_their_shape(records, told)
        if not refused:
            return {}
        first, *others = refused
        again = {first.id: self._send_alone(first)}
        if self.context.emails.is_text:
            again |= dict(zip((record.id for record in others), self._push(others, self._send_alone), strict=True))
        return again

    def _refused_for_their_shape(self, records: Sequence[Record], told: Sequence[Outcome]) -> list[Record]:
        """The contacts with new addresses, where all were refused and it isn't known how addresses must be given."""
        emails = self.context.emails
        if emails.is_known or self.entity != "contact":
            return []
        new = [(record, outcome) for record, outcome in zip(records, told, strict=True) if "email" in record.fields]
        emails.is_known = any(outcome.status == Status.DONE for _, outcome in new)
        return [] if emails.is_known else [record for record, _ in new]

    def _count(self, told: Sequence[tuple[Record, Outcome]]) -> None:
        refusals = self.context.refusals
        if refusals is None:
            return
        for record, outcome in told:
            if outcome.status == Status.FAILED:
                refusals.refused(record, outcome.message or "")
            else:
                refusals.accepted(record)

    def _may_go_without_a_field(self, record: Record, outcome: Outcome) -> bool:
        """Whether a refusal names a field without which the record may be taken, sent by itself."""
        if outcome.status != Status.FAILED or self.context.strict:
            return False
        attributes = self.attributes(record)
        return named_field(self.context.catalog, record, attributes, outcome.message or "") is not None

    def _told(self, records: Sequence[Record], job: Job) -> list[Outcome] | None:
        """What became of each record, or None where the job names fewer failures than it counts."""
        outcomes = self._named(records, job)
        named = sum(outcome.status == Status.FAILED for outcome in outcomes)
        return None if job.failed and named < job.failed else outcomes

    def _named(self, records: Sequence[Record], job: Job) -> list[Outcome]:
        refusals: dict[str, str] = {}
        for identifier, messages in job.failures:
            for value in identifier.values():
                refusals[str(value).strip().casefold()] = "; ".join(messages)
        outcomes = []
        for record in records:
            keys = (str(record.remote_id), record.key.strip().casefold())
            refusal = next((refusals[key] for key in keys if key in refusals), None)
            outcomes.append(
                Outcome(Status.DONE)
                if refusal is None
                else Outcome(Status.FAILED, code=Code.REFUSED, message=refusal or "refused", http_status=400)
            )
        return outcomes
