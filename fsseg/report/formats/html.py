"""The report as one HTML page that needs nothing else: style, script and data are in it, and nothing is fetched."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from rich.console import Console

from fsseg.exit_codes import ExitCode
from fsseg.figures import counted, number
from fsseg.report.changes import SIGNS, Change
from fsseg.report.console import sanitise, sanitise_json, write
from fsseg.report.formats import Format, Report
from fsseg.report.history import History
from fsseg.report.labels import choice_names, labels, record_addresses
from fsseg.report.model import (
    MOST_INPUTS,
    RESUMABLE,
    Failures,
    Summary,
    came_to_its_end,
    entry_rows,
    exit_code,
    forecast_line,
    headline,
    is_dry,
    is_undo,
    is_void,
    misfit_rows,
    needing_attention,
    not_put_back,
    notes,
    outcome_rows,
    plan_line,
    reason_rows,
    record_table,
    relation,
    request_line,
    total_failures,
    type_parts,
    warning_rows,
    where,
    written_rows,
)
from fsseg.report.next_steps import next_steps, report_command, run_files
from fsseg.report.packed import MOST_BYTES, Packed, pack
from fsseg.report.reasons import WARNINGS
from fsseg.report.show import Show
from fsseg.report.standing import Standing
from fsseg.segment.json_codec import dumps
from fsseg.state.actions import EventOutcome
from fsseg.state.private_file import write_texts

MOST_FAILURE_BYTES = MOST_BYTES // 4
"""Of failed events, which stand in the page whole."""

_SCRIPTS = ("text.js", "data.js", "list.js", "charts.js", "page.js")
_TIMES = ("started_at", "finished_at")


class HtmlReport(Format):
    """The page of a run, with everything up to the page's own limits."""

    def write(self, console: Console, report: Report) -> None:
        for piece in render_html(
            report.summary, report.changes, report.failures, run_dir=report.run_dir, show=report.show,
            standing=report.standing, person=report.person, history=report.history,
        ):  # fmt: skip
            write(console, piece)


class HtmlDiff(HtmlReport):
    """The page of a run that was just planned."""

    def write(self, console: Console, report: Report) -> None:
        if not report.summary:
            raise ValueError("an HTML diff needs the summary")
        super().write(console, report)


def render_html(
    summary: Summary,
    changes: Iterable[Change] | Packed,
    failures: Iterable[dict[str, Any]],
    *,
    run_dir: Path | None = None,
    show: Show = Show.ALL,
    standing: Standing | None = None,
    person: str = "",
    history: History | None = None,
) -> Iterator[str]:
    """The page for an import or a dry run, with as many changes and failures as it may hold; packed ones as they are.

    With `person` it opens with that page, and what is given is only about them. The next steps fit `standing` if it is
    given. It comes piece by piece: as one text, the packed lines would take several times their size.
    """
    told = Failures.of(summary, failures)
    packed_changes = changes if isinstance(changes, Packed) else pack(_chosen(changes, show))
    packed_failures = pack(failures, MOST_FAILURE_BYTES)
    page = template()
    style, script = _part(page, "report.css"), "\n".join(_part(page, name) for name in _SCRIPTS)
    return page.generate(
        policy=f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none';"
        " form-action 'none'",
        style=style,
        script=script,
        changes=packed_changes,
        failures=packed_failures,
        about=_data(
            _about(summary, run_dir, packed_changes, packed_failures)
            | ({"person": person} if person else {})
            | ({"history": history.plain()} if history and person else {})
        ),
        steps=next_steps(summary, run_files(summary, run_dir), standing),
        **_head(summary),
        **_counts(summary, told),
    )


def _head(summary: Summary) -> dict[str, Any]:
    """What the page opens with: which run it is, how it ended, and why."""
    return {
        "title": _title(summary),
        "where": " · ".join(filter(None, [where(summary), relation(summary)])),
        "times": _times(summary),
        "dry": is_dry(summary),
        "undo": is_undo(summary),
        "stopped": not came_to_its_end(summary),
        "headline": plan_line(summary) if is_dry(summary) else headline(summary),
        "forecast": forecast_line(summary),
        "status": _status(summary),
        "notes": [
            *(
                f"Listed are only records and failed events about {sanitise(what)}; the counts are the whole run's"
                for what in [summary.get("selected")]
                if what
            ),
            *notes(summary),
        ],
    }


