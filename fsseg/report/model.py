"""What a summary says, put into the rows and sentences that the terminal, HTML and Markdown share."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, get_args

from msgspec import Struct, field
from msgspec.structs import replace

from fsseg.exit_codes import ExitCode
from fsseg.figures import counted, number
from fsseg.freshsales.names import Entity
from fsseg.report.console import sanitise
from fsseg.report.humanize import about, cut, duration, elapsed, place, quoted, value
from fsseg.report.reasons import REASONS, SAYS_ALL, WARNINGS
from fsseg.state.actions import Action, Code, EventOutcome

Summary = dict[str, Any]
OUTCOMES = (
    EventOutcome.APPLIED, EventOutcome.UNCHANGED, EventOutcome.SKIPPED, EventOutcome.REJECTED, EventOutcome.FAILED,
    EventOutcome.PENDING,
)  # fmt: skip
"""In the order of all reports."""
ENTITIES: tuple[Entity, ...] = get_args(Entity)
"""In the order of all reports."""
COLUMNS = (
    Action.CREATE, Action.UPDATE, Action.DELETE, Action.UNCHANGED, Action.CONFLICT, Action.SKIPPED,
    EventOutcome.FAILED, EventOutcome.PENDING,
)  # fmt: skip
"""What records are counted by: their actions, but for what failed, or has still to be done."""
RESUMABLE = (ExitCode.STOPPED, ExitCode.INTERRUPTED)
"""How a run ends that goes on with `fsseg resume` alone."""
_DONE: dict[str, str] = {Action.CREATE: "created", Action.UPDATE: "updated"}
_PLANNED: dict[str, str] = {Action.CREATE: "to create", Action.UPDATE: "to update"}
_UNDONE: dict[str, str] = {Action.UPDATE: "put back", Action.DELETE: "deleted", Action.CONFLICT: "left alone"}
_TO_UNDO: dict[str, str] = {Action.UPDATE: "to put back", Action.DELETE: "to delete", Action.CONFLICT: "left alone"}


MOST_INPUTS = 100
"""Inputs that a report names; an archive may have a hundred thousand."""
_LONGEST_CAUSE = 200
"""Columns that a message, such as Freshsales' own words, takes at most beside its reason."""


class ReasonRow(Struct, frozen=True):
    """A reason code, its number of events, the place of the first (`events.jsonl line 17`), and what is wrong with it.

    `cause` is empty where the hint says that already.
    """

    code: str
    outcome: str
    count: int
    hint: str
    first: str = ""
    cause: str = ""


class WarningRow(Struct, frozen=True):
    """A warning code and the names (traits, fields) it is about, most frequent first, each with its own hint."""

    code: str
    count: int
    hint: str
    names: Sequence[tuple[str, int, str]]


class MisfitRow(Struct, frozen=True):
    """A trait with values that didn't fit its field: how many, what the field takes, and the first of them.

    `place` is where that stands (`events.jsonl line 17`), `key` whose it is; both may be empty.
    """

    trait: str
    count: int
    takes: str
    example: str
    key: str
    place: str


class RecordTable(Struct, frozen=True):
    """Records by entity: only the columns and rows that hold a number."""

    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[int]]]


class Failures(Struct):
    """What a report shows of failures.jsonl: place and message of the first event of each code, and the first rows."""

    first: dict[str, str] = field(default_factory=dict)
    causes: dict[str, str] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, summary: Summary, failures: Iterable[dict[str, Any]], limit: int = 0) -> Failures:
        """The failures of a run, read no further than it takes to know every code of the summary and `limit` rows."""
        kept = cls()
        codes_to_come = {row.code for row in needing_attention(summary)}
        stream = iter(failures)
        for failure in stream:
            about = failure.get("_fsseg") or {}
            code = str(about.get("code"))
            if code not in kept.first and about.get("file") is not None:
                kept.first[code] = place(about)
                kept.causes[code] = sanitise(str(about.get("message") or ""))
            codes_to_come.discard(code)
            if len(kept.rows) < limit:
                kept.rows.append(failure)
            if not codes_to_come:
                kept.rows.extend(islice(stream, limit - len(kept.rows)))
                break
        return kept


