from __future__ import annotations

from typing import Any

import orjson

from fsseg.report.formats import Report, ReportFormat
from fsseg.report.render import print_json

from .samples import HOSTILE, capturing, changes, failures, import_summary, shown


def rendered(format: str, summary: dict[str, Any] | None = None, **options: Any) -> str:
    console = capturing()
    report = Report(summary or import_summary(), changes(), failures(), most_failures=20, **options)
    ReportFormat[format.upper()].load().write(console, report)
    return shown(console)


def test_json_is_exactly_the_summary() -> None:
    hostile = import_summary(notes=[HOSTILE])
    assert orjson.loads(rendered("json", hostile)) == hostile
    assert "\u202e" not in rendered("json", hostile)


def test_json_of_a_quiet_console_is_silent() -> None:
    console = capturing(quiet=True)
    print_json(console, {})
    assert shown(console) == ""


def test_csv_on_a_terminal_holds_no_control_characters() -> None:
    text = rendered("csv")
    assert text.startswith("file,line,stage,code")
    assert "'=HYPERLINK(1)" in text
    assert "\x1b" not in text


def test_text_lists_failed_events() -> None:
    assert "events.jsonl line 2040  unavailable  u-1  no e-mail" in rendered("text")
