from __future__ import annotations

import re
import stat
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson

from fsseg.report.formats import Report, ReportFormat
from fsseg.report.formats.html import SHOWN, render_html, write_html
from fsseg.report.render import print_json

from .samples import HOSTILE, capturing, change, changes, dry_summary, failure, failures, import_summary, shown


def rendered(format: str, summary: dict[str, Any] | None = None, **options: Any) -> str:
    console = capturing()
    report = Report(summary or import_summary(), changes(), failures(), most_failures=20, **options)
    ReportFormat[format.upper()].load().write(console, report)
    return shown(console)


class Page(HTMLParser):
    """Tags, attributes and text; complains of tags that are not closed in order."""

    VOID = frozenset({"meta", "br", "link", "img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.words += " " if tag in ("dt", "dd", "td", "th", "li", "p") else ""
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


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


def test_html_is_well_formed_and_needs_nothing_from_elsewhere() -> None:
    page = Page(rendered("html"))
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert not [value for name, value in page.attributes if name in ("src", "href", "srcset")]
    assert not re.search(r"url\(|@import|https?://", rendered("html"))
    assert ("lang", "en") in page.attributes


def test_html_escapes_what_it_is_given() -> None:
    summary = import_summary(
        account=HOSTILE,
        command=HOSTILE,
        run_id=HOSTILE,
        notes=[HOSTILE],
        inputs=[{"path": HOSTILE, "container": HOSTILE, "events": 1}],
        warnings=[{"code": HOSTILE, "name": HOSTILE, "count": 1, "hint": HOSTILE}],
    )
    text = render_html(summary, [change("create", HOSTILE, HOSTILE)], [failure(HOSTILE, userId=HOSTILE, event=HOSTILE)])
    assert "script" not in Page(text).tags
    assert "&lt;script&gt;" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_html_holds_totals_reasons_warnings_changes_and_failures() -> None:
    words = " ".join(Page(rendered("html")).words.split())
    for part in (
        "Import 2026-11-22-1412-k3 10 events need you",
        "applied 11,016",
        "lead 100 20 1,104 1",
        "missing_email rejected 6",
        "first: events.jsonl line 17",
        "favoriteColor 30",
        "kim@north.example #5001264008",
        "job_title CTO→CEO",
        "events.jsonl line 2040 u-1 track · Order Completed",
        "231 requests (forecast 219)",
        "fsseg retry 2026-11-22-1412-k3",
    ):
        assert part in words, part


def test_html_headings_descend_by_single_steps() -> None:
    levels = [int(tag[1]) for tag in Page(rendered("html")).tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_html_of_a_dry_run_says_would() -> None:
    words = " ".join(Page(render_html(dry_summary(), changes(), failures())).words.split())
    assert "What would change" in words
    assert "Nothing was written." in words
    assert "An import takes about 219 requests" in words
    assert "fsseg apply 2026-11-22-1412-k3" in words


def test_html_shows_the_first_of_many_and_says_so() -> None:
    summary = import_summary()
    summary["events"]["outcomes"] |= {"rejected": 700}
    many = [change("create", key=f"{n}@x.example") for n in range(SHOWN + 7)]
    words = Page(render_html(summary, many, (failure(line=n) for n in range(700)))).words
    assert words.count("@x.example") == SHOWN
    assert "and 7 more: changes.jsonl holds them all" in words
    assert "and 204 more: failures.jsonl and failures.csv hold them all" in words


def test_html_of_a_minimal_summary_can_be_made() -> None:
    page = render_html({"events": {"read": 0, "outcomes": {}}, "exit_code": 0}, [], [])
    assert "all well" in Page(page).words


def test_the_html_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_html(path, import_summary(), changes(), failures())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text("utf-8").startswith("<!doctype html>")