def is_dry(summary: Summary) -> bool:
    """Whether the summary is of a run that only planned."""
    return bool(summary.get("dry_run"))


def unread(summary: Summary) -> list[str]:
    """Of each input that could not be read, or not to its end, its path and why; of many, the first ones."""
    found = [sanitise(str(row["unreadable"])) for row in summary.get("inputs") or () if row.get("unreadable")]
    left = len(found) - MOST_INPUTS
    return found[:MOST_INPUTS] + ([f"{counted(left, 'more input')}: summary.json names them"] if left > 0 else [])


def is_undo(summary: Summary) -> bool:
    """Whether the summary is of an undo, be it resumed: that has records, but no inputs and no events."""
    command = summary.get("command")
    return command == "undo" or (command in ("resume", "retry") and not summary.get("inputs"))


def exit_code(summary: Summary) -> int:
    """An `ExitCode`, or a number that a later version knows."""
    code: int = summary.get("exit_code", ExitCode.DONE)
    return code


def came_to_its_end(summary: Summary) -> bool:
    """Whether nothing stopped the run on its way."""
    return exit_code(summary) in (ExitCode.DONE, ExitCode.SOME_FAILED) and not is_void(summary)


def is_void(summary: Summary) -> bool:
    """Whether it was to push all of a plan or nothing, and something had changed: `apply --strict`."""
    left = summary["events"]["outcomes"].get(EventOutcome.PENDING)
    return bool(left) and summary.get("command") == "apply" and exit_code(summary) == ExitCode.SOME_FAILED


def total_failures(summary: Summary) -> int:
    """Events that were rejected or failed."""
    outcomes = summary["events"]["outcomes"]
    return int(outcomes.get(EventOutcome.REJECTED, 0) + outcomes.get(EventOutcome.FAILED, 0))


def lost_events(summary: Summary) -> int:
    """How many of those can't be given, as their files have changed since they were read."""
    return sum(row.get("lost", 0) for row in summary.get("inputs", ()))


def not_put_back(summary: Summary) -> int:
    """Records and timeline entries that an undo had to leave as they are."""
    return sum(row.count for row in needing_attention(summary)) if is_undo(summary) else 0


def not_put_back_line(summary: Summary) -> str:
    """How many an undo has left as they are, or would leave: `2 records were not put back`."""
    left = not_put_back(summary)
    does = "would not be" if is_dry(summary) else "was not" if left == 1 else "were not"
    return f"{counted(left, 'record')} {does} put back"


def notes(summary: Summary) -> list[str]:
    """Why the run stopped, what is to be known of it besides, and which inputs it could not read."""
    return [
        *(f"Why it stopped: {sanitise(str(why))}" for why in [summary.get("stopped_by")] if why),
        *(sanitise(str(note)) for note in summary.get("notes") or ()),
        *(f"Not read: {why}" for why in unread(summary)),
    ]


def where(summary: Summary) -> str:
    """The account as far as it is known: `acme.freshsales.io · classic · 1,000 requests/hour, 874 left`."""
    parts = [sanitise(str(summary.get(name) or other)) for name, other in (("account", "no account"), ("edition", ""))]
    if limit := summary.get("account_limit"):
        left = summary.get("quota_left")
        parts.append(f"{counted(limit, 'request')}/hour" + (f", {number(left)} left" if left is not None else ""))
    return " · ".join(part for part in parts if part)


def relation(summary: Summary) -> str:
    """Which run an undo takes back, or an apply pushes the plan of: `undoes RUN`; empty of any other run."""
    of = summary.get("of")
    return f"{'undoes' if is_undo(summary) else 'applies'} {sanitise(str(of))}" if of else ""


