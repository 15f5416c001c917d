"""`failures.csv`: one row per event that was rejected or failed, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from fsseg.report.console import sanitise, write
from fsseg.report.files import email_of
from fsseg.report.formats import Format, Report
from fsseg.segment.json_codec import dumps
from fsseg.state.private_file import replacing

COLUMNS = (
    *("file", "line", "stage", "code", "message", "hint", "retryable", "status"),
    *("type", "userId", "email", "messageId", "event"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class CsvFailures(Format):
    """The events that were rejected or failed, for spreadsheets."""

    def write(self, console: Console, report: Report) -> None:
        for line in csv_lines(report.failures, sanitise):
            write(console, line)


def neutralise(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula gets a leading apostrophe; any other stays as it is."""
    return "'" + cell if cell.startswith(_FORMULA) else cell


def row(failure: dict[str, Any]) -> list[str]:
    """The cells of one line of failures.jsonl, in the order of `COLUMNS`, not yet neutralised."""
    about = failure.get("_fsseg") or {}
    cells = {name: about.get(name) for name in COLUMNS[:8]}
    cells |= {name: failure.get(name) for name in ("type", "event")}
    cells["userId"] = failure.get("userId", failure.get("user_id"))
    cells["messageId"] = failure.get("messageId", failure.get("message_id"))
    cells["email"] = email_of(failure)
    return [_text(cells[name]) for name in COLUMNS]


def csv_lines(failures: Iterable[dict[str, Any]], clean: Callable[[str], str] = str) -> Iterator[str]:
    """The header and one CSV line per failure, CRLF ended; `clean` is applied to every cell before neutralising."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    yield _taken(buffer)
    for failure in failures:
        writer.writerow([neutralise(clean(cell)) for cell in row(failure)])
        yield _taken(buffer)


def write_csv(path: Path, failures: Iterable[dict[str, Any]]) -> None:
    """Write failures.csv, mode 0600, whole or not at all."""
    with replacing(path) as file:
        for line in csv_lines(failures):
            file.write(line.encode("utf-8", "backslashreplace"))


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _text(data: Any) -> str:
    if data is None:
        return ""
    return data if isinstance(data, str) else dumps(data).decode()
