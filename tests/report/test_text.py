from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fsseg.figures import number
from fsseg.report.files import JsonLines, write_summary
from fsseg.report.formats.html import render_html
from fsseg.report.formats.markdown import markdown_lines
from fsseg.report.formats.text import print_dry_run, print_totals
from fsseg.report.model import OUTCOMES, Failures, needing_attention, outcome_rows
from fsseg.report.next_steps import next_steps

from .samples import HOSTILE, capturing, change, changes, dry_summary, failure, failures, import_summary, shown


def totals(summary: dict[str, Any], width: int = 100, **options: Any) -> str:
    console = capturing(width=width)
    print_totals(console, summary, options.pop("failures", failures()), **options)
    return shown(console)


def test_outcomes_are_told_and_add_up_to_what_was_read() -> None:
    text = totals(import_summary())
    assert "events read  12,400  11,000 identify" in text
    assert "applied      11,016  ━━" in text
    assert "failed            4" in text
    assert sum(count for _, count in outcome_rows(import_summary())) == 12_400
    assert "pending" not in text


def test_a_dry_run_counts_entries_by_event_and_activity_type() -> None:
    rows = [{"event": f"Event {n}", "via": "sales_activity", "type": "Order", "count": 1200 - n} for n in range(10)]
    rows.append({"event": HOSTILE, "via": "tracking", "type": None, "count": 1})
    text = totals(dry_summary(entries=rows), brief=True)
    assert "timeline" in text and "Event 0 → Order   1,200\n" in text and "… and 3 more events\n" in text
    whole = totals(dry_summary(entries=rows))
    assert "→ tracked event" in whole and "\x1b" not in whole
    assert "→ Order" not in totals(import_summary(entries=rows))


def test_why_a_run_stopped_is_told_later_and_not_twice_as_it_ends() -> None:
    summary = import_summary(exit_code=5, stopped_by="the time is\x1b up")
    assert "! Why it stopped: the time is\\x1b up" in totals(summary)
    assert "Why it stopped" not in totals(summary, brief=True)


def test_what_no_event_came_to_has_no_row() -> None:
    summary = import_summary()
    summary["events"]["outcomes"] |= {"failed": 0, "applied": 11_020}
    assert "failed  " not in totals(summary).partition("records")[0]


def test_a_dry_run_counts_by_field_what_would_be_set_and_cleared() -> None:
    fields = {f"cf_{n:02}": {"set": 30 - n, "cleared": 0} for n in range(20)}
    summary = dry_summary() | {"fields": {"lead": fields, "contact": {"job_title": {"set": 120, "cleared": 30}}}}
    lines = totals(summary, brief=True).splitlines()
    at = next(n for n, line in enumerate(lines) if line.split() == ["fields", "to", "set", "to", "clear"])
    assert [line.split() for line in lines[at + 1 : at + 3]] == [
        ["contact", "job_title", "120", "30"],
        ["lead", "cf_00", "30", "0"],
    ]
    assert lines[at + 9] == "  … and 13 more fields"
    assert "cf_19" in totals(summary)


def test_a_dry_run_in_the_sandbox_says_how_long_real_accounts_would_take() -> None:
    summary = dry_summary() | {"account": "sandbox-classic"}
    summary["forecast"] = {"requests": 4_500 + summary["requests"]["total"], "seconds": 1350.0}
    text = " ".join(totals(summary, width=200).split())
    assert "On an account with 2,000, 5,000 an hour: about 2 hours, under an hour." in text
    assert "On an account" not in totals(dry_summary() | {"account": "sandbox-classic"})


REASONS: list[dict[str, Any]] = [
    {"code": code, "stage": "map", "outcome": outcome, "count": 90 - n}
    for n, (code, outcome) in enumerate(
        [(code, "rejected") for code in ("missing_email", "bad_email", "not_json", "truncated", "unknown_type")]
        + [(code, "skipped") for code in ("filtered", "duplicate", "consent", "suppressed")]
    )
]