def _counts(summary: Summary, failures: Failures) -> dict[str, Any]:
    """What the page counts, by sections."""
    reasons, events, inputs = reason_rows(summary, failures), summary["events"], summary.get("inputs") or []
    return {
        "bad": needing_attention(summary, failures),
        "read": events["read"],
        "by_type": type_parts(events.get("by_type") or {}, events["read"]),
        "outcomes": outcome_rows(summary),
        "records": record_table(summary),
        "written": written_rows(summary),
        "misfits": misfit_rows(summary),
        "warnings": warning_rows(summary),
        "left_out": [row for row in reasons if row.outcome == EventOutcome.SKIPPED],
        "requests": request_line(summary),
        "inputs": inputs[:MOST_INPUTS],
        "more_inputs": inputs[MOST_INPUTS:],
    }


def write_html(
    path: Path,
    summary: Summary,
    changes: Iterable[Change] | Packed,
    failures: Iterable[dict[str, Any]],
    *,
    run_dir: Path | None = None,
) -> None:
    """Write report.html, mode 0600, whole or not at all."""
    write_texts(path, render_html(summary, changes, failures, run_dir=run_dir))


def _chosen(changes: Iterable[Change], show: Show) -> Iterable[Change]:
    return changes if show is Show.ALL else (change for change in changes if change["action"] in show.actions)


@cache
def template() -> Template:
    """The page without a run."""
    environment = Environment(
        loader=PackageLoader("fsseg.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.filters["safe_text"] = lambda text: sanitise(str(text))
    environment.filters["noun"] = _noun
    return environment.get_template("report.html.j2")


def _noun(entity: str, count: int) -> str:
    """What the strip calls records of this kind, or entries."""
    one, several = ("entry", "entries") if entity == "timeline" else (entity, f"{entity}s")
    return one if count == 1 else several


def _part(page: Template, name: str) -> str:
    """A file beside the page's template as it is."""
    loader = page.environment.loader
    assert loader is not None
    return loader.get_source(page.environment, name)[0]


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _data(held: Any) -> str:
    """JSON that may stand within a script element."""
    return sanitise_json(dumps(held, orjson.OPT_NON_STR_KEYS).decode()).replace("<", "\\u003c")


def _about(summary: Summary, run_dir: Path | None, changes: Packed, failures: Packed) -> dict[str, Any]:
    """What the page's script has to know beside the rows."""
    edition, account = str(summary.get("edition", "")), str(summary.get("account") or "")
    folder = run_dir.parent.parent if run_dir else None
    total = sum(sum(counts.values()) for counts in summary.get("records", {}).values())
    return {
        "dry": is_dry(summary),
        "run": summary.get("run_id", ""),
        "report": report_command(summary),
        "signs": SIGNS,
        "by_time": summary["events"].get("by_time"),
        "read": summary["events"]["read"],
        "traffic": summary.get("traffic"),
        "entries": [[f"{event} → {kind}", count] for event, kind, count in entry_rows(summary)],
        "per_hour": summary.get("account_limit"),
        "labels": labels(edition, folder),
        "choices": choice_names(edition, folder),
        "addresses": record_addresses(account, edition),
        "warnings": {code: reason.hint for code, reason in WARNINGS.items()},
        "hidden_changes": max(total - changes.rows, 0),
        "hidden_failures": max(total_failures(summary) - failures.rows, 0),
    }


def _title(summary: Summary) -> str:
    name = "Dry run" if is_dry(summary) else str(summary.get("command", "import")).capitalize()
    return f"{sanitise(name)} {sanitise(str(summary.get('run_id', '')))}".strip()


def _times(summary: Summary) -> str:
    """When it began and ended, the day told once."""
    times = [sanitise(str(summary[name]))[:19].replace("T", " ") for name in _TIMES if summary.get(name)]
    if len(times) > 1 and times[0][:10] == times[1][:10]:
        times[1] = times[1][11:]
    return f"{' to '.join(times)} UTC" if times else ""


def _status(summary: Summary) -> tuple[str, str]:
    """(tone, words) of the badge."""
    code = exit_code(summary)
    if code in RESUMABLE:
        return "warn", "stopped, can be resumed"
    if not came_to_its_end(summary):
        refused = code in (ExitCode.REFUSED_CREDENTIALS, ExitCode.BRAKE) or is_void(summary)
        return "bad", "refused" if refused else f"ended with {code}"
    if left := not_put_back(summary):
        return "warn", f"{counted(left, 'record')} left alone"
    bad = total_failures(summary)
    if bad:
        whole = " in the whole run" if summary.get("selected") else ""
        return "warn", f"{number(bad)} {'event needs' if bad == 1 else 'events need'} you{whole}"
    return "good", "all well"
