from __future__ import annotations

import csv
import json
import re
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Shell


def summary(shell: Shell) -> dict[str, object]:
    (run,) = (shell.state / "sandbox-classic" / "runs").iterdir()
    return dict(json.loads((run / "summary.json").read_text()))


def total(shell: Shell) -> int:
    events = summary(shell)["events"]
    assert isinstance(events, dict)
    return int(events["read"])


def test_without_a_run_the_latest_is_reported(after_import: Shell) -> None:
    done = after_import("report")
    assert done.code == 0
    assert str(summary(after_import)["run_id"]) in done.out
    assert "Events that need you" in done.out
    assert "need you:  " not in after_import("report", "--limit", "0").out
    some = after_import("report", "--limit", "1").out
    assert re.search(r"\n  … and 16 more: fsseg report \S+ --sandbox( --state-dir \S+)? --limit 17\n", some)


def test_json_is_the_summary_itself(after_import: Shell) -> None:
    assert after_import("report", "--format", "json").json == summary(after_import)
    assert after_import("report", "--json").json == summary(after_import)


def test_csv_has_a_row_for_each_event_that_failed(after_import: Shell) -> None:
    done = after_import("report", str(summary(after_import)["run_id"]), "--format", "csv")
    rows = list(csv.DictReader(done.out.splitlines()))
    assert len(rows) == 17
    assert {"code", "line", "hint"} <= rows[0].keys()


@pytest.mark.parametrize("format", ["text", "json", "csv", "html"])
def test_a_file_holds_what_stdout_would_and_is_private(after_import: Shell, format: str) -> None:
    path = after_import.folder / "out"
    done = after_import("report", "--format", format, "--output", path)
    assert (done.code, done.out) == (0, "")
    assert path.read_bytes().decode() == after_import("report", "--format", format).out
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_page_stands_for_itself(after_import: Shell) -> None:
    done = after_import("report", "--format", "html")
    assert done.out.startswith("<!doctype html>") or done.out.startswith("<!DOCTYPE html>")
    assert not re.search(r"src=|href=\"(?!#)", done.out)


def test_a_place_that_cannot_be_written_is_a_usage_error(after_import: Shell) -> None:
    done = after_import("report", "--output", Path("no") / "such" / "folder.html")
    assert done.code == 2
    assert "can't be written" in done.err


def test_with_no_run_there_is_nothing_to_report(shell: Shell) -> None:
    done = shell("report")
    assert (done.code, done.out) == (2, "")
    assert "no finished run" in done.err


def test_quiet_says_only_what_needs_attention(after_import: Shell) -> None:
    run = str(summary(after_import)["run_id"])
    done = after_import("report", "--quiet")
    assert (done.code, done.out) == (0, "")
    first, *_, last = done.err.splitlines()
    assert first == f"fsseg import {run}, sandbox-classic: 17 rejected of {total(after_import)} events"
    assert last.startswith(f"See more: fsseg report {run} --sandbox")
    assert after_import("report", "--quiet", "--json").json == summary(after_import)


def test_quiet_says_nothing_where_all_is_well(shell: Shell) -> None:
    good = {"type": "identify", "userId": "ada@x.example", "messageId": "1", "traits": {"title": "CEO"}}
    path = shell.write("good.jsonl", good | {"timestamp": "2024-05-01T09:00:00Z"})
    assert shell("import", "--sandbox", "--quiet", path).code == 0
    done = shell("report", "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")
    other = shell.write("other.jsonl", good | {"userId": "bo@x.example", "timestamp": "2024-05-01T09:00:00Z"})
    assert shell("import", "--sandbox", "--quiet", "--again", "--max-requests", "7", other).code == 5
    stopped = shell("report", "--quiet")
    assert (stopped.code, stopped.out) == (0, "")
    assert "Stopped early" in stopped.err
    assert "fsseg resume" in stopped.err


def test_what_was_given_and_could_not_be_read_is_in_every_report(shell: Shell) -> None:
    person = {"type": "identify", "userId": "ada@example.com", "traits": {"title": "CEO"}}
    faulty = {"page.html": b"<!DOCTYPE html><html></html>", "book.xlsx": b"PK\x03\x04" + b"\0" * 99}
    for name, content in faulty.items():
        (shell.folder / name).write_bytes(content)
    paths = [shell.write("a.jsonl", person), *(shell.folder / name for name in faulty)]
    assert shell("import", "--sandbox", "--quiet", *paths).code == 1
    inputs = {Path(row["path"]).name: row for row in summary(shell)["inputs"]}  # type: ignore[attr-defined]
    shown = " ".join(shell("report").out.split())
    page = shell("report", "--format", "html").out
    for name in faulty:
        assert name in inputs[name]["unreadable"]
        assert f"Not read: {shell.folder / name}: " in shown
        assert f"Not read: {shell.folder / name}: " in page
    assert "unreadable" not in inputs["a.jsonl"]
