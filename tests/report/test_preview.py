from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from fsseg.report.console import ASCII, Glyphs
from fsseg.report.preview import preview_lines
from fsseg.state.actions import Code, EventOutcome
from fsseg.state.overview import Overview, overview
from fsseg.state.plan_store import Store
from fsseg.state.run_meta import EventCounts, Forecast

from .samples import HOSTILE
from .stores import add, add_entry, insert

NOTHING = Overview({}, {}, {}, {}, {}, 0, 0, {}, {}, None, None)
BUSY = Overview(
    creates={"lead": 1_204, "contact": 1},
    updates={"contact": 41, "lead": 1},
    touched={("contact", "job_title"): 30, ("contact", "cf_region"): 12, ("lead", "city"): 1},
    cleared={("contact", "cf_region"): 9, ("lead", "city"): 1},
    entries={"Order Completed": 1_000, "Page view": 58},
    entry_count=1_058,
    entry_names=2,
    conflicts={"contact": 1, "timeline": 2},
    rejected={"missing_email": 5, "unknown_person": 1},
    requests=219,
    seconds=800.0,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "plan.db")) as store:
        store.index()
        yield store


def text(overview: Overview, width: int = 80, glyphs: Glyphs = Glyphs(), **names: Any) -> str:  # noqa: B008
    all_names: dict[str, Any] = {
        "account": "acme.freshsales.io",
        "edition": "classic",
        "run": "2026-11-22-1412-k3",
        "per_hour": 1000,
    } | names
    return "\n".join(line.plain for line in preview_lines(overview, width=width, glyphs=glyphs, **all_names))


def test_what_is_planned_is_counted_by_entity_and_what_was_done_is_not(store: Store) -> None:
    add(store, "lead", "create")
    add(store, "lead", "create")
    add(store, "contact", "create")
    add(store, "lead", "create", "done")
    add(store, "deal", "update", "failed")
    add(store, "account", "unchanged", "done")
    insert(store, "record", {"kind": "person", "key": "k", "match_key": "k", "action": "reference", "status": "done"})
    seen = overview(store)
    assert seen.creates == {"lead": 2, "contact": 1}
    assert (seen.updates, seen.touched, seen.cleared) == ({}, {}, {})


def test_fields_are_counted_by_entity_the_most_frequent_first(store: Store) -> None:
    add(store, "lead", "update", fields={"city": ["Bonn", "Köln"]})
    add(store, "contact", "update", fields={"job_title": [None, "CEO"], "city": ["Bonn", "Köln"]})
    add(store, "contact", "update", fields={"job_title": ["CTO", "CEO"]})
    add(store, "contact", "update", "done", fields={"job_title": ["CTO", "CEO"]})
    add(store, "contact", "create", fields={"last_name": [None, "Vos"]})
    seen = overview(store)
    assert seen.updates == {"lead": 1, "contact": 2}
    assert list(seen.touched.items()) == [
        (("contact", "job_title"), 2),
        (("contact", "city"), 1),
        (("lead", "city"), 1),
    ]
    assert seen.cleared == {}


@pytest.mark.parametrize("empty", [None, "", [], {}])
def test_a_field_that_is_left_empty_is_cleared(store: Store, empty: Any) -> None:
    add(store, "lead", "update", fields={"city": ["Bonn", empty], "state": ["NRW", "Hesse"]})
    assert overview(store).cleared == {("lead", "city"): 1}


@pytest.mark.parametrize("held", ["[]", "{}", "null", 0, False, ["a"], " "])
def test_a_field_that_holds_something_is_not_cleared(store: Store, held: Any) -> None:
    add(store, "lead", "update", fields={"city": ["Bonn", held]})
    assert overview(store).cleared == {}


def test_entries_are_counted_by_event_and_a_day_that_is_one_entry_counts_once(store: Store) -> None:
    for name in ("Signed Up", "Order Completed", "Order Completed"):
        add_entry(store, name)
    add_entry(store, "Order Completed", head=2)
    add_entry(store, "Order Completed", status="done")
    add_entry(store, "Order Completed", "unchanged", "done")
    seen = overview(store)
    assert list(seen.entries.items()) == [("Order Completed", 2), ("Signed Up", 1)]
    assert (seen.entry_count, seen.entry_names) == (3, 2)


def test_of_many_event_names_only_the_most_frequent_are_kept(store: Store) -> None:
    for number in range(150):
        add_entry(store, f"/page/{number}")
    add_entry(store, "/page/149")
    seen = overview(store)
    assert next(iter(seen.entries.items())) == ("/page/149", 2)
    assert len(seen.entries) < 50
    assert (seen.entry_count, seen.entry_names) == (151, 150)


def test_an_entry_that_is_too_deep_to_be_looked_into_counts(store: Store) -> None:
    add_entry(store, "?", payload=b'{"name":"Deep","properties":{"x":' + b"[" * 3000 + b"]" * 3000 + b"}}")
    assert overview(store).entry_count == 1


def test_what_is_left_alone_is_counted_by_entity(store: Store) -> None:
    add(store, "contact", "conflict", "failed", code="email_exists")
    add_entry(store, "Signed Up", "conflict", "failed", code="email_exists")
    add_entry(store, "Signed Up", "conflict", "failed", code="email_exists", head=1)
    assert overview(store).conflicts == {"contact": 1, "timeline": 1}


