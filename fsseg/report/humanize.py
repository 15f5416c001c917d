"""Numbers, durations and values as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from rich.cells import cell_len, set_cell_size

from fsseg.figures import counted, number
from fsseg.report.console import sanitise
from fsseg.segment.json_codec import dumps
from fsseg.state.run_folder import STDIN

_LONGEST_VALUE = 1_000


def rate(per_second: float) -> str:
    """A rate in two or three figures that mean something: `3.9/s`, `104,000/s`."""
    if per_second < 10:
        return f"{per_second:.1f}/s"
    size = 10 ** max(len(str(int(per_second))) - 3, 0)
    return f"{round(per_second / size) * size:,}/s"


def duration(seconds: float) -> str:
    """A time in its two largest units: `3.2 s`, `42 s`, `6 m 12 s`, `2 h 05 m`, `3 d 4 h`."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02} m"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def about(seconds: float) -> str:
    """A time as exact as a forecast can be: `under a minute`, `about 15 minutes`, `about 3 hours`, `about 2.5 days`."""
    if seconds < 60:
        return "under a minute"
    if seconds < 5400:
        return f"about {counted(round(seconds / 60), 'minute')}"
    if seconds < 129_600:
        return f"about {counted(round(seconds / 3600), 'hour')}"
    return f"about {number(round(seconds / 86_400, 1))} days"


def elapsed(summary: dict[str, Any]) -> float | None:
    """Seconds that the run took; else those between `started_at` and `finished_at`, None where one is no time."""
    if isinstance(summary.get("seconds"), int | float):
        return float(summary["seconds"])
    try:
        start, end = (datetime.fromisoformat(summary[key]) for key in ("started_at", "finished_at"))
        return (end - start).total_seconds()
    except (KeyError, TypeError, ValueError):
        return None


def clock_time(moment: float, now: float) -> str:
    """Local wall time of an epoch second: `14:31`, from tomorrow on with the day."""
    then, today = datetime.fromtimestamp(moment), datetime.fromtimestamp(now).date()
    if then.date() == today:
        return f"{then:%H:%M}"
    return f"tomorrow {then:%H:%M}" if then.date() == today + timedelta(days=1) else f"{then:%a %d %b %H:%M}"


def cut(text: str, width: int, ellipsis: str = "…") -> str:
    """The text in at most `width` columns, with an ellipsis where it was cut."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(width - cell_len(ellipsis), 0)).rstrip() + ellipsis[: max(width, 0)]


def cut_start(text: str, width: int, ellipsis: str = "…") -> str:
    """The text in at most `width` columns, its end kept, with an ellipsis before it where it was cut."""
    if cell_len(text) <= width:
        return text
    while text and cell_len(ellipsis + text) > width:
        text = text[1:]
    return cut(ellipsis + text, width, "")


def pad(text: str, width: int) -> str:
    """The text filled up to `width` columns and never cut; double-width characters count as two."""
    return text + " " * (width - cell_len(text))


def quoted(data: Any) -> str:
    """A value in running text: as `value` has it, in quotation marks where it is text."""
    return f'"{value(data)}"' if isinstance(data, str) and data else value(data)


def value(data: Any) -> str:
    """A field's value on one safe line: text as it is, `""` for empty text, `(empty)` for null, lists joined."""
    if data is None:
        return "(empty)"
    if isinstance(data, str):
        return sanitise(data[:_LONGEST_VALUE]) or '""'
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, list) and all(isinstance(item, (str, int, float)) for item in data):
        return ", ".join(value(item) for item in data[:_LONGEST_VALUE]) or "[]"
    if isinstance(data, (int, float)):
        return str(data)
    return sanitise(dumps(data).decode()[:_LONGEST_VALUE])


def place(told: Mapping[str, Any]) -> str:
    """Where an event stands, by the `file` and `line` that are told of it: `events.jsonl line 17`."""
    file, line = told.get("file"), told.get("line")
    named = "stdin" if file == STDIN else sanitise(str(file or ""))
    return f"{named} line {line}" if isinstance(line, int) else named
