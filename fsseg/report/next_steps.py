"""What to do next about a run, as commands that work when they are copied."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from fsseg.exit_codes import ExitCode
from fsseg.figures import counted
from fsseg.report.advice import command
from fsseg.report.model import (
    RESUMABLE,
    Summary,
    exit_code,
    is_dry,
    is_undo,
    is_void,
    lost_events,
    needing_attention,
    not_put_back,
    not_put_back_line,
    total_failures,
)
from fsseg.report.reasons import REASONS
from fsseg.report.standing import Standing
from fsseg.state.actions import Action, Code, EventOutcome

PUSHED_AGAIN = frozenset({Code.REFUSED, Code.RATE_LIMITED, Code.UNAVAILABLE, Code.UNKNOWN_OUTCOME})
"""Reasons of failures that `fsseg retry` sends again."""

ONLY_PUSHED_AGAIN = frozenset(code for code, reason in REASONS.items() if reason.retryable)
"""Those of them that no change of an event mends."""

_NOT_TO_MEND = ONLY_PUSHED_AGAIN | {
    Code.NOT_JSON, Code.NOT_UTF8, Code.NOT_AN_OBJECT, Code.TOO_LARGE, Code.BAD_ROW, Code.TRUNCATED,
}  # fmt: skip
"""With those of which failures.jsonl has no event to mend: the file that they stood in is to be mended."""


class Step(Struct, frozen=True):
    """Something to do next: why, and the command."""

    why: str
    command: str


def run_files(summary: Summary, run_dir: Path | None = None) -> list[Path]:
    """Of what is kept of the run the files that people open, where they exist; the one to look at first."""
    folder = run_dir or (Path(summary["run_dir"]) if summary.get("run_dir") else None)
    if folder is None:
        return []
    return [path for name in ("report.html", "failures.jsonl", "summary.json") if (path := folder / name).exists()]


def next_steps(summary: Summary, files: Sequence[Path] = (), standing: Standing | None = None) -> list[Step]:
    """What to do next, the most urgent first; without `standing`, as the run stood when it ended."""
    steps = _steps_on(summary, standing)
    if bad := total_failures(summary) or not_put_back(summary):
        codes = {row.code for row in needing_attention(summary)}
        if not is_dry(summary) and codes & PUSHED_AGAIN and (standing is None or standing.can_be_retried):
            steps.append(Step("Push again what failed", _command(summary, "retry")))
        steps.append(Step(_left_to_do(summary, bad), report_command(summary)))
        mend = next((path for path in files if path.name == "failures.jsonl"), None)
        if mend and not is_void(summary) and not (codes and codes <= _NOT_TO_MEND) and lost_events(summary) < bad:
            flags = str(summary.get("import_flags") or "")
            what = "it" if bad == 1 else "them"
            steps.append(Step(f"Mend {what}, then", _command(summary, "import", str(mend), flags)))
    if standing and standing.undo and _would_undo(summary):
        steps.append(Step("Undo it", standing.undo))
    return steps


def _steps_on(summary: Summary, standing: Standing | None) -> list[Step]:
    """What goes on with the run, or with its plan."""
    outcomes, code = summary["events"]["outcomes"], exit_code(summary)
    resumes = standing is None or standing.can_be_resumed
    lifts = "--allow-mass-changes" if code == ExitCode.BRAKE else ""
    if is_dry(summary) and outcomes.get(EventOutcome.APPLIED) and summary.get("forecast"):
        applies = standing is None or standing.can_be_applied
        why = "Lift the brake" if lifts else "Apply exactly this"
        return [Step(why, _command(summary, "apply", more=lifts))] * applies
    if lifts:
        return [Step("Lift the brake", _command(summary, "resume", more=lifts))] * resumes
    if (outcomes.get(EventOutcome.PENDING) and not is_void(summary)) or code in RESUMABLE:
        by = standing.imported_by if standing else ""
        why = f"Run {by} has imported its files since; this ends it" if by else "Go on where it stopped"
        return [Step(why, _command(summary, "resume"))] * resumes
    return []


def _would_undo(summary: Summary) -> bool:
    back = (Action.UPDATE, Action.DELETE)
    return any(counts.get(action) for counts in summary.get("records", {}).values() for action in back)


def report_command(summary: Summary) -> str:
    """The command that shows the whole report of this run."""
    return _command(summary, "report")


def _command(summary: Summary, verb: str, what: str = "", more: str = "") -> str:
    run_dir = Path(summary["run_dir"]) if summary.get("run_dir") else None
    what = what or str(summary.get("run_id", ""))
    return command(verb, what, account=str(summary.get("account") or ""), run_dir=run_dir, more=more)


def _left_to_do(summary: Summary, bad: int) -> str:
    if is_undo(summary):
        return not_put_back_line(summary)
    return f"{counted(bad, 'event')} {'needs' if bad == 1 else 'need'} you"
