"""The report as one HTML page that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from rich.console import Console

from fsseg.exit_codes import ExitCode
from fsseg.figures import counted, number
from fsseg.report.changes import CLEARED, SAMPLED, SIGNS, Change, ChangeGroup, ChangeGroups, field_lines, warning_texts
from fsseg.report.console import sanitise, write
from fsseg.report.files import email_of
from fsseg.report.formats import Format, Report
from fsseg.report.humanize import cut, value
from fsseg.report.model import (
    RESUMABLE,
    Failures,
    Summary,
    came_to_its_end,
    exit_code,
    forecast_line,
    headline,
    is_dry,
    is_undo,
    next_steps,
    not_put_back,
    outcome_rows,
    place,
    plan_line,
    reason_rows,
    record_table,
    request_line,
    run_files,
    total_failures,
    warning_rows,
    where,
)
from fsseg.report.show import Show
from fsseg.report.standing import Standing
from fsseg.state.private_file import write_text

SHOWN = SAMPLED
"""Changes of an entity, and failures, that a page holds; the files of the run hold all."""

_LONGEST = 400
_TIMES = ("started_at", "finished_at")


@dataclass(frozen=True)
class _Record:
    action: str
    sign: str
    key: str
    name: str
    id: str
    fields: list[tuple[str, str, str]]
    warnings: list[str]


@dataclass(frozen=True)
class _Failure:
    place: str
    code: str
    who: str
    what: str
    message: str
    hint: str


class HtmlReport(Format):
    """The page of a run, with everything up to the page's own limits."""

    def write(self, console: Console, report: Report) -> None:
        page = render_html(
            report.summary, report.changes, report.failures, run_dir=report.run_dir, standing=report.standing
        )
        write(console, page)


class HtmlDiff(Format):
    """The page of a run that was just planned, without the events that failed."""

    def write(self, console: Console, report: Report) -> None:
        if not report.summary:
            raise ValueError("an HTML diff needs the summary")
        limit = report.most_changes or SHOWN
        write(console, render_html(report.summary, report.first_changes, (), show=report.show, limit=limit))


def render_html(
    summary: Summary,
    changes: Iterable[Change],
    failures: Iterable[dict[str, Any]],
    *,
    run_dir: Path | None = None,
    show: Show = Show.ALL,
    limit: int = SHOWN,
    standing: Standing | None = None,
) -> str:
    """The page for an import or a dry run; the first `limit` changes of each entity and failures are shown.

    The next steps fit `standing` if it is given.
    """
    shown_failures = Failures.of(summary, failures, limit)
    groups = ChangeGroups(changes, show=show, limit=limit)
    shown = list(groups)
    template = _environment().get_template("report.html.j2")
    return template.render(
        title=_title(summary),
        where=where(summary),
        times=" to ".join(sanitise(str(summary[k]))[:19].replace("T", " ") for k in _TIMES if summary.get(k)),
        read=summary["events"]["read"],
        by_type=summary["events"].get("by_type") or {},
        inputs=summary.get("inputs") or (),
        dry=is_dry(summary),
        undo=is_undo(summary),
        headline=plan_line(summary) if is_dry(summary) else headline(summary),
        status=_status(summary),
        notes=[sanitise(str(note)) for note in summary.get("notes") or ()],
        outcomes=outcome_rows(summary),
        records=record_table(summary),
        reasons=reason_rows(summary, shown_failures),
        warnings=warning_rows(summary),
        requests=request_line(summary),
        forecast=forecast_line(summary),
        steps=next_steps(summary, run_files(summary, run_dir), standing),
        groups=[(group, [*map(_record, group.changes + group.conflicts)], _tally(groups, group)) for group in shown],
        failures=[_failure(failure) for failure in shown_failures.rows],
        hidden_failures=max(total_failures(summary) - len(shown_failures.rows), 0) if shown_failures.rows else 0,
        CLEARED=CLEARED,
    )


def write_html(
    path: Path,
    summary: Summary,
    changes: Iterable[Change],
    failures: Iterable[dict[str, Any]],
    *,
    run_dir: Path | None = None,
) -> None:
    """Write report.html, mode 0600, whole or not at all."""
    write_text(path, render_html(summary, changes, failures, run_dir=run_dir))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("fsseg.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.filters["safe_text"] = lambda text: sanitise(str(text))
    return environment


def _title(summary: Summary) -> str:
    name = "Dry run" if is_dry(summary) else str(summary.get("command", "import")).capitalize()
    return f"{sanitise(name)} {sanitise(str(summary.get('run_id', '')))}".strip()


def _status(summary: Summary) -> tuple[str, str]:
    """(tone, words) of the badge."""
    code = exit_code(summary)
    if code in RESUMABLE:
        return "warn", "stopped, can be resumed"
    if not came_to_its_end(summary):
        refused = code in (ExitCode.REFUSED_CREDENTIALS, ExitCode.BRAKE)
        return "bad", "refused" if refused else f"ended with {code}"
    if left := not_put_back(summary):
        return "warn", f"{counted(left, 'record')} left alone"
    bad = total_failures(summary)
    if bad:
        return "warn", f"{number(bad)} {'event needs' if bad == 1 else 'events need'} you"
    return "good", "all well"


def _record(change: Change) -> _Record:
    lines = [(name, cut(before, _LONGEST), cut(after, _LONGEST)) for name, before, after in field_lines(change)]
    identifier = change.get("id")
    return _Record(
        action=sanitise(change["action"]),
        sign=SIGNS.get(change["action"], "?"),
        key=value(change.get("key") or "?"),
        name=value(change["name"]) if change.get("name") else "",
        id="" if identifier is None else f"#{value(identifier)}",
        fields=lines,
        warnings=warning_texts(change),
    )


def _failure(failure: dict[str, Any]) -> _Failure:
    about = failure.get("_fsseg") or {}
    what = (failure.get("type"), failure.get("event") or failure.get("name"))
    return _Failure(
        place=place(about),
        code=sanitise(str(about.get("code", ""))),
        who=value(failure.get("userId") or email_of(failure) or failure.get("anonymousId") or about.get("key") or "–"),
        what=" · ".join(cut(value(part), 80) for part in islice(what, 2) if part),
        message=cut(value(about["message"]), _LONGEST) if about.get("message") else "",
        hint=cut(value(about["hint"]), _LONGEST) if about.get("hint") else "",
    )


def _tally(groups: ChangeGroups, group: ChangeGroup) -> str:
    counts = ((action, groups.totals[group.entity, action]) for action in SIGNS)
    return ", ".join(f"{number(count)} {action}" for action, count in counts if count)
