"""Bulk upsert: 100 records a request, one job at a time, each refusal tied back to its record."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fsseg.freshsales.errors import FreshsalesError, Halted, NoBulk, RateLimited, Refused, Stop, Unavailable
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Job
from fsseg.plan.store import Record
from fsseg.push.outcome import DONE, FAILED, Outcome, failed
from fsseg.push.work import Work

MOST = 100
"""Records a call."""

WORTH = 4
"""Records from which a bulk call, its polls and the reading of the ids cost less than a request each."""

DEADLINE = 600.0
"""Seconds after which a job that still runs is given up."""

Attributes = Callable[[Record], dict[str, Any]]


@dataclass
class Bulk:
    """Bulk upsert of one entity. `pause` is how long the next job is left alone before it is asked about."""

    work: Work
    entity: Entity
    identifier: str
    attributes: Attributes
    sleep: Callable[[float], None]
    single: Callable[[Record], Outcome]
    pause: float = 0.5
    available: bool = True

    def push(self, records: Sequence[Record]) -> list[Outcome]:
        """The outcomes of `records`, in order. A batch that dies is halved until the guilty record is alone.

        Raises `Halted` and `Stop`.
        """
        if not self.available or len(records) < WORTH:
            return [self._alone(record) for record in records]
        try:
            job = self._run(records)
        except NoBulk:
            self.available = False
            return [self._alone(record) for record in records]
        except (Halted, Stop, RateLimited):
            raise
        except (Refused, Unavailable):
            job = None
        if job is None or job.status == "failed":
            middle = len(records) // 2
            return self.push(records[:middle]) + self.push(records[middle:])
        return self._tell(records, job)

    def _alone(self, record: Record) -> Outcome:
        try:
            return self.single(record)
        except (Halted, Stop, RateLimited):
            raise
        except FreshsalesError as error:
            return failed(error)

    def _run(self, records: Sequence[Record]) -> Job | None:
        items = []
        for record in records:
            key = {"id": str(record.remote_id)} if record.remote_id else {self.identifier: record.key}
            items.append(key | {"data": self.attributes(record)})
        job_id = self.work.writer.bulk_upsert(self.entity, items)
        waited, pause = 0.0, self.pause
        started = time.monotonic()
        while waited < DEADLINE:
            self.sleep(pause)
            waited += pause
            job = self.work.reader.job(job_id)
            if job.status != "running":
                self.pause = max(0.05, min(30.0, (time.monotonic() - started) if pause == self.pause else waited))
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
                Outcome(DONE)
                if said is None
                else Outcome(FAILED, code="refused", message=said or "refused", http_status=400)
            )
        if job.failed and sum(outcome.status == FAILED for outcome in outcomes) < job.failed:
            # The report names fewer than it counts: what it kept to itself is found out one by one.
            return [
                self._alone(record) if outcome.status == DONE else outcome
                for record, outcome in zip(records, outcomes, strict=True)
            ]
        return outcomes
