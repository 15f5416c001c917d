"""Everything that a run leaves for people and programs to read, written in one go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import to_builtins

from fsseg.exit_codes import ExitCode
from fsseg.report.changes import Sample
from fsseg.report.changes_file import ChangesFile
from fsseg.report.files import read_lines, write_summary
from fsseg.report.labels import activity_type_names
from fsseg.report.summary import summarise, write_failures
from fsseg.state.outcomes import Totals
from fsseg.state.overview import overview
from fsseg.state.plan_store import Store
from fsseg.state.run_folder import Run

MOST_EVENTS = 1_000
"""Names of events that the summary has, the most frequent ones."""

ExitCodeOf = Callable[[dict[str, int]], int]
"""Tells the exit code from how many events had which outcome."""


class Written(NamedTuple):
    """The summary, and the first changes."""

    summary: dict[str, Any]
    sample: Sample


def write_run_files(
    run: Run,
    store: Store,
    changes: ChangesFile,
    totals: Totals,
    head: dict[str, Any],
    requests: dict[str, Any],
    exit_code: ExitCodeOf,
) -> Written:
    """Finish changes.jsonl, write failures.jsonl, failures.csv, summary.json and report.html.

    `head` is what the summary begins with.
    """
    lost = write_failures(run, store, totals)
    summary = summarise(store, totals, head) | {"requests": requests}
    for row in summary["inputs"]:
        row |= {"lost": lost[row["path"]]} if row["path"] in lost else {}
    if forecast := store.meta.first_forecast or store.meta.forecast:
        summary["forecast"] = to_builtins(forecast)
    summary |= _traffic(store)
    summary["exit_code"] = exit_code(summary["events"]["outcomes"])
    from fsseg.report.formats.html import template, write_html

    template()  # read while other processes write the changes
    made = changes.finish()
    is_refused = summary["exit_code"] == ExitCode.BRAKE and not head["dry_run"]
    summary["fields"] = _to_update(store) if is_refused else _by_field(made.sample)
    summary["entries"] = _by_event(made.sample, head["edition"], run.account_folder)
    write_summary(run.summary_path, summary)
    write_html(run.folder / "report.html", summary, made.packed, read_lines(run.failures), run_dir=run.folder)
    return Written(summary, made.sample)


def _by_field(sample: Sample) -> dict[str, dict[str, dict[str, int]]]:
    """How many records get a value in each field, and how many lose it: by entity and field, the most first."""
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for (entity, field, is_emptied), count in sample.fields.most_common():
        of_field = counts.setdefault(entity, {}).setdefault(field, {"set": 0, "cleared": 0})
        of_field["cleared" if is_emptied else "set"] += count
    return counts


def _to_update(store: Store) -> dict[str, dict[str, dict[str, int]]]:
    """The same of the records that the plan would still update, which is what the brake refuses."""
    counts: dict[str, dict[str, dict[str, int]]] = {}
    planned = overview(store)
    for (entity, field), count in planned.touched.items():
        cleared = planned.cleared.get((entity, field), 0)
        counts.setdefault(entity, {})[field] = {"set": count - cleared, "cleared": cleared}
    return counts


def _by_event(sample: Sample, edition: str, account: Path) -> list[dict[str, Any]]:
    """How many timeline entries each event became, on which way, and of which type of sales activity."""
    names = activity_type_names(edition, account)
    counted = sorted(sample.entries.items(), key=lambda row: (-row[1], row[0][0], row[0][1], row[0][2] or 0))
    return [
        {"event": event, "via": via, "type": names.get(type_id or 0), "count": count}
        for (event, via, type_id), count in counted[:MOST_EVENTS]
    ]


def _traffic(store: Store) -> dict[str, Any]:
    """Requests by steps of time, those without any among them, and the waits; nothing where none was sent."""
    traffic = store.meta.traffic
    if not traffic.sent:
        return {}
    first, last = min(traffic.sent), max(traffic.sent)
    return {
        "traffic": {
            "step_s": traffic.step_s,
            "from": _time(first * traffic.step_s),
            "sent": [traffic.sent.get(step, 0) for step in range(first, last + 1)],
            "waits": [
                {"from": _time(begin), "to": _time(end), "reason": reason} for begin, end, reason in traffic.waits
            ],
        }
    }


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
