"""Bulk writes: bulk_upsert as an asynchronous job with what GET /job_statuses/{id} says of it, and bulk_destroy."""

from __future__ import annotations

import re
import time
from random import Random
from typing import Any

import orjson

from fsseg.sandbox import records, values
from fsseg.sandbox.account import Row
from fsseg.sandbox.messages import Refusal
from fsseg.sandbox.records import IDENTIFIERS, Crm

BATCH = 100


def upsert(crm: Crm, resource: str, body: Any, fails: bool) -> int:
    """Take a bulk_upsert; returns the job's id. `fails` dooms the job. Raises Refusal 400 for a wrong shape."""
    items = body.get(resource) if isinstance(body, dict) else None
    if not isinstance(items, list):
        raise Refusal(400, "bad_body", name=resource)
    if not 1 <= len(items) <= BATCH:
        raise Refusal(400, "batch", value=BATCH)
    for item in items:
        _identifier(resource, item)
    return _accept(crm, resource, {"items": items, "fails": fails})


def destroy(crm: Crm, resource: str, body: Any) -> Row:
    """Delete the records of `selected_ids`, at once; what isn't there is passed over. Raises Refusal 400."""
    ids = body.get("selected_ids") if isinstance(body, dict) else None
    if not isinstance(ids, list) or not ids:
        raise Refusal(400, "bad_body", name="selected_ids")
    for number in {values.record_id("id", item) for item in ids}:
        if crm.store.record(resource, number) is not None:
            crm.store.delete(number)
    return {"message": "The records are deleted."}


def _identifier(resource: str, item: Any) -> tuple[str, Any]:
    if isinstance(item, dict) and len(item) == 2 and isinstance(item.get("data"), dict):
        key = next(name for name in item if name != "data")
        text = isinstance(item[key], str) or (key == "id" and isinstance(item[key], int))
        if key in (*IDENTIFIERS[resource], "id") and text:
            return key, item[key]
    raise Refusal(400, "bad_body", name=resource)


def _accept(crm: Crm, resource: str, payload: Row) -> int:
    number, now, options = crm.store.numbers(), crm.store.now(), crm.options
    crm.store.run(
        "INSERT INTO job VALUES (?, 'upsert', ?, ?, ?, ?, 'open', NULL, ?, ?)",
        (number, resource, orjson.dumps(payload).decode(), time.time() + options.job_seconds, options.job_polls,
         now, now),
    )  # fmt: skip
    return number


def unfinished(crm: Crm) -> int:
    """How many jobs are open."""
    return int(crm.store.one("SELECT count(*) FROM job WHERE status = 'open'")[0])


def work(crm: Crm, rng: Random) -> None:
    """Work off every open job whose time has come."""
    for job in crm.store.all(
        "SELECT * FROM job WHERE status = 'open' AND due <= ? AND polls <= 0 ORDER BY id", (time.time(),)
    ):
        with crm.store.transaction():
            _run(crm, job, rng)


def _run(crm: Crm, job: Any, rng: Random) -> None:
    payload = orjson.loads(job["payload"])
    items, fails = payload["items"], payload.get("fails", False)
    report: list[Row] = []
    for item in rng.sample(items, rng.randrange(len(items))) if fails else items:
        crm.store.run("SAVEPOINT one")
        try:
            _apply(crm, job["resource"], item)
        except Refusal as refusal:
            crm.store.run("ROLLBACK TO one")
            sent = {key: value for key, value in item.items() if key != "data"}
            report.append({**sent, "error_message": [refusal.text(crm.options.language)]})
        crm.store.run("RELEASE one")
    counts = {"succeeded": len(items) - len(report), "failed": len(report)}
    result = None if fails else {"record_status": counts, "detailed_failure_report": report}
    crm.store.run(
        "UPDATE job SET status = ?, result = ?, updated_at = ?, payload = '' WHERE id = ?",
        ("failed" if fails else "done", orjson.dumps(result).decode(), crm.store.now(), job["id"]),
    )


def _apply(crm: Crm, resource: str, item: Row) -> None:
    key, value = _identifier(resource, item)
    number = records.find(crm, resource, key, value)
    if number is not None and any(re.search(one, f"/{resource}/{number}") for one in crm.options.forbidden):
        raise Refusal(403, "forbidden")
    given = item["data"] if number is not None else records.identified(resource, key, value, item["data"])
    records.write(crm, resource, given, number, bulk=True)


def status(crm: Crm, number: int) -> Row:
    """GET /job_statuses/{id}; counts as one poll. Raises Refusal 404."""
    job = crm.store.one("SELECT * FROM job WHERE id = ?", (number,))
    if job is None:
        raise Refusal(404, "not_found")
    if job["status"] == "open":
        crm.store.run("UPDATE job SET polls = polls - 1 WHERE id = ?", (number,))
    words = dict(zip(("open", "done", "failed"), crm.options.job_words, strict=True))
    result = job["result"] and orjson.loads(job["result"])
    if result is not None and crm.options.job_data == "string":
        result = orjson.dumps(result).decode()
    return {
        "status": words[job["status"]],
        "job_type_name": f"bulk_{job['kind']}_{job['resource']}",
        "created_at": values.timestamp(job["created_at"], crm.options),
        "status_updated_at": values.timestamp(job["updated_at"], crm.options),
        "progress": 0 if job["status"] == "open" else 100,
        "data": result,
    }
