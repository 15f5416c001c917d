"""Bulk upsert: many records a request, one job at a time, each refusal tied back to its record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fsseg.freshsales.errors import FreshsalesError, NoBulk, NotFound, Unavailable
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Job
from fsseg.freshsales.sizes import MIN_BULK
from fsseg.push.context import PushContext
from fsseg.push.journal import ends_the_push, try_lookup
from fsseg.push.outcome import Outcome, failed
from fsseg.state.actions import Code, Status
from fsseg.state.plan_store import Record
from fsseg.state.run_meta import BulkJob

JOB_TIMEOUT_S = 600.0
"""Seconds after which a job that still runs is given up."""

UNKNOWN_JOB_WAIT_S = 5.0
"""Seconds for a job to end whose id was never learnt, as the process ended between request and answer."""

MIN_POLL_S = 0.2
"""Seconds before a job is asked about for the first time, at the least: an unneeded poll costs a request."""

Attributes = Callable[[Record], dict[str, Any]]
Act = Callable[[Record], Outcome]


@dataclass
class Bulk:
    """Bulk upsert of one entity. `send` sends one record by itself, `recover` looks for one that a job may have made.

    `pause` is how long the next job is left alone before it is asked about.
    """

    context: PushContext
    entity: Entity
    identifier: str
    attributes: Attributes
    send: Act
    recover: Act
    pause: float = 0.5
    available: bool = True

    def await_earlier(self) -> None:
        """Let the job end that was running when an earlier push ended, so that nothing appears behind our back."""
        job = self.context.store.meta.job
        if job is None or job.entity != self.entity:
            return
        if job.id is None:
            self.context.pause(UNKNOWN_JOB_WAIT_S)
        else:
            with suppress(NotFound):  # forgotten, so it has ended
                self._await_job(job.id)
        self._save_job(None)

    def push(self, records: Sequence[Record]) -> list[Outcome]:
        """The outcomes of `records`, in order. Raises what ends the push."""
        return self._push(records, self._send_alone)

    def _push(self, records: Sequence[Record], send_alone: Act) -> list[Outcome]:
        if not self.available or len(records) < MIN_BULK:
            return [send_alone(record) for record in records]
        job = None
        try:
            job = self._run_job(records)
        except NoBulk:
            self.available = False
            return [send_alone(record) for record in records]
        except FreshsalesError as error:
            if ends_the_push(error):
                raise
        if job is None or job.status == "failed":
            # One poisonous record can fail a whole job: halving it finds the record in few requests.
            middle = len(records) // 2
            return self._push(records[:middle], self._resend) + self._push(records[middle:], self._resend)
        return self._outcomes(records, job)

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
        return self._send_alone(record.known_as(outcome.remote_id or record.remote_id))

    def _run_job(self, records: Sequence[Record]) -> Job | None:
        items = []
        for record in records:
            key = {"id": str(record.remote_id)} if record.remote_id else {self.identifier: record.key}
            items.append(key | {"data": self.attributes(record)})
        # Saved before there is an id, so that a resumption knows of a job even if its answer never arrived.
        self._save_job(BulkJob(self.entity, None))
        job_id = self.context.writer.bulk_upsert(self.entity, items)
        self._save_job(BulkJob(self.entity, job_id))
        job = self._await_job(job_id)
        self._save_job(None)
        return job

    def _save_job(self, job: BulkJob | None) -> None:
        self.context.store.meta.job = job

    def _await_job(self, job_id: str) -> Job | None:
        """The job once it has ended, None if it takes too long. A poll that fails is one poll less."""
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
            pause = min(pause * 1.5, 30.0)
        return None

    def _outcomes(self, records: Sequence[Record], job: Job) -> list[Outcome]:
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
        if job.failed and sum(outcome.status == Status.FAILED for outcome in outcomes) < job.failed:
            # The report names fewer than it counts: what it kept to itself is found out one by one.
            return [
                self._resend(record) if outcome.status == Status.DONE else outcome
                for record, outcome in zip(records, outcomes, strict=True)
            ]
        return outcomes