def which_run(summary: Summary) -> str:
    """The run's id, and the other run that it is about: `RUN (undoes RUN)`."""
    other = relation(summary)
    return sanitise(str(summary.get("run_id", ""))) + (f" ({other})" if other else "")


def headline(summary: Summary) -> str:
    """One sentence on how the run ended."""
    took = elapsed(summary)
    after = f" after {duration(took)}" if took is not None else ""
    code = exit_code(summary)
    written = (summary.get("requests") or {}).get("write")
    if code == ExitCode.INTERRUPTED:
        return f"Interrupted{after}; nothing is lost."
    if code == ExitCode.REFUSED_CREDENTIALS:
        left = "nothing is lost" if written else "nothing was written"
        return f"Freshsales refused the credentials or the permission; {left}."
    if code == ExitCode.BRAKE:
        return f"The safety brake refused the run; nothing {'more ' if written else ''}was written."
    if code == ExitCode.STOPPED:
        return f"Stopped early{after}; nothing is lost."
    if is_dry(summary):
        return f"Dry run{after}: nothing was written."
    if is_undo(summary):
        return undo_line(summary) + (f" ({duration(took)})." if took is not None else ".")
    if is_void(summary):
        drifted = sum(counts.get(Action.CONFLICT, 0) for counts in summary["records"].values())
        have = f"{counted(drifted, 'record')} {'has' if drifted == 1 else 'have'}"
        return f"Nothing was written: {have} changed since the dry run; with --strict, all is pushed or nothing."
    return "Done" + (f" in {duration(took)}." if took is not None else ".")


def outcome_rows(summary: Summary) -> list[tuple[str, int]]:
    """Each outcome with its number of events, which add up to `events.read`; `pending` only if there are any."""
    outcomes = summary["events"]["outcomes"]
    names: dict[str, str] = {EventOutcome.APPLIED: "would apply"} if is_dry(summary) else {}
    return [
        (names.get(outcome, outcome.value), outcomes.get(outcome, 0))
        for outcome in OUTCOMES
        if outcome is not EventOutcome.PENDING or outcomes.get(outcome)
    ]


def record_table(summary: Summary) -> RecordTable:
    """The number of records by entity and action."""
    records: dict[str, dict[str, int]] = {e: c for e, c in summary.get("records", {}).items() if any(c.values())}
    entities = [e for e in ENTITIES if e in records] + [e for e in records if e not in ENTITIES]
    present = {action for counts in records.values() for action, n in counts.items() if n}
    actions = [column.value for column in COLUMNS if column in present] + sorted(present.difference(COLUMNS))
    planned, done = (_TO_UNDO, _UNDONE) if is_undo(summary) else (_PLANNED, _DONE)
    names = planned if is_dry(summary) else done
    return RecordTable(
        [names.get(a, a) for a in actions],
        [(entity, [records[entity].get(a, 0) for a in actions]) for entity in entities],
    )


def written_rows(summary: Summary) -> list[tuple[str, int]]:
    """By entity, what was created, updated or deleted, or would be in a dry run; only where that is anything."""
    actions = (Action.CREATE, Action.UPDATE, Action.DELETE)
    records = summary.get("records", {})
    counts = [(entity, sum(records.get(entity, {}).get(action, 0) for action in actions)) for entity in ENTITIES]
    return [(entity, count) for entity, count in counts if count]


def entry_rows(summary: Summary) -> list[tuple[str, str, int]]:
    """Each event, what its entries are in Freshsales (a type of sales activity, a note), and how many they are."""
    ways = {"note": "note", "tracking": "tracked event"}
    return [
        (sanitise(str(row["event"])), sanitise(row["type"] or ways.get(row["via"], "sales activity")), row["count"])
        for row in summary.get("entries") or ()
    ]


