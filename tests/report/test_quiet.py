from __future__ import annotations

from typing import Any

import pytest

from fsseg.report.quiet import quiet_lines

from .samples import HOSTILE, dry_summary, import_summary

RUN = "2026-11-22-1412-k3"
ZERO = {"applied": 0, "unchanged": 0, "skipped": 0, "rejected": 0, "failed": 0, "pending": 0}


def undo_summary(**changed: Any) -> dict[str, Any]:
    reasons = [{"code": "conflict", "stage": "push", "outcome": "failed", "count": 2, "hint": "left alone"}]
    events = {"read": 0, "by_type": {}, "outcomes": ZERO}
    return import_summary(command="undo", inputs=[], events=events, reasons=reasons) | changed


@pytest.mark.parametrize("code", [0, 2, 3, 4, 5, 6, 7, 130])
def test_a_run_that_ended_otherwise_is_not_spoken_of(code: int) -> None:
    assert quiet_lines(import_summary(exit_code=code)) == []


def test_which_run_how_much_why_and_what_to_do() -> None:
    assert quiet_lines(import_summary()) == [
        f"fsseg import {RUN}, acme.freshsales.io: 6 rejected and 4 failed of 12,400 events",
        "  6 missing_email: no e-mail for this userId: put the e-mail into traits.email",
        "  4 unavailable: try later",
        f"See more: fsseg report {RUN}; push again what failed: fsseg retry {RUN}",
    ]


def test_the_first_event_of_a_reason_is_told_with_what_is_wrong_with_it() -> None:
    reasons = [
        {"code": "bad_row", "outcome": "rejected", "count": 12, "hint": "mend it"},
        {"code": "missing_email", "outcome": "rejected", "count": 1, "hint": "put it there"},
    ]
    failures = [
        {"_fsseg": {"code": code, "file": "users.csv", "line": line, "message": message}}
        for code, line, message in [
            ("bad_row", 3, "3 cells\x1b[2J"),
            ("missing_email", 5, "none"),
            ("bad_row", 9, "no"),
        ]
    ]
    assert quiet_lines(import_summary(reasons=reasons), failures)[1:-1] == [
        "  12 bad_row: mend it",
        "     first: users.csv line 3: 3 cells\\x1b[2J",
        "   1 missing_email: put it there",
        "     first: users.csv line 5",
    ]


def test_nothing_to_retry_where_nothing_may_succeed() -> None:
    summary = import_summary(reasons=[{"code": "missing_email", "outcome": "rejected", "count": 1}])
    summary["events"]["outcomes"] |= {"rejected": 1, "failed": 0}
    assert quiet_lines(summary)[0].endswith(": 1 rejected of 12,400 events")
    assert quiet_lines(summary)[-1] == f"See more: fsseg report {RUN}"


def test_a_dry_run_is_neither_retried_nor_applied() -> None:
    assert (
        quiet_lines(dry_summary(exit_code=1))[0]
        == f"fsseg dry-run {RUN}, acme.freshsales.io: 6 rejected of 12,400 events"
    )
    assert quiet_lines(dry_summary(exit_code=1))[-1] == f"See more: fsseg report {RUN}"


def test_of_many_reasons_the_three_most_frequent_are_told() -> None:
    codes = ["missing_email", "bad_email", "not_json", "not_utf8", "refused"]
    reasons = [{"code": code, "outcome": "rejected", "count": n, "hint": code} for n, code in enumerate(codes, 1)]
    lines = quiet_lines(import_summary(reasons=[*reasons, {"code": "filtered", "outcome": "skipped", "count": 10_000}]))
    assert len(lines) == 5
    assert [line.split()[1] for line in lines[1:4]] == ["refused:", "not_utf8:", "not_json:"]


def test_of_an_undo_records_are_told() -> None:
    assert quiet_lines(undo_summary()) == [
        f"fsseg undo {RUN}, acme.freshsales.io: 2 records were not put back",
        "  2 conflict: left alone",
        f"See more: fsseg report {RUN}",
    ]
    unavailable = [{"code": "unavailable", "outcome": "failed", "count": 1, "hint": "try later"}]
    assert quiet_lines(undo_summary(reasons=unavailable, command="resume")) == [
        f"fsseg resume {RUN}, acme.freshsales.io: 1 record was not put back",
        "  1 unavailable: try later",
        f"See more: fsseg report {RUN}; push again what failed: fsseg retry {RUN}",
    ]


def test_where_no_event_went_wrong_it_was_an_input() -> None:
    summary = import_summary(reasons=[])
    summary["events"]["outcomes"] |= {"rejected": 0, "failed": 0}
    assert quiet_lines(summary) == [
        f"fsseg import {RUN}, acme.freshsales.io: some inputs could not be read",
        f"See more: fsseg report {RUN}",
    ]


def test_nothing_hostile_reaches_the_mail() -> None:
    reasons = [{"code": HOSTILE, "outcome": "failed", "count": 1, "hint": HOSTILE}]
    text = "\n".join(quiet_lines(import_summary(account=HOSTILE, run_id=HOSTILE, command=HOSTILE, reasons=reasons)))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "report '" in text


def test_a_minimal_summary_can_be_told() -> None:
    assert quiet_lines({"events": {"read": 0, "outcomes": {}}, "exit_code": 1, "run_id": "r"})[-1].endswith("report r")
