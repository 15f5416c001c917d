"""The files that a run leaves behind, from its store: summary.json, changes.jsonl, failures.jsonl and failures.csv."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson

from fsseg.freshsales.names import Entity
from fsseg.match.remote_record import HELD_BY, silent
from fsseg.report.changes import Change, Sample
from fsseg.report.files import JsonLines, read_lines
from fsseg.report.formats.csv_table import write_csv
from fsseg.report.model import ENTITIES, OUTCOMES, Summary
from fsseg.report.reasons import REASONS, WARNINGS
from fsseg.segment import json_codec
from fsseg.segment.event import POSITION_BITS
from fsseg.state.input_files import IMPORTED
from fsseg.state.outcomes import Totals
from fsseg.state.plan_store import REFERENCE, Decided, Store
from fsseg.state.run_folder import Run
from fsseg.state.source_events import items_at, keys_at

SCHEMA = 1
TIMELINE: Entity = "timeline"
RECORDS = tuple(entity for entity in ENTITIES if entity != TIMELINE)

LOST = "lost"
"""What a line of failures.jsonl has instead of the event where that can't be read again."""


def summary(store: Store, totals: Totals, head: dict[str, Any]) -> Summary:
    """The object of summary.json: `head` (run, account, times, exit code, requests) and everything that is counted."""
    counts: dict[str, Any] = store.get("counts", {})
    outcomes = Counter(dict.fromkeys(OUTCOMES, 0))
    outcomes.update(totals.outcomes)
    reasons = Counter(totals.reasons)
    for outcome, code, count in counts.get("reasons", ()):
        outcomes[outcome] += count
        reasons[outcome, code] += count
    inputs = store.db.execute("SELECT shown, container, sum(events) FROM input GROUP BY shown ORDER BY min(number)")
    imported: dict[str, str] = store.get(IMPORTED, {})
    return {
        "schema": SCHEMA,
        **head,
        "inputs": [
            {"path": path, "container": container or "", "events": events or 0}
            | ({"imported_by": imported[path]} if path in imported else {})
            for path, container, events in inputs
        ],
        "events": {"read": counts.get("read", 0), "by_type": counts.get("by_type", {}), "outcomes": dict(outcomes)},
        "records": _records(store, head["dry_run"]),
        "reasons": [
            {"code": code, "stage": REASONS[code].stage, "outcome": outcome, "count": count, "hint": REASONS[code].hint}
            for (outcome, code), count in sorted(reasons.items(), key=lambda counted: (-counted[1], counted[0]))
        ],
        "warnings": _warnings(store, counts.get("warnings", [])),
    }


def _records(store: Store, dry_run: bool) -> dict[str, dict[str, int]]:
    by_entity: dict[str, Counter[str]] = {entity: Counter() for entity in ENTITIES}
    rows = store.db.execute(
        "SELECT entity, action, status, count(*) FROM record WHERE action IS NOT ? GROUP BY 1, 2, 3"
        " UNION ALL SELECT 'timeline', action, status, count(*) FROM entry WHERE head IS NULL GROUP BY 1, 2, 3",
        (REFERENCE,),
    )
    for entity, action, status, count in rows:
        written = action in ("create", "update", "delete")
        pending = written and status in ("planned", "sent") and not dry_run
        failed = written and status in ("failed", "unknown")
        by_entity[entity or "lead"]["failed" if failed else "pending" if pending else action or "pending"] += count
    return {entity: dict(counter) for entity, counter in by_entity.items()}


def _warnings(store: Store, mapped: list[dict[str, Any]]) -> list[dict[str, Any]]:
    counted: Counter[tuple[str, str]] = Counter()
    for text, count in store.db.execute(
        "SELECT w.value, count(*) FROM record r, json_each(r.warnings) w GROUP BY w.value"
        " UNION ALL SELECT code, count(*) FROM entry WHERE code = 'created' GROUP BY 1"
    ):
        code, _, name = text.partition(": ")
        counted[code, name] += count
    matched = [
        {"code": code, "name": name, "count": count, "hint": WARNINGS[code].hint if code in WARNINGS else ""}
        for (code, name), count in counted.items()
    ]
    mapped = [row | {"hint": row["hint"] or WARNINGS[row["code"]].hint} for row in mapped]
    return sorted([*mapped, *matched], key=lambda row: (-row["count"], row["code"], row["name"]))