def plan_line(summary: Summary) -> str:
    """A plan as a sentence: `Plan: 120 to create, 41 to update, 1,204 unchanged, 1 conflict; 58 timeline entries.`"""
    if is_undo(summary):
        return f"{undo_line(summary)}."
    records = summary.get("records", {})
    total = {a: sum(c.get(a, 0) for e, c in records.items() if e != "timeline") for a in COLUMNS}
    parts = [f"{number(total[Action.CREATE])} to create", f"{number(total[Action.UPDATE])} to update"]
    parts.append(f"{number(total[Action.UNCHANGED])} unchanged")
    if total[Action.CONFLICT]:
        parts.append(counted(total[Action.CONFLICT], "conflict"))
    entries = records.get("timeline", {}).get(Action.CREATE, 0)
    tail = f"; {counted(entries, 'timeline entry', 'timeline entries')}" if entries else ""
    return f"Plan: {', '.join(parts)}{tail}."


def undo_line(summary: Summary) -> str:
    """What an undo did, zeros left out: `Put back 12 records, deleted 3, left 2 alone`, timeline entries among them."""
    total = sum(map(Counter, summary.get("records", {}).values()), Counter[str]())
    counts = (total[Action.UPDATE], total[Action.DELETE], total[Action.CONFLICT] + total[EventOutcome.FAILED])
    done = ("put back {}", "deleted {}", "left {} alone")
    words = ("to put back: {}", "to delete: {}", "to leave alone: {}") if is_dry(summary) else done
    parts = [(part, count) for part, count in zip(words, counts, strict=True) if count]
    if not parts:
        return "Nothing to put back"
    (first, count), *others = parts
    line = ", ".join([first.format(counted(count, "record")), *(part.format(number(n)) for part, n in others)])
    return line[0].upper() + line[1:]


def reason_rows(summary: Summary, failures: Failures | None = None) -> list[ReasonRow]:
    """All reasons, the ones that need somebody first, then by count."""
    rows = []
    for reason in summary.get("reasons", []):
        known = REASONS.get(reason["code"])
        hint = reason.get("hint") or (known.hint if known else "")
        outcome = reason.get("outcome") or (known.outcome if known else EventOutcome.FAILED)
        row = ReasonRow(sanitise(reason["code"]), outcome, reason["count"], sanitise(hint))
        if failures and outcome != EventOutcome.SKIPPED:
            cause = failures.causes.get(row.code, "")
            first = failures.first.get(row.code, "")
            is_said = cause == row.hint or row.code in SAYS_ALL
            row = replace(row, first=first, cause="" if is_said else cut(cause, _LONGEST_CAUSE))
        rows.append(row)
    return sorted(rows, key=lambda row: (row.outcome == EventOutcome.SKIPPED, -row.count, row.code))


def needing_attention(summary: Summary, failures: Failures | None = None) -> list[ReasonRow]:
    """Reasons of rejected and failed events."""
    return [row for row in reason_rows(summary, failures) if row.outcome != EventOutcome.SKIPPED]


def warning_rows(summary: Summary) -> list[WarningRow]:
    """Warnings by code: what is wrong with the settings, then the most frequent first."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for warning in summary.get("warnings", []):
        grouped.setdefault(warning["code"], []).append(warning)
    rows = []
    for code, warnings in grouped.items():
        known = WARNINGS[code].hint if code in WARNINGS else ""
        names = [(sanitise(str(w.get("name") or "")), w["count"], _own_hint(w, known)) for w in warnings]
        names.sort(key=lambda name: (-name[1], name[0]))
        worth_naming = [name for name in names if name[0] or name[2]]
        rows.append(WarningRow(sanitise(code), sum(w["count"] for w in warnings), known, worth_naming))
    return sorted(rows, key=lambda row: (row.code != Code.UNMET_EVENT, -row.count, row.code))


def misfit_rows(summary: Summary) -> list[MisfitRow]:
    """The traits whose values didn't fit their fields, the most frequent first."""
    rows = []
    for warning in summary.get("warnings", []):
        if warning["code"] == Code.BAD_VALUE and warning.get("name"):
            first: dict[str, Any] = next(iter(warning.get("samples") or ()), {})
            rows.append(
                MisfitRow(
                    sanitise(warning["name"]), warning["count"], sanitise(warning.get("hint") or ""),
                    quoted(first["value"]) if "value" in first else "", value(first["key"]) if first.get("key") else "",
                    place(first),
                )
            )  # fmt: skip
    return sorted(rows, key=lambda row: (-row.count, row.trait))


