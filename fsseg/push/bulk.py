"""Bulk upsert: 100 records a request, one job at a time, each refusal tied back to its record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fsseg.freshsales.errors import FreshsalesError, NoBulk, NotFound, Unavailable
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Job
from fsseg.push.context import PushContext
from fsseg.push.journal import ends_the_push, try_lookup
from fsseg.push.outcome import Outcome, failed
from fsseg.state.actions import Status
from fsseg.state.plan_store import Record

MAX_BATCH = 100
"""Records a call."""

MIN_BULK = 4
"""Records from which a bulk call, its polls and the reading of the ids cost less than a request each."""

JOB_TIMEOUT_S = 600.0
"""Seconds after which a job that still runs is given up."""

UNKNOWN_JOB_WAIT_S = 5.0
"""Seconds for a job to end whose number was never learnt, as the process ended between request and answer."""

MIN_POLL_S = 0.2
"""Seconds before a job is asked about for the first time, at the least: an unneeded poll costs a request."""

JOB = "job"
"""Under this name the store keeps the job that was started last, until it has ended."""

Attributes = Callable[[Record], dict[str, Any]]
Act = Callable[[Record], Outcome]


@dataclass
class Bulk:
    """Bulk upsert of one entity. `single` sends one record by itself, `recover` looks for one that a job may have made.

    `pause` is how long the next job is left alone before it is asked about.
    """

    context: PushContext
    entity: Entity
    identifier: str
    attributes: Attributes
    single: Act
    recover: Act
    pause: float = 0.5
    available: bool = True

    def await_earlier(self) -> None:
        """Let the job end that was running when an earlier push ended, so that nothing appears behind our back."""
        job = self.context.store.get(JOB)
        if not job or job["entity"] != self.entity:
            return
        if job["id"] is None:
            self.context.pause(UNKNOWN_JOB_WAIT_S)
        else:
            with suppress(NotFound):  # forgotten, so it has ended
                self._wait(job["id"])
        self._note(None)

    def push(self, records: Sequence[Record]) -> list[Outcome]:
        """The outcomes of `records`, in order. A batch that dies is halved until the guilty record is alone.

        Raises what ends the push.
        """
        return self._push(records, self._alone)

    def _push(self, records: Sequence[Record], alone: Act) -> list[Outcome]:
        if not self.available or len(records) < MIN_BULK:
            return [alone(record) for record in records]
        job = None
        try:
            job = self._run(records)
        except NoBulk:
            self.available = False
            return [alone(record) for record in records]
        except FreshsalesError as error:
            if ends_the_push(error):
                raise
        if job is None or job.status == "failed":
            middle = len(records) // 2
            return self._push(records[:middle], self._again) + self._push(records[middle:], self._again)
        return self._tell(records, job)

    def _alone(self, record: Record) -> Outcome:
        try:
            return self.single(record)
        except FreshsalesError as error:
            if ends_the_push(error):
                raise
            return failed(error)

    def _again(self, record: Record) -> Outcome:
        """Send by itself what a job that failed may have written all the same."""
        found = try_lookup(self.recover, record)
        if found.status != Status.PLANNED:
            return found
        return self._alone(record.known_as(found.remote_id or record.remote_id))

    def _run(self, records: Sequence[Record]) -> Job | None:
        items = []
        for record in records:
            key = {"id": str(record.remote_id)} if record.remote_id else {self.identifier: record.key}
            items.append(key | {"data": self.attributes(record)})
        self._note({"entity": self.entity, "id": None})
        job_id = self.context.writer.bulk_upsert(self.entity, items)
        self._note({"entity": self.entity, "id": job_id})
        job = self._wait(job_id)
        self._note(None)
        return job

    def _note(self, job: dict[str, Any] | None) -> None:
        self.context.store.put(JOB, job)

    def _wait(self, job_id: str) -> Job | None:
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
                # A job that had ended at the first look may have ended long before: the next look comes sooner.
                self.pause = max(MIN_POLL_S, 0.8 * pause) if pause == self.pause else waited
                return job
            pause = min(pause * 1.5, 30.0)
        return None

    def _tell(self, records: Sequence[Record], job: Job) -> list[Outcome]:
        refused: dict[str, str] = {}
        for identifier, messages in job.failures:
            for value in identifier.values():
                refused[str(value).strip().casefold()] = "; ".join(messages)
        outcomes = []
        for record in records:
            keys = (str(record.remote_id), record.key.strip().casefold())
            said = next((refused[key] for key in keys if key in refused), None)
            outcomes.append(
                Outcome(Status.DONE)
                if said is None
                else Outcome(Status.FAILED, code="refused", message=said or "refused", http_status=400)
            )
        if job.failed and sum(outcome.status == Status.FAILED for outcome in outcomes) < job.failed:
            # The report names fewer than it counts: what it kept to itself is found out one by one.
            return [
                self._again(record) if outcome.status == Status.DONE else outcome
                for record, outcome in zip(records, outcomes, strict=True)
            ]
        return outcomes
