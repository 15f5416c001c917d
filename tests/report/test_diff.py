from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from rich.cells import cell_len

from fsseg.report.changes import SIGNS, ChangeGroups
from fsseg.report.console import glyphs, line_width
from fsseg.report.formats import DiffFormat, Report
from fsseg.report.formats.text_diff import diff_lines
from fsseg.report.show import Show

from .samples import HOSTILE, capturing, change, changes, dry_summary, shown


def diff(
    rows: Any = None, *, format: str = "", show: str = "all", limit: int | None = 50, summary: Any = None,
    width: int = 100, terminal: bool = False,
) -> str:  # fmt: skip
    console = capturing(width=width, terminal=terminal, no_color=True)
    rows = changes() if rows is None else rows
    if format in ("", "text"):
        groups = ChangeGroups(rows, show=Show(show), limit=limit)
        for line in diff_lines(groups, glyphs(console), line_width(console)):
            console.print(line, soft_wrap=True)
    else:
        report = Report(summary or {}, rows, show=Show(show), most_changes=limit)
        DiffFormat[format.upper()].load().write(console, report)
    return shown(console)


def counts(document: str) -> dict[str, dict[str, int]]:
    """How many records of each entity had which action, by the table of a Markdown document."""
    rows = [line.strip("| ").split(" | ") for line in document.splitlines() if re.match(r"\|.*\d+ \|$", line)]
    return {
        entity: {action: int(count) for action, count in zip(SIGNS, cells, strict=True) if count != "0"}
        for entity, *cells in rows
    }


def test_a_create_shows_its_fields_in_columns_and_no_empty_ones() -> None:
    assert diff().startswith(
        "  + lead      lena@acme.example\n"
        "      first_name     Lena\n"
        "      company.name   Acme BV\n"
        "      cf_score       7.5\n\n"
    )


def test_an_update_shows_before_and_after_and_what_is_cleared() -> None:
    assert (
        "  ~ contact   kim@north.example  #5001264008\n"
        "      job_title   CTO → CEO\n"
        "      cf_region   EMEA → (cleared)\n"
        "      cf_tags     (empty) → a, b\n"
    ) in diff()


def test_a_conflict_comes_in_words() -> None:
    told = [{"code": "duplicate_person", "message": "two leads have this e-mail; the newer is updated"}]
    text = diff([*changes(), change("conflict", warnings=told), change("conflict", warnings=["changed since"])])
    assert "  ! lead      sam@old.example  #5001300771\n      ! several records have this e-mail" in text
    assert "      ! two leads have this e-mail; the newer is updated" in text
    assert "      ! changed since" in text


def test_a_timeline_entry_is_one_line() -> None:
    def cell(after: str) -> dict[str, Any]:
        return {"before": None, "after": after}

    fields = {"title": cell("Order Completed"), "via": cell("event"), "start_date": cell("2025-03-01T10:00:00Z")}
    text = diff([change("create", "timeline", f"{name}@x.example", fields=fields) for name in ("ada", "bo")])
    assert (
        "  + timeline  ada@x.example  Order Completed  2025-03-01 10:00  (event)\n"
        "  + timeline  bo@x.example  Order Completed  2025-03-01 10:00  (event)\n"
    ) in text


def test_what_a_record_is_shown_by_is_not_told_again_below() -> None:
    def made(entity: str, key: str, **fields: str) -> dict[str, Any]:
        return change("create", entity, key, fields={n: {"before": None, "after": v} for n, v in fields.items()})

    text = diff(
        [made("lead", "ada@x.example", email="ada@x.example", first_name="Ada"), made("deal", "Pilot", name="Pilot")]
    )
    assert text.count("ada@x.example") == 1
    assert text.count("Pilot") == 1
    assert "email" in diff([made("lead", "ada@x.example", email="Ada@X.example")])


def test_unchanged_and_skipped_records_are_only_counted() -> None:
    text = diff()
    assert "same@example.com" not in text
    assert "Big deal" not in text
    assert counts(diff(format="markdown")) == {
        "lead": {"create": 1, "unchanged": 1, "conflict": 1},
        "contact": {"update": 1},
        "deal": {"skipped": 1},
        "timeline": {"create": 1},
    }


def test_records_are_grouped_by_entity_whatever_their_order() -> None:
    text = diff([change("create", e, f"{e}{n}") for n in (1, 2) for e in ("timeline", "deal", "lead")])
    order = [f"{e}{n}" for e in ("lead", "deal", "timeline") for n in (1, 2)]
    assert sorted(order, key=text.index) == order


def test_only_the_first_of_an_entity_are_shown_conflicts_having_room_of_their_own() -> None:
    rows = [change("create", key=f"n{n}@x.example") for n in range(30)] + [change("conflict", key="sam@x.example")]
    text = diff(rows, limit=3)
    assert text.count("  + lead") == 3
    assert "! lead      sam@x.example" in text
    assert "… 27 more changes of this kind (lead): changes.jsonl holds them all" in text
    document = diff(rows, limit=3, format="markdown")
    assert document.count("\n+ lead n") == 3
    assert "# and 27 more: changes.jsonl holds them all" in document
    assert counts(document) == {"lead": {"create": 30, "conflict": 1}}


@pytest.mark.parametrize(
    ("show", "keys"),
    [
        ("all", {"lena@", "kim@", "sam@"}),
        ("creates", {"lena@", "kim@"}),
        ("updates", {"kim@"}),
        ("conflicts", {"sam@"}),
    ],
)
def test_what_is_shown_can_be_chosen_while_everything_is_counted(show: Any, keys: set[str]) -> None:
    text = diff(show=show)
    assert {key for key in ("lena@", "kim@", "sam@") if key in text} == keys
    assert counts(diff(show=show, format="markdown"))["lead"] == {"create": 1, "unchanged": 1, "conflict": 1}


