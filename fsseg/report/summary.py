"""The files that a run leaves behind, from its store: summary.json, changes.jsonl, failures.jsonl and failures.csv."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from fsseg.match.remote_record import HELD_BY, silent
from fsseg.report.files import JsonLines, read_lines
from fsseg.report.formats.csv_table import write_csv
from fsseg.report.reasons import REASONS, WARNINGS
from fsseg.segment import json_codec
from fsseg.segment.event import POSITION_BITS
from fsseg.state.input_files import IMPORTED
from fsseg.state.outcomes import Totals
from fsseg.state.plan_store import REFERENCE, Record, Store
from fsseg.state.run_folder import Run
from fsseg.state.source_events import items_at

SCHEMA = 1
ENTITIES = ("lead", "contact", "account", "deal", "timeline")

Change = dict[str, Any]


def summary(store: Store, totals: Totals, head: dict[str, Any]) -> dict[str, Any]:
    """The object of summary.json: `head` (run, account, times, exit code, requests) and everything that is counted."""
    counts: dict[str, Any] = store.get("counts", {})
    outcomes = Counter(dict.fromkeys(("applied", "unchanged", "skipped", "rejected", "failed", "pending"), 0))
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
            for (outcome, code), count in sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
        ],
        "warnings": _warnings(store, counts.get("warnings", [])),
    }


def _records(store: Store, dry_run: bool) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {entity: Counter() for entity in ENTITIES}
    rows = store.db.execute(
        "SELECT entity, action, status, count(*) FROM record WHERE action IS NOT ? GROUP BY 1, 2, 3"
        " UNION ALL SELECT 'timeline', action, status, count(*) FROM entry WHERE head IS NULL GROUP BY 1, 2, 3",
        (REFERENCE,),
    )
    for entity, action, status, count in rows:
        written = action in ("create", "update", "delete")
        pending = written and status in ("planned", "sent") and not dry_run
        failed = written and status in ("failed", "unknown")
        found[entity or "lead"]["failed" if failed else "pending" if pending else action or "pending"] += count
    return {entity: dict(counter) for entity, counter in found.items()}


def _warnings(store: Store, mapped: list[dict[str, Any]]) -> list[dict[str, Any]]:
    counted: Counter[tuple[str, str]] = Counter()
    for text, count in store.db.execute(
        "SELECT w.value, count(*) FROM record r, json_each(r.warnings) w GROUP BY w.value"
        " UNION ALL SELECT code, count(*) FROM entry WHERE code = 'created' GROUP BY 1"
    ):
        code, _, name = text.partition(": ")
        counted[code, name] += count
    told = [
        {"code": code, "name": name, "count": count, "hint": WARNINGS[code].hint if code in WARNINGS else ""}
        for (code, name), count in counted.items()
    ]
    mapped = [row | {"hint": row["hint"] or WARNINGS[row["code"]].hint} for row in mapped]
    return sorted([*mapped, *told], key=lambda row: (-row["count"], row["code"], row["name"]))


def _cell(record: Record, name: str, before: Any, after: Any) -> dict[str, Any]:
    """What changes of one field; `before` is absent where the record is there, but the field could not be read."""
    unread = record.existing is not None and before in (None, []) and silent(record.existing, HELD_BY.get(name, name))
    return {"after": after} if unread else {"before": before, "after": after}


def _refusal(record: Record) -> list[str]:
    """Why nothing of it was written, in Freshsales' words if there are any."""
    if record.action == "conflict":
        return [record.code] if record.code else []
    if record.status not in ("failed", "unknown") or not record.code:
        return []
    return [f"{record.code}: {record.message}" if record.message else record.code]


def changes(store: Store) -> Iterator[Change]:
    """The lines of changes.jsonl: accounts, people and deals, then the timeline; conflicts and unchanged ones too."""
    for entity in ENTITIES[:-1]:
        for record in store.records("entity = ? AND action IS NOT ?", (entity, REFERENCE)):
            yield {
                "action": record.action,
                "entity": record.entity,
                "key": record.key,
                "id": record.remote_id,
                "fields": {name: _cell(record, name, *values) for name, values in record.fields.items()},
                "warnings": record.warnings + _refusal(record),
            }

    @lru_cache(10_000)
    def key_of(person: int) -> str:
        return str(store.db.execute("SELECT key FROM record WHERE id = ?", (person,)).fetchone()[0])

    for entry in store.entries("head IS NULL"):
        fields = {"title": entry.payload["name"], "via": entry.payload["via"], "start_date": f"{entry.time}Z"}
        yield {
            "action": entry.action,
            "entity": "timeline",
            "key": key_of(entry.person) if entry.person else entry.email or (entry.key or "?")[1:],
            "id": entry.remote_id,
            "fields": {name: {"before": None, "after": after} for name, after in fields.items()}
            if entry.action == "create"
            else {},
            "warnings": [entry.code] if entry.code else [],
        }


def write_changes(run: Run, store: Store) -> None:
    """Write changes.jsonl anew."""
    with JsonLines(run.changes, fresh=True) as lines:
        for change in changes(store):
            lines.write(change)


def write_failures(run: Run, store: Store, totals: Totals) -> int:
    """Write failures.jsonl and failures.csv anew, every event whole; no files where nothing failed. How many did."""
    with JsonLines(run.failures, fresh=True) as lines:
        shown = dict(store.db.execute("SELECT number, shown FROM input"))
        rejects = "SELECT position, line, code, message, event, raw FROM reject ORDER BY position"
        for position, line, code, message, event, raw in store.db.execute(rejects):
            about = _about(shown[position >> POSITION_BITS], line or 0, code, message, None)
            if event is None:
                about["raw"] = raw
            lines.write({**json_codec.loads((event or "{}").encode()), "_fsseg": about})
        for failed in _failed(store, shown, totals):
            lines.write(failed)
        written = lines.written
    if written:
        write_csv(run.folder / "failures.csv", read_lines(run.failures))
    else:
        run.failures.unlink()
        (run.folder / "failures.csv").unlink(missing_ok=True)
    return written


def _about(file: str, line: int, code: str, message: str | None, status: int | None) -> dict[str, Any]:
    reason = REASONS[code]
    return {
        "file": file, "line": line, "stage": reason.stage, "code": code, "message": message or reason.hint,
        "hint": reason.hint, "retryable": reason.retryable, "status": status,
    }  # fmt: skip


def _failed(store: Store, shown: dict[int, str], totals: Totals) -> Iterator[dict[str, Any]]:
    """The events that failed after they were mapped."""
    failed = (at for at in totals.failures if totals.outcome(at) in ("rejected", "failed"))
    for position, item in items_at(store, failed):
        about = _about(shown[position >> POSITION_BITS], item.line if item else 0, *totals.failures[position])
        if item is None:
            about["raw"] = None
        yield {**((item.original if item else None) or {}), "_fsseg": about}