def _cells(store: Store, row: Decided) -> dict[str, Any]:
    """What changes of each field; `before` is absent where the record is there, but the field could not be read."""
    fields = orjson.loads(row.fields)
    unsure = [name for name, (before, _) in fields.items() if before in (None, [])] if row.exists else []
    existing = store.existing(row.id) if unsure else {}
    unread = {name for name in unsure if silent(existing, HELD_BY.get(name, name))}
    return {
        name: {"after": after} if name in unread else {"before": before, "after": after}
        for name, (before, after) in fields.items()
    }


def _refusal(row: Decided) -> list[str]:
    """Why nothing of it was written, in Freshsales' words if there are any."""
    if row.action == "conflict":
        return [row.code] if row.code else []
    if row.status not in ("failed", "unknown") or not row.code:
        return []
    return [f"{row.code}: {row.message}" if row.message else row.code]


def changes(store: Store) -> Iterator[Change]:
    """The lines of changes.jsonl, conflicts and unchanged records among them: first the records, then the timeline."""
    for entity in RECORDS:
        for row in store.decided(entity):
            yield {
                "action": row.action,
                "entity": row.entity,
                "key": row.key,
                "id": row.remote_id,
                "fields": {} if row.fields == "{}" else _cells(store, row),
                "warnings": orjson.loads(row.warnings) + _refusal(row),
            }
    for action, id, time, payload, code, key in store.timeline():
        fields = {}
        if action == "create":
            entry = json_codec.loads(payload)
            shown = {"title": entry["name"], "via": entry["via"], "start_date": f"{time}Z"}
            fields = {name: {"before": None, "after": after} for name, after in shown.items()}
        warnings = [code] if code else []
        yield {"action": action, "entity": TIMELINE, "key": key, "id": id, "fields": fields, "warnings": warnings}


def write_changes(run: Run, store: Store) -> Sample:
    """Write changes.jsonl anew, and return the first changes and how many there are."""
    sample = Sample()
    with JsonLines(run.changes) as lines:
        for change in changes(store):
            lines.write(change)
            sample.add(change)
    return sample


def write_failures(run: Run, store: Store, totals: Totals) -> dict[str, int]:
    """Write failures.jsonl and failures.csv anew, every event whole; no files where nothing failed.

    Of files that have changed since they were read, how many events could not be given.
    """
    lost: Counter[str] = Counter()
    with JsonLines(run.failures) as lines:
        shown = dict(store.db.execute("SELECT number, shown FROM input"))
        rejects = "SELECT position, line, code, message, event, raw FROM reject ORDER BY position"
        for position, line, code, message, event, raw in store.db.execute(rejects):
            about = _about(shown[position >> POSITION_BITS], line, code, message, None)
            if event is None and raw is None:
                about |= _lost(None)
            elif event is None:
                about["raw"] = raw
            lines.write({**json_codec.loads((event or "{}").encode()), "_fsseg": about})
            lost[about["file"]] += LOST in about
        for failed in _failed(store, shown, totals):
            lines.write(failed)
            lost[failed["_fsseg"]["file"]] += LOST in failed["_fsseg"]
        written = lines.written
    if written:
        write_csv(run.folder / "failures.csv", read_lines(run.failures))
    else:
        run.failures.unlink()
        (run.folder / "failures.csv").unlink(missing_ok=True)
    return +lost


def _lost(key: str | None) -> dict[str, Any]:
    return {"key": key, LOST: "the file has changed since it was read, or is gone, so the event can't be given"}


def _about(file: str, line: int | None, code: str, message: str | None, status: int | None) -> dict[str, Any]:
    reason = REASONS[code]
    return {
        "file": file, "line": line, "stage": reason.stage, "code": code, "message": message or reason.hint,
        "hint": reason.hint, "retryable": reason.retryable, "status": status,
    }  # fmt: skip


def _failed(store: Store, shown: dict[int, str], totals: Totals) -> Iterator[dict[str, Any]]:
    """The events that failed after they were mapped."""
    failed = (at for at in totals.failures if totals.outcome(at) in ("rejected", "failed"))
    keys: dict[int, str] | None = None
    for position, item in items_at(store, failed):
        about = _about(shown[position >> POSITION_BITS], item.line if item else None, *totals.failures[position])
        if item is None:
            keys = keys_at(store, totals.failures) if keys is None else keys
            about |= _lost(keys.get(position))
        yield {**((item.original if item else None) or {}), "_fsseg": about}