def test_the_last_words_of_a_run_have_three_reasons_and_say_once_where_the_others_are() -> None:
    summary = import_summary(reasons=REASONS)
    brief, full = totals(summary, brief=True), totals(summary)
    assert all(reason["code"] in full for reason in REASONS)
    assert [reason["code"] for reason in REASONS if f"  {reason['code']}  " in brief] == [
        "missing_email", "bad_email", "not_json", "filtered", "duplicate", "consent",
    ]  # fmt: skip
    assert "… and 2 more reasons\n" in brief and "… and 1 more reason\n" in brief
    assert brief.count("fsseg report 2026-11-22-1412-k3") == 1


def test_where_nothing_else_advises_the_report_what_is_left_out_does() -> None:
    clean = import_summary(exit_code=0, reasons=REASONS[5:])
    clean["events"]["outcomes"] |= {"rejected": 0, "failed": 0}
    assert "… and 1 more reason: fsseg report 2026-11-22-1412-k3\n" in totals(clean, brief=True)


def test_the_page_to_look_at_is_named_first(tmp_path: Path) -> None:
    for name in ("summary.json", "failures.jsonl", "report.html"):
        (tmp_path / name).touch()
    lines = totals(import_summary(), run_dir=tmp_path).splitlines()
    assert [line for line in lines if line.startswith(str(tmp_path))] == [
        str(tmp_path / name) for name in ("report.html", "failures.jsonl", "summary.json")
    ]
    brief = totals(import_summary(), run_dir=tmp_path, brief=True).splitlines()
    assert [line for line in brief if line.startswith(str(tmp_path))] == [str(tmp_path / "report.html")]


def test_pending_events_are_told_when_there_are_any() -> None:
    summary = import_summary(exit_code=5)
    summary["events"]["outcomes"] |= {"applied": 1016, "pending": 10_000}
    text = totals(summary)
    assert "pending      10,000" in text
    assert "Stopped early after 6 m 12 s; nothing is lost." in text
    assert "Go on where it stopped:  fsseg resume 2026-11-22-1412-k3" in text
    assert {name for name, _ in outcome_rows(summary)} == set(OUTCOMES)


def test_records_are_a_table_with_aligned_columns_that_hold_numbers() -> None:
    lines = totals(import_summary()).splitlines()
    head = next(i for i, line in enumerate(lines) if "records" in line)
    assert lines[head].split() == ["records", "created", "updated", "unchanged", "failed"]
    assert [line.split() for line in lines[head + 1 : head + 4]] == [
        ["lead", "100", "20", "1,104", "1"],
        ["contact", "20", "21", "100", "0"],
        ["timeline", "1,058", "0", "0", "0"],
    ]
    assert len({len(line) for line in lines[head : head + 4]}) == 1


def test_reasons_have_counts_hints_and_the_first_place() -> None:
    text = totals(import_summary())
    assert "Rejected or failed: 10 events" in text
    assert "6  missing_email  no e-mail for this userId: put the e-mail into traits.email" in text
    assert "first: events.jsonl line 17" in text
    assert "first: events.jsonl line 2040" in text
    assert text.index("missing_email") < text.index("unavailable") < text.index("Skipped") < text.index("anonymous")


def test_a_reason_without_a_hint_of_its_own_gets_the_known_one() -> None:
    summary = import_summary(reasons=[{"code": "duplicate", "stage": "skip", "outcome": "skipped", "count": 170}])
    assert "170  duplicate  delivered before (--again compares it once more), or twice in the input" in totals(summary)


@pytest.mark.parametrize("code", ["unmet_event", "placeholder_id", "duplicate_person"])
def test_a_warning_is_wrapped_however_long_what_it_begins_with_is(code: str) -> None:
    rows = [{"code": code, "name": f"Order {n}", "count": 1, "hint": "a hint of some words " * 9} for n in range(3)]
    lines = totals(import_summary(warnings=rows)).splitlines()
    assert max(map(len, lines)) <= 120, max(lines, key=len)


