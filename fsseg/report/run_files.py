"""Everything that a run leaves for people and programs to read, written in one go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec import to_builtins

from fsseg.report.changes import Sample
from fsseg.report.changes_file import write_changes
from fsseg.report.files import read_lines, write_summary
from fsseg.report.formats.html import write_html
from fsseg.report.summary import summary, write_failures
from fsseg.state.outcomes import Totals
from fsseg.state.plan_store import Store
from fsseg.state.run_folder import Run


class Written(NamedTuple):
    """The summary, and the first changes."""

    summary: dict[str, Any]
    sample: Sample


def write_run_files(
    run: Run,
    store: Store,
    totals: Totals,
    head: dict[str, Any],
    requests: dict[str, Any],
    exit_code: Callable[[dict[str, int]], int],
) -> Written:
    """Write changes.jsonl, failures.jsonl, failures.csv, summary.json and report.html.

    `head` is what the summary begins with; `exit_code` tells it from how many events had which outcome.
    """
    sample = write_changes(run, store)
    lost = write_failures(run, store, totals)
    found = summary(store, totals, head) | {"requests": requests}
    for row in found["inputs"]:
        row |= {"lost": lost[row["path"]]} if row["path"] in lost else {}
    if forecast := store.meta.forecast:
        found["forecast"] = to_builtins(forecast)
    found["exit_code"] = exit_code(found["events"]["outcomes"])
    write_summary(run.summary_path, found)
    write_html(run.folder / "report.html", found, sample, read_lines(run.failures), run_dir=run.folder)
    return Written(found, sample)