def test_rejected_events_are_counted_by_code_whenever_they_were_rejected(store: Store) -> None:
    store.meta.counts = EventCounts(
        reasons=[(EventOutcome.REJECTED, Code.MISSING_EMAIL, 4), (EventOutcome.SKIPPED, Code.FILTERED, 110)]
    )
    for position in range(6):
        add_entry(store, "Signed Up", "skipped", "failed", code="unknown_person", position=position)
    add_entry(store, "Signed Up", "skipped", "failed", code="anonymous", position=6)
    add_entry(store, "Signed Up", "skipped", "done", code="incomplete", position=7)
    add(store, "deal", "skipped", "done", code="incomplete", sources=[[8, 1]])
    add(store, "deal", "skipped", "failed", code="refused", sources=[[8, 1], [9, 1]])
    assert list(overview(store).rejected.items()) == [("unknown_person", 6), ("missing_email", 4), ("refused", 2)]


def test_the_forecast_is_the_plan_s_where_it_has_one(store: Store) -> None:
    assert overview(store) == NOTHING
    store.meta.forecast = Forecast(219, 800.5)
    assert overview(store)[-3:] == (219, 800.5, False)
    store.meta.forecast = Forecast(219, 800.5, is_most=True)
    assert overview(store).is_most
    assert "\nUp to 219 requests: " in text(BUSY._replace(is_most=True))


def test_a_preview_says_where_to_and_then_what_in_columns() -> None:
    assert text(BUSY) == (
        "Into acme.freshsales.io · classic · run 2026-11-22-1412-k3\n"
        "\n"
        "  create    1,204 leads\n"
        "                1 contact\n"
        "  update       41 contacts  job_title 30, cf_region 12\n"
        "                1 lead      city 1\n"
        "  clear        10 values    cf_region of 9 contacts, city of 1 lead\n"
        "  add       1,058 entries   Order Completed 1,000, Page view 58\n"
        "  conflict      1 contact   left alone\n"
        "                2 entries   left alone\n"
        "  reject        6 events    missing_email 5, unknown_person 1\n"
        "\n"
        "About 219 requests: about 13 minutes at 1,000 requests an hour."
    )


def test_what_is_zero_is_not_mentioned() -> None:
    assert text(NOTHING._replace(creates={"deal": 1}, requests=3, seconds=2.0), per_hour=None).splitlines()[2:] == [
        "  create  1 deal",
        "",
        "About 3 requests: under a minute.",
    ]


def test_where_there_is_nothing_to_push_one_line_says_so() -> None:
    assert text(NOTHING._replace(requests=14, seconds=0.0)).splitlines()[1:] == ["", "Nothing to push."]
    assert text(NOTHING._replace(rejected={"missing_email": 1})).splitlines()[2:] == [
        "  reject  1 event  missing_email 1",
        "",
        "Nothing to push.",
    ]


def test_of_many_names_the_first_are_told_and_how_many_more_there_are() -> None:
    names = {f"Event {number}": 50 - number for number in range(20)}
    shown = " ".join(text(NOTHING._replace(entries=names, entry_count=5_000, entry_names=1_020)).split())
    assert "5,000 entries Event 0 50, " in shown
    assert "Event 7 43, and 1,012 more" in shown
    assert "Event 8" not in shown
    fields = {("lead", f"field_{number}"): 1 for number in range(9)}
    assert "field_7 1, and 1 more" in text(NOTHING._replace(updates={"lead": 1}, touched=fields), width=200)


def test_every_cleared_field_is_told_however_many_they_are() -> None:
    cleared = {("lead", f"field_{number}"): 1 for number in range(40)}
    shown = text(NOTHING._replace(updates={"lead": 1}, touched=cleared, cleared=cleared))
    assert all(f"field_{number} of 1 lead" in " ".join(shown.split()) for number in range(40))


def test_where_and_what_is_cleared_stand_out() -> None:
    lines = list(preview_lines(BUSY, account="acme", edition="classic", run="r", per_hour=None, width=80, glyphs=ASCII))
    assert [(line.plain[span.start : span.end], str(span.style)) for line in lines[:1] for span in line.spans] == [
        ("acme", "bold")
    ]
    (clear,) = (line for line in lines if "clear" in line.plain)
    assert {str(span.style) for span in clear.spans} == {"bold red"}
    assert not any("bold red" in str(span.style) for line in lines if line is not clear for span in line.spans)


@pytest.mark.parametrize("width", [70, 80, 200])
def test_lines_keep_to_the_width_and_names_stay_whole(width: int) -> None:
    names = {f"{letter * 8} 注文が完了しました": 50 for letter in "abcdefgh"}
    lines = text(BUSY._replace(entries=names, entry_count=400, entry_names=8), width).splitlines()
    assert max(cell_len(line) for line in lines[2:-2]) <= width
    assert all(any(f"{name} 50" in line for line in lines) for name in names)
    assert all(line == line.rstrip() for line in lines)


def test_a_name_of_any_length_is_cut() -> None:
    lines = text(NOTHING._replace(entries={"x" * 500: 1}, entry_count=1, entry_names=1)).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[2].endswith("… 1")


def test_a_very_narrow_terminal_has_the_names_below() -> None:
    assert "  add  1,058 entries\n    Order Completed 1,000, Page view 58" in text(
        NOTHING._replace(entries=BUSY.entries, entry_count=1_058, entry_names=2), 40
    )


def test_nothing_hostile_reaches_the_terminal() -> None:
    field = ("lead", HOSTILE)
    hostile = NOTHING._replace(
        updates={"lead": 1}, touched={field: 1}, cleared={field: 1}, entries={HOSTILE: 1}, entry_count=1, entry_names=1,
        rejected={HOSTILE: 1},
    )  # fmt: skip
    shown = text(hostile, 300, account=HOSTILE, edition=HOSTILE, run=HOSTILE)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert shown.count("[bold]x\\x1b[31m\\u202egnp") >= 5


def test_an_ascii_stream_gets_ascii_only() -> None:
    assert text(BUSY._replace(entries={"x" * 500: 1}), 80, ASCII).isascii()