def _own_hint(warning: dict[str, Any], known: str) -> str:
    hint = sanitise(warning.get("hint") or "")
    parts = [] if hint == known else [hint]
    if found := warning.get("samples"):
        first = found[0]
        where = f", {place(first)}" if first["line"] else ""
        parts.append(f"first {quoted(first['value'])} of {value(first['key'])}{where}")
    return "; ".join(part for part in parts if part)


def request_line(summary: Summary) -> str:
    """What the run cost, against its forecast; for a dry run, what an import would cost."""
    requests = summary.get("requests") or {}
    total = requests.get("total", 0)
    forecast = summary.get("forecast") or {}
    text = counted(total, "request")
    if forecast.get("requests") is not None and not is_dry(summary):
        more = ", without retries and reads after lost answers" if requests.get("retried") else ""
        is_beyond = total > forecast["requests"]
        most = "up to " if forecast.get("is_most") else ""
        text += f" (forecast {most}{number(forecast['requests'])}{more if is_beyond else ''})"
    refused = requests.get("rate_limited", 0)
    parts = [text, f"{number(refused) if refused else 'none'} refused by the quota"] if total else [text]
    if retried := requests.get("retried", 0):
        parts.append(f"{number(retried)} retried")
    if (waited := requests.get("waited_s", 0)) >= 0.05:
        parts.append(f"waited {duration(waited)}")
    return ", ".join(parts)


def forecast_line(summary: Summary) -> str:
    """What an import would cost, if known: `An import takes about 219 requests: about 15 minutes at …`."""
    forecast = summary.get("forecast") or {}
    if not is_dry(summary) or is_undo(summary) or forecast.get("requests") is None:
        return ""
    about = "up to" if forecast.get("is_most") else "about"
    to_come = max(forecast["requests"] - summary["requests"]["total"], 0)
    written = f", {number(to_come)} of them to write what is planned"
    takes = cost(forecast["requests"], forecast.get("seconds"), summary.get("account_limit"), written)
    text = f"An import takes {about} {takes}."
    if str(summary["account"]).startswith("sandbox") and to_come > min(QUOTAS):
        others = [quota for quota in QUOTAS if quota != summary.get("account_limit")]
        times = ", ".join(hours(to_come, quota) for quota in others)
        text += f" On an account with {', '.join(map(number, others))} an hour: {times}."
    return text


QUOTAS = (1_000, 2_000, 5_000)
"""Requests an hour that Freshsales' plans allow."""


def hours(requests: int, quota: int) -> str:
    """How long so many requests take with this quota an hour, of which the first is there at once."""
    windows_waited_for = math.ceil(requests / quota) - 1
    return about(windows_waited_for * 3600) if windows_waited_for else "under an hour"


def cost(requests: int, seconds: float | None, per_hour: int | None, details: str = "") -> str:
    """What a push costs as far as it is known: `219 requests: about 15 minutes at 1,000 requests an hour`."""
    text = counted(requests, "request") + details
    if seconds is not None:
        text += f": {about(seconds)}"
        if per_hour:
            text += f" at {counted(per_hour, 'request')} an hour"
    return text


def type_parts(by_type: Mapping[str, int], read: int) -> list[str]:
    """`57 identify`, `10 track` and so on; with those that are no usable event, they are all that was read."""
    parts = [f"{number(count)} {sanitise(kind)}" for kind, count in by_type.items() if count]
    rest = read - sum(by_type.values())
    return [*parts, f"{number(rest)} unusable"] if rest > 0 else parts
