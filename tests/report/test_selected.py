"""What is told of one person, event name or reason: nothing that isn't about it, and nothing that breaks the page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from fsseg.report.formats import Report
from fsseg.report.formats.selected import print_selected, print_selected_json, print_selected_markdown
from fsseg.report.history import History, HistoryEvent, HistoryField
from fsseg.report.selection import Selection

from .samples import HOSTILE, capturing, change, changes, failure, failures, import_summary, shown

WHO = "kim@north.example"
EVENTS = [
    HistoryEvent("2025-05-01T10:00:00.000Z", "identify", "", "e.jsonl line 1", ["city"], "updated #7"),
    HistoryEvent("2025-05-02T10:00:00.000Z", "track", "Paid", "e.jsonl line 2", [], "skipped: duplicate"),
]
FIELDS = [
    HistoryField(f"contact {WHO}", "city", "Oslo", "2025-05-01T10:00:00.000Z", "sent"),
    HistoryField(f"contact {WHO}", "job_title", "CEO", "", "held already"),
    HistoryField("deal Pilot", "name", "Pilot", "", "left out"),
]


def entry(name: str, start: str, **more: Any) -> dict[str, Any]:
    fields = {"title": {"before": None, "after": name}, "start_date": {"before": None, "after": start}}
    return change("create", "timeline", WHO, fields=fields, **more)


def report(**more: Any) -> Report:
    return Report(import_summary(), [*changes(), *more.pop("entries", ())], failures(), **more)


def text(told: Report, selection: Selection, limit: int = 20) -> str:
    console = capturing()
    assert print_selected(console, told, selection, limit)
    return shown(console)


def test_nothing_about_it_prints_nothing() -> None:
    for show in (print_selected, print_selected_markdown):
        console = capturing()
        assert not show(console, report(), Selection(person="nobody@x.example"), 20)
        assert shown(console) == ""


def test_a_person_comes_with_events_fields_records_and_entries() -> None:
    entries = [entry("Second", "2025-05-02T00:00:00Z", id=70), entry("First", "2025-05-01T00:00:00Z")]
    out = text(report(entries=entries, history=History(EVENTS, FIELDS)), Selection(person=WHO.upper()))
    for line in (
        "  2025-05-01 10:00:00  identify  e.jsonl line 1  sets city  updated #7\n",
        "  2025-05-02 10:00:00  track  Paid  e.jsonl line 2  skipped: duplicate\n",
        "      city       Oslo  since 2025-05-01 10:00:00  sent\n",
        "      job_title  CEO  held already\n",
        "  deal Pilot\n",
        f"  + 2025-05-02 00:00  Second  {WHO}  #70\n",
    ):
        assert line in out
    assert re.search(rf"\n  ~ contact +{WHO} .*#5001264008\n +job_title +CTO → CEO\n", out)
    assert out.index("First") < out.index("Second")
    assert "lena@acme.example" not in out


def test_a_failed_event_comes_with_place_reason_hint_and_itself() -> None:
    out = text(report(), Selection(reason="missing_email"))
    assert "2 events" not in out.splitlines()[0]
    assert "  6 events: no e-mail for this userId: put the e-mail into traits.email\n" in out
    assert "  missing_email  events.jsonl line 17  identify  u-1\n" in out
    assert '"messageId":"m-1"' in out
    assert "      no e-mail\n" not in out, "the hint says that already"
    assert "unavailable" not in out
    refused = text(report(), Selection(reason="unavailable"))
    assert "no e-mail (503)" in refused


def test_of_what_is_only_counted_that_is_said() -> None:
    out = text(report(), Selection(reason="ignored_trait"))
    assert "      jobtitel 3 (did you mean job_title?)\n" in out
    assert "Only the number is kept, and not which events these were." in " ".join(out.split())


def test_a_limit_says_how_many_more_there_are() -> None:
    entries = [entry(f"E{number}", f"2025-05-0{number}T00:00:00Z") for number in range(1, 6)]
    out = text(report(entries=entries), Selection(person=WHO), limit=2)
    assert ("E1" in out, "E2" in out) == (True, False)  # the other of two has no time
    assert "  … and 4 more: --limit 6\n" in out
    many = [entry(f"E{number}", "2025-05-01T00:00:00Z") for number in range(2_000)]
    assert "  … and 1,999 more: --limit 2001\n" in text(report(entries=many), Selection(person=WHO), limit=2)


def test_of_an_undo_records_are_counted() -> None:
    reasons = [{"code": "conflict", "stage": "push", "outcome": "failed", "count": 1, "hint": "left alone"}]
    undone = Report(import_summary(command="undo", inputs=[], reasons=reasons))
    out = " ".join(text(undone, Selection(reason="conflict")).split())
    assert "1 record: left alone Only the number is kept, and not which records these were." in out


def test_earlier_runs_are_named_by_the_command_that_tells_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FSSEG_STATE_DIR", str(tmp_path))
    run_dir = tmp_path / "account" / "runs" / "now"
    earlier = tuple(f"run-{number}" for number in range(5))
    out = text(report(run_dir=run_dir, history=History(EVENTS, [], earlier=earlier)), Selection(person=WHO))
    assert f"fsseg report run-0 --person {WHO}\n" in out
    assert "run-3" not in out
    assert "  … and 2 more: fsseg runs list\n" in out


def test_narrow_terminals_get_lines_that_fit() -> None:
    console = capturing(width=50, terminal=True)
    assert print_selected(console, report(history=History(EVENTS, FIELDS)), Selection(person=WHO), 20)
    out = re.sub(r"\x1b\[[\d;]*m", "", shown(console))
    assert "      sets city  updated #7\n" in out
    history = out[out.index("Events") : out.index("Records")].splitlines()
    assert max(map(len, history)) <= 50


def test_hostile_text_reaches_no_terminal_as_it_is() -> None:
    out = text(report(), Selection(person="=HYPERLINK(1)"))
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "alert(1)" in out


def test_nothing_in_the_data_closes_a_fence_of_a_ticket() -> None:
    told = Report(import_summary(), [entry("```` x", "2025-05-01T00:00:00Z")], [failure(userId=WHO, event="```")])
    console = capturing()
    assert print_selected_markdown(console, told, Selection(person=WHO), 1)
    lines = shown(console).splitlines()
    fences = [line for line in lines if line.startswith("```")]
    assert lines[0].startswith("# acme")
    assert fences == ["`````"] * 2 + ["````"] * 2


def test_programs_get_all_there_is() -> None:
    console = capturing()
    entries = [entry("Second", "2025-05-02T00:00:00Z"), entry("First", "2025-05-01T00:00:00Z")]
    print_selected_json(console, report(entries=entries, history=History(EVENTS, FIELDS)), Selection(person=WHO))
    told = orjson.loads(shown(console))
    assert (told["run_id"], told["person"], told["event"]) == ("2026-11-22-1412-k3", WHO, None)
    titles = [row["fields"]["title"]["after"] for row in told["changes"] if row["entity"] == "timeline"]
    assert titles == [HOSTILE, "First", "Second"]
    assert (len(told["history"]["events"]), told["failures"]) == (2, [])


@pytest.mark.parametrize(
    ("selection", "row", "taken"),
    [
        (Selection(person="70"), change("update", key="a@b.example", id=70), True),
        (Selection(person="#70"), change("update", key="a@b.example", id=70), True),
        (Selection(person="7"), change("update", key="a@b.example", id=70), False),
        (Selection(person="none"), {**change("create"), "key": None}, False),
        (Selection(person="u-9", names=("a@b.example",)), change("update", key="A@b.example"), True),
        (Selection(person="a@b.example"), change("create", "deal", "D", person="a@b.example"), True),
        (
            Selection(person="A@b.example"),
            change("create", "deal", "D", fields={"contacts": {"after": ["a@B.example"]}}),
            True,
        ),
        (Selection(person="new@b.example"), change("update", fields={"email": {"after": "New@b.example"}}), True),
        (Selection(event="CEO"), change("update", fields={"title": {"after": "CEO"}}), False),
        (Selection(event="order completed"), entry("Order Completed: € 5: two", "2025-05-01T00:00:00Z"), True),
        (Selection(event="order completed: € 5"), entry("Order Completed: € 5: two", "2025-05-01T00:00:00Z"), True),
        (Selection(event="order"), entry("Order Completed: € 5", "2025-05-01T00:00:00Z"), False),
        (Selection(reason="older"), change("update", warnings=["older"]), True),
        (Selection(reason="incomplete"), change("skipped", "deal", "D", warnings=["incomplete: deal.amount"]), True),
        (Selection(reason="bad_value"), change("update", warnings=[{"code": "bad_value", "name": "x"}]), True),
        (Selection(reason="bad_value", person="x"), change("update", warnings=[{"code": "bad_value"}]), False),
    ],
)
def test_what_a_record_or_entry_must_have_to_be_told(selection: Selection, row: dict[str, Any], taken: bool) -> None:
    assert selection.takes_change(row) is taken


@pytest.mark.parametrize(
    ("selection", "taken"),
    [
        (Selection(person="U-1"), True),
        (Selection(person="e@x.example"), True),
        (Selection(person="u-2"), False),
        (Selection(event="seen"), True),
        (Selection(event="seen", reason="missing_email"), True),
        (Selection(event="seen", reason="refused"), False),
    ],
)
def test_what_a_failed_event_must_have_to_be_told(selection: Selection, taken: bool) -> None:
    row = failure(event="Seen", traits={"email": "e@x.example"})
    assert selection.takes_failure(row) is taken
    assert bool(Selection()) is False
    assert str(Selection("ada", None, "older")) == "ada and older"
