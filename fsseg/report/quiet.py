"""What a run with `--quiet` says all the same when it ends with exit code 1, for the mail that cron makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fsseg.exit_codes import ExitCode
from fsseg.figures import counted, number
from fsseg.report.console import sanitise
from fsseg.report.model import (
    Failures,
    ReasonRow,
    Summary,
    came_to_its_end,
    exit_code,
    headline,
    is_undo,
    needing_attention,
    not_put_back_line,
)
from fsseg.report.next_steps import next_steps, report_command
from fsseg.report.standing import Standing
from fsseg.state.actions import EventOutcome

MOST_REASONS = 3


def quiet_lines(
    summary: Summary, failures: Iterable[dict[str, Any]] = (), standing: Standing | None = None
) -> list[str]:
    """Which run it was and how much went wrong, the most frequent reasons, and the commands that show and mend it."""
    if exit_code(summary) != ExitCode.SOME_FAILED:
        return []
    reasons = needing_attention(summary, Failures.of(summary, failures))[:MOST_REASONS]
    figures = max((len(number(row.count)) for row in reasons), default=0)
    return [
        f"{_which(summary)}: {_what_went_wrong(summary)}",
        *(line for row in reasons for line in _reason(row, figures)),
        _commands(summary, standing),
    ]


def _reason(row: ReasonRow, figures: int) -> Iterator[str]:
    """What to do, and where the first of these events stands and what is wrong there."""
    yield f"  {number(row.count):>{figures}} {row.code}: {row.hint}"
    if row.first:
        yield f"  {'':>{figures}} first: {row.first}{f': {row.cause}' if row.cause else ''}"


def attention_lines(summary: Summary, failures: Iterable[dict[str, Any]], standing: Standing) -> list[str]:
    """What `quiet_lines` says, and of a run that didn't come to its end how it ended and how it goes on."""
    if came_to_its_end(summary):
        return quiet_lines(summary, failures, standing)
    steps = next_steps(summary, standing=standing)
    how = f" {steps[0].why}: {steps[0].command}" if steps else ""
    return [f"{_which(summary)}: {headline(summary)}{how}"]


def _which(summary: Summary) -> str:
    run = " ".join(sanitise(str(summary[key])) for key in ("command", "run_id") if summary.get(key))
    return f"fsseg {run}, {sanitise(str(summary.get('account') or 'no account'))}"


def _what_went_wrong(summary: Summary) -> str:
    if is_undo(summary):
        return not_put_back_line(summary)
    events = summary["events"]
    outcomes = (EventOutcome.REJECTED, EventOutcome.FAILED)
    bad = [f"{number(count)} {outcome}" for outcome in outcomes if (count := events["outcomes"].get(outcome, 0))]
    return f"{' and '.join(bad)} of {counted(events['read'], 'event')}" if bad else "some inputs could not be read"


def _commands(summary: Summary, standing: Standing | None) -> str:
    # Of the next steps only this one: whoever reads the mail looks before applying a dry run.
    steps = [step for step in next_steps(summary, standing=standing) if step.command.startswith("fsseg retry ")]
    return "; ".join(
        [f"See more: {report_command(summary)}", *(f"{step.why.lower()}: {step.command}" for step in steps)]
    )
