"""The files that a run leaves behind, from its store: summary.json, failures.jsonl and failures.csv."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from msgspec import to_builtins

from fsseg.report.changes import unwritten
from fsseg.report.files import JsonLines, read_lines
from fsseg.report.formats.csv_table import write_csv
from fsseg.report.model import ENTITIES, OUTCOMES, Summary
from fsseg.report.reasons import NO_GROUP, REASONS, STITCHED, TRACKING_ONLY, UNKNOWN_EMAIL, WARNINGS
from fsseg.segment import json_codec
from fsseg.segment.event import POSITION_BITS
from fsseg.state.actions import Code, EventOutcome
from fsseg.state.event_days import events_by_time
from fsseg.state.misfits import samples
from fsseg.state.outcomes import Totals
from fsseg.state.plan_store import Store
from fsseg.state.report_rows import count_warnings, input_paths, inputs_of, rejects_of
from fsseg.state.run_folder import Run
from fsseg.state.run_meta import WarningCount
from fsseg.state.source_events import reread

SCHEMA = 1
SAMPLES = 3
"""Values of each trait that the summary shows of those that didn't fit."""

LOST = "lost"
"""What a line of failures.jsonl has instead of the event where that can't be read again."""


def summarise(store: Store, totals: Totals, head: dict[str, Any]) -> Summary:
    """The object of summary.json: `head` (run, account, times, exit code, requests) and everything that is counted."""
    counts = store.meta.counts
    outcomes = Counter(dict.fromkeys(OUTCOMES, 0))
    outcomes.update(totals.outcomes)
    reasons: Counter[tuple[EventOutcome, str]] = Counter(totals.reasons)
    for outcome, code, count in counts.reasons:
        outcomes[outcome] += count
        reasons[outcome, code] += count
    step, by_time = events_by_time(store, totals)
    imported, unreadable, hints = store.meta.imported_by, dict(counts.unreadable), _hints(store)
    return {
        "schema": SCHEMA,
        **head,
        "inputs": [
            {"path": path, "container": container or "", "events": events or 0}
            | ({"imported_by": imported[path]} if path in imported else {})
            | ({"unreadable": unreadable[path]} if path in unreadable else {})
            for path, container, events in inputs_of(store)
        ]
        + [{"path": path, "container": "", "events": 0, "unreadable": why} for path, why in store.meta.unopened],
        "events": {
            "read": counts.read,
            "by_type": counts.by_type,
            "outcomes": {outcome.value: count for outcome, count in outcomes.items()},
            **({"by_time": {"step": step, "from": by_time}} if by_time else {}),
        },
        "records": _records(totals, head["dry_run"]),
        "reasons": [
            {"code": code, "stage": REASONS[code].stage, "outcome": outcome, "count": count, "hint": hints[code]}
            for (outcome, code), count in sorted(reasons.items(), key=lambda counted: (-counted[1], counted[0]))
        ],
        **({"suppression": to_builtins(store.meta.suppression)} if store.meta.suppression else {}),
        "warnings": _warnings(store, counts.warnings),
    }


def _hints(store: Store) -> dict[str, str]:
    """What to do about each reason, in this run.

    Of refusals, what new records lack where all of an entity were refused for that; nothing is advised that was done,
    or wouldn't help.
    """
    hints = {code: reason.hint for code, reason in REASONS.items()}
    if lacking := "; ".join(store.meta.refused_all.values()):
        hints[Code.REFUSED] = lacking
    given = store.meta.settings or {}
    if given.get("create_missing"):
        hints[Code.UNKNOWN_PERSON] = UNKNOWN_EMAIL
    if given.get("stitch_anonymous"):
        hints[Code.ANONYMOUS] = STITCHED
    if given.get("with_group") or not store.meta.counts.by_type.get("group"):
        hints[Code.UNSUPPORTED_TYPE] = NO_GROUP
    if (given.get("timeline") or {}).get("via") == "tracking":
        hints[Code.TIMELINE_UNAVAILABLE] = TRACKING_ONLY
    return hints


def _records(totals: Totals, dry_run: bool) -> dict[str, dict[str, int]]:
    by_entity: dict[str, Counter[str]] = {entity: Counter() for entity in ENTITIES}
    for (entity, action, status), count in totals.records.items():
        column = unwritten(action, status, dry_run) or action
        by_entity[entity or "lead"][str(column)] += count
    return {entity: dict(counter) for entity, counter in by_entity.items()}


def _warnings(store: Store, mapped: list[WarningCount]) -> list[dict[str, Any]]:
    counted: Counter[tuple[str, str]] = Counter()
    hints: dict[tuple[str, str], str] = {}
    for text, count, hint in count_warnings(store):
        code, _, about = text.partition(": ")
        which = code, about.partition(" = ")[0]
        counted[which] += count
        hints[which] = hint or (WARNINGS[code].hint if code in WARNINGS else "")
    of_mapping = [
        to_builtins(row)
        | {"count": row.count + counted.pop((row.code, row.name), 0), "hint": row.hint or WARNINGS[row.code].hint}
        for row in mapped
    ]
    matched = [
        {"code": code, "name": name, "count": count, "hint": hints[code, name]}
        for (code, name), count in counted.items()
    ]
    rows = [*of_mapping, *matched]
    traced = samples(store, SAMPLES) if any(row["code"] == Code.BAD_VALUE for row in rows) else {}
    for row in rows:
        if row["code"] == Code.BAD_VALUE and row["name"] in traced:
            row["samples"] = traced[row["name"]]
    return sorted(rows, key=lambda row: (-row["count"], row["code"], row["name"]))


def write_failures(run: Run, store: Store, totals: Totals) -> dict[str, int]:
    """Write failures.jsonl and failures.csv anew, every event whole; no files where nothing failed.

    Of files that have changed since they were read, how many events could not be given.
    """
    lost: Counter[str] = Counter()
    with JsonLines(run.failures) as lines:
        shown, hints = input_paths(store), _hints(store)
        for position, line, code, message, event, raw in rejects_of(store):
            about = _about(hints[code], shown[position >> POSITION_BITS], line, code, message, None)
            if event is None and raw is None:
                about |= _lost(None)
            elif event is None:
                about["raw"] = raw
            lines.write({**json_codec.loads((event or "{}").encode()), "_fsseg": about})
            lost[about["file"]] += LOST in about
        for failed in _failed(store, shown, totals, hints):
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


def _about(
    hint: str, file: str, line: int | None, code: str, message: str | None, status: int | None
) -> dict[str, Any]:
    reason = REASONS[code]
    return {
        "file": file, "line": line, "stage": reason.stage, "code": code, "message": message or hint,
        "hint": hint, "retryable": reason.retryable, "status": status,
    }  # fmt: skip


def _failed(store: Store, shown: dict[int, str], totals: Totals, hints: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The events that failed after they were mapped."""
    failed = (at for at in totals.failures if totals.outcome(at) in (EventOutcome.REJECTED, EventOutcome.FAILED))
    for position, item in reread(store, failed):
        code, message, status, key = totals.failures[position]
        line = item.line if item else None
        about = _about(hints[code], shown[position >> POSITION_BITS], line, code, message, status)
        about |= {"key": key} if item else _lost(key)
        yield {**((item.original if item else None) or {}), "_fsseg": about}