def test_ignored_traits_are_listed_most_frequent_first_with_their_hints() -> None:
    text = totals(import_summary())
    assert "Ignored traits: favoriteColor 30, jobtitel 3 (did you mean job_title?); no field of that name" in text
    assert "Values that did not fit: 2, each left out\n  2  employees  the value is no number\n" in text


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_values_that_did_not_fit_are_a_table_with_the_first_of_each(width: int) -> None:
    first = {"key": "tove@fjell.example", "value": "a dozen", "file": "messy.jsonl", "line": 44}
    named = [("cfSeats", 12), ("cfPlan", 3), ("cfDay", 2), ("cfOther", 1)]
    rows = [
        {"code": "bad_value", "name": n, "count": c, "hint": f"{n} takes a number", "samples": [first]}
        for n, c in named
    ]
    text = totals(import_summary(warnings=rows, requests={"total": 231}), width=width)
    assert max(map(len, text.splitlines())) <= max(width, 80)
    words = " ".join(text.split())
    assert 'Values that did not fit: 18, each left out 12 cfSeats cfSeats takes a number first: "a dozen" of' in words
    assert "tove@fjell.example, messy.jsonl line 44 3 cfPlan" in words


def test_requests_are_told_against_their_forecast() -> None:
    told = " ".join(totals(import_summary()).split())
    forecast = "forecast 219, without retries and reads after lost answers"
    assert f"231 requests ({forecast}), none refused by the quota, 2 retried, waited 3.2 s" in told


def test_a_dry_run_says_would_and_forecasts_the_import() -> None:
    text = totals(dry_summary())
    assert "Plan: 120 to create, 41 to update, 1,204 unchanged, 1 conflict; 1,058 timeline entries." in text
    assert "would apply  11,020" in text
    assert "to create  to update" in text
    forecast = "An import takes about 219 requests, 205 of them to write what is planned: about 13 minutes"
    assert f"{forecast} at 1,000 requests an hour." in " ".join(text.split())
    assert "Apply exactly this:  fsseg apply 2026-11-22-1412-k3" in text
    assert "acme.freshsales.io · classic · 1,000 requests/hour, 874 left" in text


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (130, "Interrupted after 6 m 12 s; nothing is lost."),
        (3, "refused the credentials or the permission"),
        (6, "The safety brake refused the run"),
    ],
)
def test_a_run_that_did_not_end_well_says_how_it_ended(code: int, words: str) -> None:
    assert words in totals(import_summary(exit_code=code))
    assert words in totals(dry_summary(exit_code=code)).replace("\n", " ")


@pytest.mark.parametrize(
    ("code", "written", "words"),
    [
        (3, 0, "permission; nothing was written."), (3, 1, "permission; nothing is lost."),
        (6, 0, "the run; nothing was written."), (6, 1, "the run; nothing more was written."),
    ],
)  # fmt: skip
def test_that_nothing_was_written_is_said_only_where_that_is_so(code: int, written: int, words: str) -> None:
    assert words in totals(import_summary(exit_code=code, requests={"total": 9, "write": written}))


def test_files_are_named_only_where_they_are(tmp_path: Path) -> None:
    assert "summary.json" not in totals(import_summary(), run_dir=tmp_path)
    write_summary(tmp_path / "summary.json", import_summary())
    text = totals(import_summary(run_dir=str(tmp_path)))
    assert str(tmp_path / "summary.json") in text
    assert "failures.jsonl" not in text
    JsonLines(tmp_path / "failures.jsonl").close()
    assert f"Mend them, then:  fsseg import {tmp_path / 'failures.jsonl'}" in totals(import_summary(), run_dir=tmp_path)


def test_next_steps_fit_what_is_left_to_do() -> None:
    assert [step.command.split()[1] for step in next_steps(import_summary())] == ["retry", "report"]
    clean = import_summary(exit_code=0, reasons=[])
    clean["events"]["outcomes"] |= {"rejected": 0, "failed": 0}
    assert next_steps(clean) == []
    held = next_steps(dry_summary(exit_code=6))
    assert [step.command.split()[1] for step in held] == ["apply", "report"]
    assert held[0].command.endswith(" --allow-mass-changes")


def test_failed_events_are_listed_on_request_up_to_the_limit() -> None:
    text = totals(import_summary(), show_failures=2)
    assert "  events.jsonl line 18  missing_email  =HYPERLINK(1)  no e-mail" in text
    assert "… and 8 more" in text