def test_changes_stream_through_without_a_limit() -> None:
    taken = 0

    def stream() -> Iterator[dict[str, Any]]:
        nonlocal taken
        for n in range(100):
            taken += 1
            yield change("create", key=f"{n}@x.example")

    groups = iter(ChangeGroups(stream(), limit=None))
    assert next(groups).changes[0]["key"] == "0@x.example"
    assert taken == 1


def test_changes_beyond_the_limit_are_not_held() -> None:
    groups = ChangeGroups((change("create", key=str(n)) for n in range(5_000)), limit=2)
    (group,) = groups
    assert (len(group.changes), group.hidden, groups.totals["lead", "create"]) == (2, 4_998, 5_000)


def test_long_and_wide_values_are_cut_to_the_terminal() -> None:
    fields = {"cf_story": {"before": "old " * 100, "after": "北京" * 100}, "n" * 90: {"before": 1, "after": 2}}
    row = change("update", key="k" * 200, fields=fields, name="Kim")
    lines = diff([row], width=60, terminal=True).replace("\x1b[0m", "").replace("\x1b[1m", "").replace("\x1b[2m", "")
    assert max(cell_len(line) for line in lines.splitlines()) <= 60
    assert lines.count("…") == 4


def test_a_short_side_leaves_its_room_to_the_long_one() -> None:
    row = change("update", fields={"notes": {"before": "short", "after": "x" * 60}})
    assert "short → " + "x" * 60 in diff([row], width=90, terminal=True).replace("\x1b[0m", "").replace("\x1b[2m", "")


@pytest.mark.parametrize("format", ["text", "markdown", "html", "jsonl"])
def test_control_characters_and_markup_in_data_stay_data(format: Any) -> None:
    hostile = change("update", HOSTILE, HOSTILE, name=HOSTILE, warnings=[HOSTILE], id=HOSTILE)
    hostile["fields"] = {HOSTILE: {"before": HOSTILE, "after": [HOSTILE, {"x": HOSTILE}]}}
    text = diff([hostile], format=format, summary=dry_summary(account=HOSTILE, run_id=HOSTILE))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[bold]x" in text
    assert ("<script>alert" in text) is (format in ("text", "jsonl", "markdown"))


def test_jsonl_gives_the_lines_through() -> None:
    assert [orjson.loads(line) for line in diff(format="jsonl").splitlines()] == changes()
    assert [orjson.loads(line)["action"] for line in diff(format="jsonl", show="updates").splitlines()] == ["update"]


def test_markdown_tells_what_was_deleted_from_what_was_changed() -> None:
    text = diff([change("delete", key="a@x.example", id=7), change("update", key="b@x.example")], format="markdown")
    assert "\n- lead a@x.example  #7\n@@ lead b@x.example @@\n" in text


def test_markdown_is_a_fenced_diff_an_entity_and_a_table_of_counts() -> None:
    text = diff(format="markdown", summary=dry_summary())
    assert text.startswith("# Freshsales: what would change\n")
    assert "## contact\n\n```diff\n@@ contact kim@north.example  #5001264008 @@\n-     job_title: CTO\n" in text
    assert "+     cf_region: (cleared)" in text
    assert "! lead sam@old.example" in text
    assert "| contact | 0 | 1 | 0 | 0 | 0 |" in text
    assert text.count("```") % 2 == 0


def test_what_was_not_sent_is_told_and_counted_as_that() -> None:
    rows = [
        change("create"),
        change("create", key="late@x.example", outcome="pending"),
        change("create", outcome="failed"),
    ]
    text = diff(rows, format="markdown", summary=dry_summary())
    assert "+ lead late@x.example\n!     still to be sent when the run ended\n" in text
    assert "| / skipped | failed | pending |" in text and "| lead | 1 | 0 | 0 | 0 | 0 | 0 | 1 | 1 |" in text
    groups = ChangeGroups(rows, limit=1)
    assert [group.hidden for group in groups] == [2]
    assert "! still to be sent" in diff(rows)


def test_nothing_in_the_data_closes_a_markdown_fence_or_forms_a_table_cell() -> None:
    nasty = change("create", key="```", name="\n```\n", fields={"```": {"before": None, "after": "\n```\n# x"}})
    nasty["warnings"] = ["```"]
    summary = dry_summary(warnings=[{"code": "ignored_trait", "name": "a|b<img>`x`", "count": 1, "hint": ""}])
    text = diff([nasty], format="markdown", summary=summary)
    assert sum(line.lstrip().startswith("```") for line in text.splitlines()) == 2
    assert "a\\|b\\<img\\>\\`x\\`" in text


def test_html_needs_a_summary() -> None:
    with pytest.raises(ValueError, match="summary"):
        diff(format="html")


def test_on_a_narrow_terminal_the_id_of_a_record_is_whole() -> None:
    fields = {"city": {"before": "Bath", "after": "York"}}
    row = change("update", "lead", "somebody.with.a.long.name@company.example", id=70000000025, fields=fields)
    text = re.sub(r"\x1b\[[0-9;]*m", "", diff([row], width=60, terminal=True))
    assert text.startswith("  ~ lead      somebody.with.a.long.name@company.example\n              #70000000025\n")


def test_a_fields_name_is_whole_where_its_values_leave_it_room() -> None:
    name = "company.number_of_employees"
    for value, whole in (("51", True), ("a long value " * 5, False)):
        row = change("create", "lead", "k@x.example", fields={name: {"before": None, "after": value}})
        assert (name in diff([row], width=60, terminal=True)) is whole
