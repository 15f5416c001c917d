"""All changes of a run as a table, a line for each field, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console

from fsseg.mapping.equality import is_empty
from fsseg.report.changes import CLEARED, Change, warning_texts
from fsseg.report.console import sanitise, write
from fsseg.report.formats import Format, Report
from fsseg.report.formats.csv_table import neutralise
from fsseg.report.humanize import value
from fsseg.report.labels import labels
from fsseg.state.actions import Action

COLUMNS = ("action", "entity", "key", "id", "field", "label", "before", "after", "warnings")


class CsvChanges(Format):
    """What a run changed, or would change, for spreadsheets."""

    def write(self, console: Console, report: Report) -> None:
        folder = report.run_dir.parent.parent if report.run_dir else None
        names = labels(str(report.summary.get("edition", "")), folder)
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer)
        writer.writerow(COLUMNS)
        for row in change_rows(report.changes, names):
            writer.writerow([neutralise(cell) for cell in row])
            write(console, buffer.getvalue())
            buffer.seek(0)
            buffer.truncate()
        write(console, buffer.getvalue())


def change_rows(changes: Iterable[Change], names: dict[str, dict[str, str]]) -> Iterator[list[str]]:
    """The cells of each field of each change, in the order of `COLUMNS`, one line for a change without fields.

    The warnings of a change stand in its first line.
    """
    for change in changes:
        entity, warnings = str(change["entity"]), "; ".join(warning_texts(change))
        start = [sanitise(str(change["action"])), sanitise(entity), _cell(change.get("key")), _cell(change.get("id"))]
        for name, held in (change.get("fields") or {}).items() or [("", {})]:
            emptied = name and is_empty(held.get("after"))
            if emptied and change["action"] == Action.CREATE:
                continue
            after = CLEARED if emptied else _cell(held.get("after"))
            label = names.get(entity, {}).get(name, "")
            yield [*start, sanitise(name), sanitise(label), _cell(held.get("before")), after, warnings]
            warnings = ""


def _cell(held: Any) -> str:
    return "" if held is None else value(held)
