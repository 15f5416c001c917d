from __future__ import annotations

import re
import stat
from base64 import b64encode
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest

from fsseg.report.files import read_lines
from fsseg.report.formats.html import render_html, write_html
from fsseg.report.labels import labels, record_addresses
from fsseg.report.packed import pack

from .pages import Page
from .samples import HOSTILE, change, changes, dry_summary, failure, failures, import_summary


def rendered(summary: dict[str, Any] | None = None) -> str:
    return "".join(render_html(summary or import_summary(), changes(), failures()))


def test_it_is_well_formed_and_needs_nothing_from_elsewhere() -> None:
    page = Page(rendered())
    assert not {"link", "img", "iframe"} & set(page.tags)
    addresses = [value for name, value in page.attributes if name in ("src", "href", "srcset")]
    assert all(str(address).startswith("#") for address in addresses)
    for part in (page.held["style"], page.held["script"]):
        assert not re.search(r"url\(|@import|\bfetch\(|https?://(?!www\.w3\.org/2000/svg)", part)
    assert ("lang", "en") in page.attributes
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]


def test_only_its_own_script_and_style_may_run() -> None:
    page = Page(rendered())
    policy = next(str(value) for name, value in page.attributes if name == "content" and "default-src" in str(value))
    assert "default-src 'none'" in policy and "unsafe" not in policy
    for part in (page.held["style"], page.held["script"]):
        assert f"'sha256-{b64encode(sha256(part.encode()).digest()).decode()}'" in policy


def test_what_it_is_given_stays_text() -> None:
    hostile = f"{HOSTILE}</script><!--"
    summary = import_summary(
        account=hostile, command=hostile, run_id=hostile, notes=[hostile], edition=hostile,
        inputs=[{"path": hostile, "container": hostile, "events": 1}],
        warnings=[
            {"code": hostile, "name": hostile, "count": 1, "hint": hostile},
            {"code": "bad_value", "name": hostile, "count": 1, "hint": hostile,
             "samples": [{"key": hostile, "value": hostile, "file": hostile, "line": 1}]},
        ],
    )  # fmt: skip
    rows = [change("create", hostile, hostile)], [failure(hostile, userId=hostile, event=hostile)]
    text = "".join(render_html(summary, *rows))
    page = Page(text)
    assert page.tags.count("script") == Page(rendered()).tags.count("script")
    assert "<script>alert" not in text and "&lt;script&gt;alert" in text
    assert "\x1b" not in text and "\u202e" not in text
    assert (page.rows("changes-data"), page.rows("failures-data")) == rows
    assert orjson.loads(page.held["about"])["run"] == hostile


def test_of_an_archive_it_names_the_first_objects() -> None:
    paths = [f"s3://archive/{number:06d}.gz" for number in range(50_000)]
    objects = [
        {"path": path, "container": "jsonl.gz", "events": 4, "unreadable": f"{path}: it isn't there"} for path in paths
    ]
    text = rendered(import_summary(inputs=objects))
    words = " ".join(Page(text).words.split())
    assert "49,900 more 199,600 events; summary.json names them" in words
    assert "Not read: 49,900 more inputs: summary.json names them" in words
    assert (text.count(paths[99]), text.count(paths[100])) == (2, 0)
    words = " ".join(Page(rendered(import_summary(inputs=objects[:101]))).words.split())
    assert "Not read: 1 more input: summary.json names them" in words
    assert "1 more 4 events; summary.json names them" in words


def test_it_holds_totals_reasons_warnings_changes_and_failures() -> None:
    page = Page(rendered())
    words = " ".join(page.words.split())
    for part in (
        "Import 2026-11-22-1412-k3 10 events need you",
        "2026-11-22 14:12:00 to 14:18:12 UTC",
        "11,016 applied",
        "applied 11,016",
        "lead 100 20 1,104 1",
        "missing_email 6 no e-mail for this userId: put the e-mail into traits.email First: events.jsonl line 17",
        "favoriteColor 30",
        "employees 2 the value is no number",
        "231 requests (forecast 219, without retries and reads after lost answers)",
        "fsseg retry 2026-11-22-1412-k3",
    ):
        assert part in words, part
    assert page.rows("changes-data") == changes()
    assert page.rows("failures-data") == failures()


def test_a_page_of_a_part_says_that_what_it_counts_is_the_whole_run() -> None:
    words = Page(rendered(import_summary(selected="unknown_person"))).words
    assert "10 events need you in the whole run" in words
    assert "only records and failed events about unknown_person" in words


def test_headings_descend_by_single_steps() -> None:
    levels = [int(tag[1]) for tag in Page(rendered()).tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_a_dry_run_says_would() -> None:
    words = " ".join(Page(rendered(dry_summary())).words.split())
    for part in ("Record by record", "Nothing was written.", "An import takes about 219 requests"):
        assert part in words
    assert "fsseg apply 2026-11-22-1412-k3" in words


def test_what_needs_somebody_comes_first() -> None:
    words = Page(rendered()).words
    assert words.index("What needs you") < words.index("What to do next") < words.index("Record by record")


def test_more_than_a_page_may_hold_is_cut_at_a_line_and_counted(tmp_path: Path) -> None:
    path, lines = tmp_path / "changes.jsonl", [orjson.dumps({"n": n}) + b"\n" for n in range(50_000)]
    path.write_bytes(b"".join(lines))
    for most in (0, 1, 9, 300_000, 400_000, 1 << 30):
        whole = path.read_bytes()[:most].count(b"\n")
        packed = pack(read_lines(path), most)
        page = Page(f'<script id="x">{packed.text}</script>')
        assert packed.rows == whole
        assert page.rows("x") == [{"n": n} for n in range(whole)]
        assert pack(({"n": n} for n in range(50_000)), most).rows == whole


def test_a_minimal_summary_will_do() -> None:
    page = "".join(render_html({"events": {"read": 0, "outcomes": {}}, "exit_code": 0}, [], []))
    assert "all well" in Page(page).words


def test_the_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_html(path, import_summary(), changes(), failures())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text("utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("account", "edition", "address"),
    [
        ("acme.freshsales.io", "classic", "https://acme.freshsales.io/contacts/"),
        ("acme.myfreshworks.com", "suite", "https://acme.myfreshworks.com/crm/sales/contacts/"),
        ("127.0.0.1:8787", "suite", "http://127.0.0.1:8787/contacts/"),
        ("sandbox-classic", "classic", None),
        ("javascript:alert(1)", "classic", None),
        ("evil.example/x", "classic", None),
        ("acme.freshsales.io:8443", "classic", None),
    ],
)
def test_records_are_linked_to_where_they_are_to_be_seen(account: str, edition: str, address: str | None) -> None:
    assert record_addresses(account, edition).get("contact") == address


def test_labels_are_those_of_the_account_or_the_standard_ones(tmp_path: Path) -> None:
    assert labels("classic", None)["lead"]["job_title"] == "Job title"
    assert "company.name" in labels("classic", tmp_path)["lead"]
    assert labels("?", None) == {}
    (tmp_path / "fields.json").write_bytes(
        orjson.dumps(
            {"edition": "suite", "selectors": {}, "assumed": False,
             "fields": {"contact": [{"name": "cf_tier", "label": "Tier", "type": "text"}]}}
        )
    )  # fmt: skip
    assert labels("suite", tmp_path)["contact"]["cf_tier"] == "Tier"
