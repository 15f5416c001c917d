"""The state of an asynchronous job, such as a bulk upsert, read from all the shapes seen."""

from __future__ import annotations

import re
from typing import Any, Literal

import orjson
from msgspec import Struct

from fsseg.freshsales.responses import Answer, Row

JobStatus = Literal["running", "done", "failed"]

# Only SUCCESS is on record; the other words are guessed, and what no word decides is decided by the progress.
_DONE = {"success", "succeeded", "successful", "complete", "completed", "finished", "done"}
_FAILED = re.compile("fail|error|abort|cancel|unsuccess", re.IGNORECASE)


class Job(Struct, frozen=True):
    """A job's state: `progress` in percent, counts where told.

    `failures`: for each record that failed the identifier it was sent with (`{"emails": "a@b.example"}`) and what
    Freshsales says. A job that is done may hold failures. Ids of the records touched are never told.
    """

    status: JobStatus
    progress: float | None
    succeeded: int | None
    failed: int | None
    failures: list[tuple[Row, list[str]]]


def read(answer: Answer) -> Job:
    """The job of `GET /job_statuses/{id}`, whose `data` may be an object, the same as JSON text, null or empty."""
    body = answer.object()
    if not isinstance(body.get("status"), str):
        raise answer.bad("status")
    progress = body.get("progress")
    progress = float(progress) if isinstance(progress, int | float) else None
    data = _object(answer, body.get("data"), "data")
    counts = _object(answer, data.get("record_status"), "record_status")
    report = data.get("detailed_failure_report") or []
    if not isinstance(report, list) or not all(isinstance(row, dict) for row in report):
        raise answer.bad("readable failure report")
    return Job(
        status=_status(body["status"], progress),
        progress=progress,
        succeeded=_count(counts.get("succeeded")),
        failed=_count(counts.get("failed")),
        failures=[_failure(row) for row in report],
    )


def _status(word: str, progress: float | None) -> JobStatus:
    if _DONE & set(re.split(r"[^a-z]+", word.lower())):
        return "done"
    if _FAILED.search(word):
        return "failed"
    return "done" if progress is not None and progress >= 100 else "running"


def _object(answer: Answer, value: Any, name: str) -> Row:
    if isinstance(value, str) and value.strip():
        try:
            value = orjson.loads(value)
        except ValueError:
            raise answer.bad(f"readable {name}") from None
    if not value:
        return {}
    if not isinstance(value, dict):
        raise answer.bad(f"readable {name}")
    return value


def _count(value: Any) -> int | None:
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else None


def _failure(row: Row) -> tuple[Row, list[str]]:
    message = row.get("error_message")
    messages = [message] if isinstance(message, str) else message if isinstance(message, list) else []
    identifier = {key: value for key, value in row.items() if key != "error_message"}
    return identifier, [text if isinstance(text, str) else orjson.dumps(text).decode() for text in messages]
