"""The diff as Markdown for a pull request or a ticket: a table of counts, then fenced diffs that GitHub colours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rich.console import Console

from fsseg.figures import number
from fsseg.report.changes import SIGNS, Change, ChangeGroups, entities, field_lines, identity, warning_texts
from fsseg.report.console import sanitise, write
from fsseg.report.formats import Format, Report
from fsseg.report.humanize import cut
from fsseg.report.labels import with_choice_names
from fsseg.report.model import (
    Summary,
    came_to_its_end,
    forecast_line,
    headline,
    is_undo,
    notes,
    outcome_rows,
    reason_rows,
    warning_rows,
    where,
    which_run,
)
from fsseg.report.show import Show
from fsseg.state.actions import Action, EventOutcome

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&@:])")
_LONGEST = 200
MOST_CHANGES = 50
"""Changes of each entity that a ticket holds."""


class MarkdownDiff(Format):
    """What a run would change, for a pull request or a ticket."""

    def write(self, console: Console, report: Report) -> None:
        summary = report.summary or None
        changes = with_choice_names(report.first_changes, summary, report.run_dir)
        for line in markdown_lines(changes, show=report.show, limit=report.most_changes, summary=summary):
            write(console, line + "\n")


class MarkdownReport(Format):
    """What a run did, for a ticket: some of the changes, and all that is counted."""

    def write(self, console: Console, report: Report) -> None:
        changes = with_choice_names(report.changes, report.summary, report.run_dir)
        for line in markdown_lines(changes, limit=MOST_CHANGES, summary=report.summary):
            write(console, line + "\n")


def escape(text: str) -> str:
    """Text that Markdown shows as it is, with every special character behind a backslash."""
    return _SPECIAL.sub(r"\\\1", sanitise(text))


def markdown_lines(
    changes: Iterable[Change],
    *,
    show: Show = Show.ALL,
    limit: int | None = MOST_CHANGES,
    summary: Summary | None = None,
) -> Iterator[str]:
    """The lines of the document, which ends with the counts, since they are known last."""
    yield "# Freshsales: what would change" if not summary or summary.get("dry_run") else "# Freshsales: what changed"
    yield ""
    if summary:
        yield escape(f"{where(summary)} · {which_run(summary)}")
        yield ""
        how = [] if came_to_its_end(summary) else [headline(summary)]
        for line in (*how, *notes(summary)):
            yield from (escape(line), "")
    groups = ChangeGroups(changes, show=show, limit=limit)
    open_entity = ""
    for group in groups:
        if group.entity != open_entity:
            if open_entity:
                yield from ("```", "")
            yield from (f"## {escape(group.entity)}", "", "```diff")
            open_entity = group.entity
        for change in (*group.changes, *group.conflicts):
            yield from _record(change)
        if group.hidden:
            yield f"# and {number(group.hidden)} more: changes.jsonl holds them all"
    if open_entity:
        yield from ("```", "")
    yield from _counts(groups)
    if summary:
        yield from _summary(summary)


def _record(change: Change) -> Iterator[str]:
    """The lines of one change; none starts with the data itself, so nothing in it can close the fence."""
    action = change["action"]
    who = f"{sanitise(change['entity'])} {identity(change)}"
    match action:
        case Action.CREATE | Action.DELETE | Action.CONFLICT:
            yield f"{SIGNS[action]} {who}"
        case _:
            yield f"@@ {who} @@"
    for name, before, after in field_lines(change):
        if action != Action.CREATE:
            yield f"-     {name}: {cut(before, _LONGEST)}"
        yield f"+     {name}: {cut(after, _LONGEST)}"
    yield from (f"!     {words}" for words in warning_texts(change))


def _counts(groups: ChangeGroups) -> Iterator[str]:
    yield "## Totals"
    yield ""
    unwritten = [*sorted({outcome for _, outcome in groups.totals} & {EventOutcome.FAILED, EventOutcome.PENDING})]
    yield "| | " + " | ".join([*(f"{sign} {action}" for action, sign in SIGNS.items()), *unwritten]) + " |"
    columns = [*SIGNS, *unwritten]
    yield "|---|" + "---:|" * len(columns)
    for entity in entities(groups.totals):
        yield f"| {escape(entity)} | " + " | ".join(number(groups.totals[entity, column]) for column in columns) + " |"
    yield ""


def _outcomes(summary: Summary) -> Iterator[str]:
    read = summary["events"]["read"]
    counts = {"read": read, **{name: count for name, count in outcome_rows(summary) if count}}
    yield "| events | " + " | ".join(counts) + " |"
    yield "|---|" + "---:|" * len(counts)
    yield "| | " + " | ".join(number(count) for count in counts.values()) + " |"
    yield ""


def _summary(summary: Summary) -> Iterator[str]:
    if not is_undo(summary):
        yield from _outcomes(summary)
    reasons = reason_rows(summary)
    if reasons:
        title, column = ("Not put back", "records") if is_undo(summary) else ("Events left out", "events")
        yield from (f"## {title}", "", f"| reason | outcome | {column} | hint |", "|---|---|---:|---|")
        yield from (f"| `{r.code}` | {r.outcome} | {number(r.count)} | {escape(r.hint)} |" for r in reasons)
        yield ""
    warnings = warning_rows(summary)
    if warnings:
        yield from ("## Warnings", "", "| warning | events | about |", "|---|---:|---|")
        for row in warnings:
            names = ", ".join(f"{name} {number(n)}" + (f" ({hint})" if hint else "") for name, n, hint in row.names)
            yield f"| `{row.code}` | {number(row.count)} | {escape('; '.join(t for t in (names, row.hint) if t))} |"
        yield ""
    if forecast := forecast_line(summary):
        yield escape(forecast)