def test_a_full_report_says_where_the_traits_are_that_it_leaves_out() -> None:
    misfits = [{"code": "bad_value", "name": f"trait{n}", "count": 1, "hint": "a number"} for n in range(10)]
    summary = import_summary(warnings=misfits)
    assert re.search(r"\n  … and 2 more traits: fsseg report \S+ .*--reason bad_value\n", totals(summary) + "\n")


def test_nothing_hostile_in_the_data_reaches_the_terminal() -> None:
    warnings = [{"code": "ignored_trait", "name": HOSTILE, "count": 1, "hint": HOSTILE}]
    summary = import_summary(account=HOSTILE, warnings=warnings, notes=[HOSTILE], run_id=HOSTILE)
    text = totals(summary, failures=[failure(userId=HOSTILE)], show_failures=5)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[bold]x\\x1b[31m\\u202egnp" in text


def test_lines_keep_to_a_narrow_terminal() -> None:
    console = capturing(width=60, terminal=True, no_color=True)
    print_totals(console, import_summary(exit_code=5), failures(), show_failures=5)
    plain = [line for line in shown(console).splitlines() if "fsseg " not in line]
    assert max(len(line.replace("\x1b[0m", "").replace("\x1b[1m", "").replace("\x1b[2m", "")) for line in plain) <= 60


def test_an_ascii_stream_gets_ascii_only() -> None:
    console = capturing(encoding="ascii")
    print_dry_run(console, dry_summary(), changes(), failures())
    text = shown(console)
    assert "job_title   CTO -> CEO" in text
    assert "acme.freshsales.io | classic" in text
    assert "would apply  11,020  ###" in text


def test_a_minimal_summary_can_be_shown() -> None:
    summary = {"events": {"read": 0, "by_type": {}, "outcomes": {}}, "run_id": "r", "exit_code": 0}
    assert "0 requests" in totals(summary, failures=[])


def test_a_dry_run_shows_account_diff_and_totals_in_this_order() -> None:
    console = capturing()
    print_dry_run(console, dry_summary(), iter(changes()), failures())
    text = shown(console)
    order = ["acme.freshsales.io", "+ lead      lena@acme.example", "Plan: 120", "Apply exactly this"]
    assert sorted(order, key=text.index) == order


def test_failures_are_read_no_further_than_needed() -> None:
    taken = []

    def stream() -> Iterator[dict[str, Any]]:
        for row in [*failures(), *(failure(line=n) for n in range(1000))]:
            taken.append(row)
            yield row

    found = Failures.of(import_summary(), stream(), limit=5)
    assert found.first == {"missing_email": "events.jsonl line 17", "unavailable": "events.jsonl line 2040"}
    assert len(found.rows) == len(taken) == 5


def undo_summary(records: dict[str, Any], **changed: Any) -> dict[str, Any]:
    outcomes = dict.fromkeys(OUTCOMES, 0)
    events = {"read": 0, "by_type": {}, "outcomes": outcomes}
    return import_summary(command="undo", exit_code=0, inputs=[], events=events, reasons=[], warnings=[]) | {
        "records": records,
        **changed,
    }


UNDONE = {"lead": {"update": 12, "conflict": 1, "unchanged": 40}, "deal": {"failed": 1}, "timeline": {"delete": 3}}


def test_an_undo_tells_records_and_has_no_table_of_events() -> None:
    conflicts = [{"code": "conflict", "stage": "push", "outcome": "failed", "count": 2, "hint": "left alone"}]
    text = totals(undo_summary(UNDONE, reasons=conflicts, exit_code=1), failures=[])
    assert "Put back 12 records, deleted 3, left 2 alone (6 m 12 s).\n\n  records" in text
    assert "applied" not in text
    assert "  records      put back  deleted  unchanged  left alone  failed\n" in text
    assert "Not put back: 2 records" in text
    assert "2 records were not put back:  fsseg report 2026-11-22-1412-k3" in text


@pytest.mark.parametrize(
    ("records", "done", "planned"),
    [
        (UNDONE, "Put back 12 records, deleted 3, left 2 alone", "To put back: 12 records, to delete: 3, to leave alone: 2"),
        ({"lead": {"update": 1}}, "Put back 1 record", "To put back: 1 record"),
        ({"lead": {"delete": 1, "conflict": 1}}, "Deleted 1 record, left 1 alone", "To delete: 1 record, to leave alone: 1"),
        ({"deal": {"conflict": 2}}, "Left 2 records alone", "To leave alone: 2 records"),
        ({"lead": {"unchanged": 48}}, "Nothing to put back", "Nothing to put back"),
        ({}, "Nothing to put back", "Nothing to put back"),
    ],
)  # fmt: skip
def test_an_undo_says_what_was_put_back(records: dict[str, Any], done: str, planned: str) -> None:
    assert f"{done} (6 m 12 s).\n" in totals(undo_summary(records), failures=[])
    text = totals(undo_summary(records, dry_run=True), failures=[])
    assert f"{planned}.\n" in text
    assert "would apply" not in text


def test_an_undo_that_was_resumed_is_an_undo_and_a_resumed_import_is_not() -> None:
    assert "Put back 12 records" in totals(undo_summary(UNDONE, command="resume"), failures=[])
    assert "events read  12,400" in totals(import_summary(command="resume"))


def test_an_undo_that_stopped_says_so() -> None:
    text = totals(undo_summary({"lead": {"update": 3, "pending": 9}}, exit_code=5), failures=[])
    assert "Stopped early after 6 m 12 s; nothing is lost." in text
    assert "fsseg resume 2026-11-22-1412-k3" in text


def test_markdown_says_what_became_of_the_events_so_that_they_add_up() -> None:
    summary = import_summary()
    text = "\n".join(markdown_lines([], summary=summary))
    names, _, counts = text.partition("| events | ")[2].split("\n")[:3]
    told = dict(zip(names.strip(" |").split(" | "), counts.strip(" |").split(" | "), strict=True))
    outcomes = {name: number(count) for name, count in summary["events"]["outcomes"].items() if count}
    assert told == {"read": number(summary["events"]["read"]), **outcomes}


def test_an_undo_has_no_events_in_html_and_markdown_either() -> None:
    conflicts = [{"code": "conflict", "stage": "push", "outcome": "failed", "count": 2, "hint": "left alone"}]
    summary = undo_summary(UNDONE, reasons=conflicts, exit_code=1)
    page = "".join(render_html(summary, [], []))
    assert 'id="events"' not in page
    assert 'id="events"' in "".join(render_html(import_summary(), [], []))
    assert "Put back 12 records, deleted 3, left 2 alone" in page
    assert "2 records left alone" in page
    assert "Why records were not put back" in page
    text = "\n".join(markdown_lines([], summary=summary))
    assert "## Not put back" in text
    assert "events" not in text.lower()


def test_what_is_wrong_with_the_first_event_stands_beside_its_place_where_the_hint_does_not_say_it() -> None:
    row = next(row for row in needing_attention(import_summary()) if row.code == "unavailable")
    about = {"file": "events.jsonl", "line": 17, "code": row.code, "message": "502 Bad Gateway" + ", nor that" * 40}
    text = totals(import_summary(), failures=[{"_fsseg": about}])
    assert "first: events.jsonl line 17: 502 Bad Gateway, nor that" in " ".join(text.split())
    assert text.count("nor that") < 30
    told = totals(import_summary(), failures=[{"_fsseg": about | {"message": row.hint}}])
    assert "first: events.jsonl line 17\n" in told
    listed = totals(import_summary(), failures=[{"_fsseg": about}], show_failures=1)
    assert "first: events.jsonl line 17\n" in listed and "502 Bad Gateway" in listed
    assert "fsseg report" in text and "need you:" not in listed


def test_in_a_pipe_no_value_of_the_diff_is_cut() -> None:
    long = "a long note " * 40
    rows = [change("update", "lead", "k@x.example", fields={"cf_note": {"before": long, "after": f"{long}too"}})]
    for terminal in (False, True):
        console = capturing(width=100, terminal=terminal, no_color=True)
        print_dry_run(console, dry_summary(), rows)
        assert (f"{long} → {long}too" in shown(console)) is not terminal
