"""The report in a browser, opened from disk."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from playwright.sync_api import Browser

from fsseg.report.files import read_lines
from fsseg.report.formats.html import render_html, write_html
from fsseg.report.history import History, HistoryEvent, HistoryField
from tests.browser.conftest import Opened, file_address, opened
from tests.report.samples import HOSTILE, change, changes, dry_summary, failure, failures, import_summary

MANY = 100_000


def written(folder: Path, summary: dict[str, Any], rows: list[Any], failed: list[Any]) -> Path:
    path = folder / "report.html"
    write_html(path, summary, rows, failed)
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    refused = failure("refused", 99, userId="u-7")
    refused["_fsseg"] |= {
        "stage": "push",
        "message": "Job title is too long",
        "status": 422,
        "key": "kim@north.example",
    }
    rows = changes()
    rows[1]["warnings"] = ["refused: Job title is too long"]
    rows.append(
        change("create", "deal", "Big one", fields={"contacts": {"before": None, "after": ["kim@north.example"]}})
    )
    entries = [
        {"event": "Order Completed", "via": "sales_activity", "type": "Order", "count": 500},
        {"event": HOSTILE, "via": "tracking", "type": None, "count": 2},
    ]
    summary = import_summary(records={"lead": {"create": len(rows)}}, entries=entries)
    summary["events"]["by_time"] = {
        "step": "week",
        "from": {
            "2025-01-06": {"track": {"applied": 7}, "page": {"rejected": 2}},
            "2025-01-27": {"track": {"skipped": 1}},
        },
    }
    return written(tmp_path_factory.mktemp("report"), summary, rows, [*failures(), refused])


@pytest.fixture
def report(browser: Browser, path: Path) -> Iterator[Opened]:
    with opened(browser, file_address(path)) as shown:
        yield shown
        assert shown.requests == [file_address(path)]


def test_all_rows_are_there_and_nothing_is_fetched(report: Opened) -> None:
    assert report.page.inner_text("#change-count") == "7 records and entries"
    assert len(report.texts("#change-list .row")) == 7
    assert report.page.inner_text("#failure-count").startswith("4 events")
    assert report.page.is_hidden("#loading")


def test_they_are_searched_in_any_case_by_several_words_and_by_what_people_call_a_field(report: Opened) -> None:
    for query, keys in (
        ("KIM@NORTH ceo", ["kim@north.example"]),
        ("emea", ["kim@north.example"]),
        ("job title", ["kim@north.example"]),
        ("5001300771", ["sam@old.example"]),
        ("acme bv", ["lena@acme.example"]),
        ("create", []),
        ("before", []),
        ("nobody", []),
    ):
        report.choose("#change-filters", query=query)
        report.page.locator("#change-count", has_text=f"{len(keys)} of 7").wait_for()
        assert report.texts("#change-list b") == keys


def test_they_are_filtered_by_kind_action_field_and_reason(report: Opened) -> None:
    form, count = "#change-filters", report.page.locator("#change-count")
    for parts, number in (
        ({"entity": "lead"}, 3),
        ({"entity": "lead", "action": "create"}, 1),
        ({"entity": "", "action": "", "field": "job_title"}, 1),
        ({"field": "", "code": "duplicate_person"}, 1),
        ({"code": "", "query": "example", "entity": "contact"}, 1),
    ):
        report.choose(form, **parts)
        count.locator(f"text=/^{number} of 7/").wait_for()


def test_a_row_unfolds_and_all_of_them_do(report: Opened) -> None:
    row = report.page.locator("#change-list .row", has_text="update contact")
    table = row.locator("table")
    assert not table.is_visible()
    row.locator("summary").press("Enter")
    assert table.is_visible()
    words = " ".join(table.inner_text().split())
    assert "Job title job_title CTO → becomes CEO cf_region EMEA → becomes (cleared)" in words
    report.page.click("#unfold")
    assert report.page.locator("#change-list details:not([open])").count() == 0
    report.page.click("#unfold")
    assert report.page.locator("#change-list details[open]").count() == 0


def test_events_are_drawn_by_time_type_and_outcome_with_the_gaps_between(report: Opened) -> None:
    chart = report.page.locator("#by-time svg")
    assert chart.locator("title").all_text_contents() == [
        "2025-01-06: 7 applied", "2025-01-06: 2 rejected", "2025-01-27: 1 skipped",
    ]  # fmt: skip
    report.page.select_option("#by-time select", "page")
    assert report.page.locator("#by-time svg title").all_text_contents() == ["2025-01-06: 2 rejected"]
    report.page.locator("#by-time summary").click()
    assert "2025-01-06 7 0 2" in " ".join(report.page.inner_text("#by-time table").split())


def test_requests_are_drawn_against_the_quota_with_the_waits(browser: Browser, tmp_path: Path) -> None:
    traffic = {
        "step_s": 60,
        "from": "2025-11-22T14:12:00Z",
        "sent": [600, 400, 0, 0, 7],
        "waits": [{"from": "2025-11-22T14:14:00Z", "to": "2025-11-22T14:16:00Z", "reason": "quota"}],
    }
    summary = import_summary(account_limit=1200, traffic=traffic)
    with opened(browser, file_address(written(tmp_path, summary, [], []))) as shown:
        svg = shown.page.locator("#traffic svg")
        assert svg.locator("title").all_text_contents() == [
            "14:12: 600 requests", "14:13: 400 requests", "14:16: 7 requests",
        ]  # fmt: skip
        assert (svg.locator(".wait").count(), svg.locator(".limit").count()) == (2, 1)
        assert "1 minute; the quota, spread evenly, allows 20" in shown.page.inner_text("#traffic h3")
        shown.page.locator("#traffic summary").click()
        assert "2025-11-22 14:14 for the quota 120" in " ".join(shown.page.inner_text("#traffic table").split())


def test_records_are_counted_by_field_and_entries_by_event(report: Opened) -> None:
    titles = report.page.locator("#by-field svg title").all_text_contents()
    assert "contact · job_title: 1 changed" in titles and "contact · cf_region: 1 cleared" in titles
    assert "lead · cf_score: 1 set" in titles and not [title for title in titles if "cf_unset:" in title]
    bars = report.page.locator("#by-event svg rect title").all_text_contents()
    assert bars[0] == "Order Completed → Order: 500 entries" and bars[1].endswith(" → tracked event: 2 entries")


def test_a_record_is_linked_to_freshsales(report: Opened) -> None:
    link = report.page.locator("#change-list a", has_text="Open #5001264008 in Freshsales")
    assert link.get_attribute("href") == "https://acme.freshsales.io/contacts/5001264008"
    assert link.get_attribute("rel") == "noreferrer"


def test_a_failed_event_shows_what_was_said_what_was_sent_and_the_event_itself(report: Opened) -> None:
    report.choose("#failure-filters", code="refused")
    report.page.locator("#failure-count", has_text="1 of 4").wait_for()
    row = report.page.locator("#failure-list .row")
    row.locator("summary").click()
    row.get_by_text("What was sent: update contact").wait_for()
    text = row.inner_text()
    for part in ("Freshsales said: Job title is too long (HTTP 422)", "What was sent: update contact", "CEO",
                 '"userId": "u-7"', "Everything about this person"):  # fmt: skip
        assert part in text, text
    assert "_fsseg" not in text


def test_a_reason_leads_to_its_events(report: Opened) -> None:
    report.page.locator("a[data-code=unavailable]").click()
    report.page.locator("#failure-count", has_text="1 of 4").wait_for()
    assert "line 2040" in report.page.inner_text("#failure-list")


def test_a_person_has_a_page_with_all_of_theirs_and_a_way_back(report: Opened) -> None:
    row = report.page.locator("#change-list .row", has_text="update contact")
    row.locator("summary").click()
    row.locator("a", has_text="Everything about this person").click()
    report.page.locator("#person").wait_for()
    text = report.page.locator("#person").inner_text()
    for part in ("kim@north.example", "Big one", "create timeline", "Job title is too long", "fsseg report 2026-11-22"):
        assert part in text, part
    assert "lena@acme.example" not in text
    assert report.page.is_hidden("#whole")
    report.page.locator("#person a", has_text="The whole report").click()
    report.page.locator("#whole").wait_for()
    assert report.page.is_hidden("#person")


def test_what_is_chosen_is_saved_as_a_table_that_no_spreadsheet_runs(report: Opened) -> None:
    report.choose("#change-filters", entity="contact")
    report.page.locator("#change-count", has_text="1 of 7").wait_for()
    with report.page.expect_download() as download:
        report.page.click("#save")
    rows = [*csv.DictReader(io.StringIO(download.value.path().read_text("utf-8-sig")))]
    assert [(row["field"], row["label"], row["before"], row["after"]) for row in rows[:2]] == [
        ("job_title", "Job title", "CTO", "CEO"),
        ("cf_region", "", "EMEA", ""),
    ]


def test_what_a_spreadsheet_would_run_and_markup_are_only_text(browser: Browser, tmp_path: Path) -> None:
    bad = f"<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">{HOSTILE}"
    fields = {bad: {"before": bad, "after": bad}, "cf_sum": {"before": None, "after": "=1+1"}}
    rows = [change("update", "lead", bad, id=bad, name=bad, fields=fields, warnings=[bad, {"code": bad, "value": bad}])]
    failed = [failure(bad, userId=bad, event=bad, type=bad)]
    summary = import_summary(run_id=bad, account=bad, notes=[bad], reasons=[
        {"code": bad, "stage": "map", "outcome": "rejected", "count": 1, "hint": bad}])  # fmt: skip
    address = file_address(written(tmp_path, summary, rows, failed))
    with opened(browser, address) as shown:
        shown.page.click("#unfold")
        shown.page.locator("#failure-list summary").click()
        assert "<script>document.title='run'</script>" in shown.page.inner_text("#change-list")
        assert "\u202e" not in shown.page.inner_text("body") and "\x1b" not in shown.page.inner_text("body")
        with shown.page.expect_download() as download:
            shown.page.click("#save")
        assert "'=1+1" in download.value.path().read_text("utf-8-sig")
        shown.page.locator("#change-list a", has_text="Everything").click()
        assert "<script>" in shown.page.locator("#person h2").inner_text()
        assert "run" not in shown.page.title().split()
        assert shown.page.locator("img").count() == 0
        assert shown.requests == [address]


def test_long_numbers_stay_as_they_are(browser: Browser, tmp_path: Path) -> None:
    rows = [change("create", fields={"cf_n": {"before": None, "after": 12345678901234567890}})]
    with opened(browser, file_address(written(tmp_path, import_summary(), rows, []))) as shown:
        assert "12345678901234567890" in shown.page.inner_text("#change-list")


def test_a_run_of_many_records_is_searched_whole_and_drawn_as_one_scrolls(browser: Browser, tmp_path: Path) -> None:
    lines, path = tmp_path / "changes.jsonl", tmp_path / "report.html"
    with lines.open("wb") as file:
        for n in range(MANY):
            fields = {"first_name": {"before": None, "after": f"Ann {n}"}, "cf_n": {"before": None, "after": n}}
            file.write(orjson.dumps(change("create", "lead", f"p{n}@x.example", id=n, fields=fields)) + b"\n")
    write_html(path, dry_summary(records={"lead": {"create": MANY}}), read_lines(lines), [])
    with opened(browser, file_address(path)) as shown:
        page, count = shown.page, shown.page.locator("#change-count")
        count.locator("text=/^100,000 records/").wait_for()
        page.locator("#change-list").evaluate("list => list.scrollIntoView({block: 'end'})")
        page.locator("#change-list .row", has_text=f"p{MANY - 1}@x.example").wait_for()
        assert 0 < page.locator("#change-list .row").count() < 500
        shown.choose("#change-filters", query=f"P{MANY - 2}@x")
        count.locator("text=/^1 of 100,000/").wait_for()
        assert shown.texts("#change-list b") == [f"p{MANY - 2}@x.example"]
        shown.choose("#change-filters", query="ann 77")
        count.locator("text=/^[1-9]/").wait_for()
        page.goto(f"{file_address(path)}#person=p7%40x.example")
        page.locator("#person h2", has_text="p7@x.example").wait_for()


def test_a_record_is_found_by_the_name_of_its_owner(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owners = {"lead": {"owner_id": {"71": "Sam Rivera", "72": "Robin Doe"}}}
    monkeypatch.setattr("fsseg.report.formats.html.choice_names", lambda *_: owners)
    rows = [
        change("create", "lead", f"p{id}@x.example", fields={name: {"before": None, "after": id}})
        for name, id in (("owner_id", 71), ("owner_id", 72), ("cf_seats", 71))
    ]
    with opened(
        browser, file_address(written(tmp_path, dry_summary(records={"lead": {"create": 3}}), rows, []))
    ) as shown:
        for query, found in (("sam rivera", ["p71@x.example"]), ("rivera p71", ["p71@x.example"]), ("robin sam", [])):
            shown.choose("#change-filters", query=query)
            shown.page.locator("#change-count", has_text=f"{len(found)} of 3").wait_for()
            assert shown.texts("#change-list b") == found


@pytest.mark.parametrize("width", [360, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_usable_by_all_and_no_wider_than_the_window(
    browser: Browser, axe: str, path: Path, width: int, scheme: Any
) -> None:
    window = {"width": width, "height": 900}
    with opened(browser, file_address(path), viewport=window, color_scheme=scheme) as shown:
        shown.page.click("#unfold")
        shown.page.locator("#failure-list summary").first.click()
        assert shown.violations(axe) == []
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
        shown.page.locator("#change-list a", has_text="Everything").first.click()
        shown.page.locator("#person h2").wait_for()
        assert shown.violations(axe) == []


def test_on_paper_the_first_rows_stand_unfiltered_of_controls(browser: Browser, path: Path) -> None:
    with opened(browser, file_address(path)) as shown:
        shown.page.emulate_media(media="print")
        assert shown.page.is_hidden("#change-filters") and shown.page.is_hidden(".strip")
        assert len(shown.page.pdf()) > 10_000


def test_a_page_of_one_person_opens_with_their_events_and_fields(browser: Browser, axe: str, tmp_path: Path) -> None:
    bad, who = HOSTILE, "kim@north.example"
    event = HistoryEvent("2025-05-01T10:00:00Z", "track", bad, f"{bad} line 1", [bad], bad)
    history = History([event], [HistoryField(f"contact {who}", "job_title", bad, "", "sent")])
    path = tmp_path / "person.html"
    path.write_text("".join(render_html(import_summary(), changes()[1:2], [], person=who, history=history)), "utf-8")
    with opened(browser, file_address(path)) as shown:
        page = shown.page
        assert page.is_hidden("#whole")
        assert page.locator("#person h2").inner_text() == who
        text = page.inner_text("#person")
        assert "2025-05-01 10:00" in text and "<script>alert(1)</script>" in text and "\x1b" not in text
        assert shown.violations(axe) == []
        page.locator("#person a", has_text="The whole report").click()
        page.locator("#whole").wait_for()


def test_beside_the_id_of_an_owner_stands_the_name(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"contact": {"owner_id": {"7": f"Robin {HOSTILE}", "8": "Sam"}}}
    monkeypatch.setattr("fsseg.report.formats.html.choice_names", lambda *_: names)
    owned = changes()[1] | {"fields": {"owner_id": {"before": 7, "after": 8}, "team_id": {"before": 7, "after": 8}}}
    path = tmp_path / "owners.html"
    path.write_text("".join(render_html(import_summary(), [owned], [])), "utf-8")
    with opened(browser, file_address(path)) as shown:
        text = shown.page.inner_text("#change-list")
        assert "Robin <script>" in text and " (7) → Sam (8)" in text and "team_id: 7 → 8" in text
        shown.page.locator("#change-list summary").click()
        assert shown.page.locator("table.fields ins").all_inner_texts() == ["Sam (8)", "8"]
        for query, found in (("SAM", 1), ("kim sam", 1), ("samuel", 0), ("robin <script", 1)):
            shown.choose("#change-filters", query=query)
            shown.page.locator("#change-count", has_text="1 record" if found else "0 of 1").wait_for()


def test_of_a_dry_run_nothing_is_said_to_be_applied(browser: Browser, tmp_path: Path) -> None:
    summary = dry_summary()
    summary["events"]["by_time"] = {"step": "day", "from": {"2025-05-01": {"identify": {"applied": 3, "skipped": 1}}}}
    path = tmp_path / "dry.html"
    path.write_text("".join(render_html(summary, changes(), [])), "utf-8")
    with opened(browser, file_address(path)) as shown:
        text = shown.page.inner_text("#by-time")
        assert "would apply" in text and "applied" not in text


def test_many_reasons_are_folded_and_stand_on_paper(browser: Browser, tmp_path: Path) -> None:
    reasons = [
        {"code": f"code_{n}", "stage": "map", "outcome": "rejected", "count": 20 - n, "hint": "mend it"}
        for n in range(12)
    ]
    address = file_address(written(tmp_path, import_summary(reasons=reasons), [], []))
    with opened(browser, address, viewport={"width": 400, "height": 900}) as shown:
        last = shown.page.locator("td, th", has_text="code_11")
        assert last.is_hidden() and shown.page.inner_text(".more summary") == "6 more reasons"
        shown.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        assert last.is_visible()


def test_what_changed_stands_before_what_did_not(browser: Browser, tmp_path: Path) -> None:
    rows = [change("unchanged", key="same@x.example"), change("create", key="new@x.example")]
    rows.append(change("create", key="late@x.example", outcome="pending"))
    with opened(browser, file_address(written(tmp_path, import_summary(), rows, []))) as shown:
        assert shown.texts("#change-list b") == ["new@x.example", "late@x.example", "same@x.example"]
        assert shown.texts("#change-list .tag") == ["not sent"]
        shown.choose("#change-filters", action="pending")
        shown.page.locator("#change-count", has_text="1 of 3").wait_for()
        assert shown.texts("#change-list b") == ["late@x.example"]


def test_of_a_failed_event_its_own_entry_is_shown_and_not_as_sent_where_it_was_not(
    browser: Browser, tmp_path: Path
) -> None:
    rows = [
        change("create", "timeline", "kim@x.example", outcome="failed", warnings=["refused"], fields={
            "title": {"before": None, "after": f"Order {n}"},
            "start_date": {"before": None, "after": f"2025-05-0{n}T10:00:00.000Z"},
        })
        for n in (1, 2)
    ]  # fmt: skip
    failed = failure("refused", 7, type="track", event="Order", timestamp="2025-05-02T12:00:00+02:00")
    failed["_fsseg"] |= {"stage": "push", "message": "its person was not written", "key": "kim@x.example"}
    with opened(browser, file_address(written(tmp_path, import_summary(), rows, [failed]))) as shown:
        shown.page.locator("#failure-list summary").click()
        shown.page.get_by_text("What was to be sent: create timeline").wait_for()
        text = shown.page.inner_text("#failure-list")
        assert "Order 2" in text and "Order 1" not in text and "Freshsales said" not in text
