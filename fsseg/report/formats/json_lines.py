"""The diff as JSON lines: the changes as changes.jsonl holds them."""

from __future__ import annotations

import orjson
from rich.console import Console

from fsseg.report.console import sanitise_json, write
from fsseg.report.formats import Format, Report
from fsseg.report.show import Show


class JsonLinesDiff(Format):
    """All changes of the kind that is shown, whatever the limit; where all kinds are, unchanged ones too."""

    def write(self, console: Console, report: Report) -> None:
        for change in report.changes:
            if report.show is Show.ALL or change["action"] in report.show.actions:
                write(console, sanitise_json(orjson.dumps(change).decode()) + "\n")
