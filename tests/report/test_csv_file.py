from __future__ import annotations

import csv
import io
import stat
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from fsseg.report.formats.csv_changes import change_rows
from fsseg.report.formats.csv_table import COLUMNS, csv_lines, neutralise, write_csv

from .samples import change, failure, failures

DANGEROUS = "=+-@\t\r"
CELL = st.text(st.sampled_from("=+-@\t\r\n,;\"' a1é\x00")) | st.text()


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_warnings_of_a_change_stand_in_its_first_line_alone() -> None:
    fields = {name: {"before": None, "after": name} for name in ("city", "zipcode")}
    lines = change_rows([change("update", fields=fields, warnings=["older"]), change("unchanged")], {})
    assert [(field, bool(warnings)) for *_, field, _, _, _, warnings in lines] == [
        ("city", True), ("zipcode", False), ("", False),
    ]  # fmt: skip


@settings(max_examples=50)
@given(CELL)
def test_a_neutralised_cell_never_starts_a_formula_and_is_the_text_sans_prefix(text: str) -> None:
    cell = neutralise(text)
    assert not cell or cell[0] not in DANGEROUS
    assert cell in (text, "'" + text)
    assert (cell == text) is not text.startswith((*DANGEROUS, "\n"))


@settings(max_examples=50)
@given(CELL, CELL)
def test_cells_read_back_are_what_was_written(user: str, event: str) -> None:
    (row,) = rows("".join(csv_lines([failure(userId=user, event=event)])))
    assert (row["userId"], row["event"]) == (neutralise(user), neutralise(event))


def test_columns_are_the_published_ones_and_hold_the_event_and_its_reason() -> None:
    first, second, third = rows("".join(csv_lines(failures())))
    assert ",".join(first) == "file,line,stage,code,message,hint,retryable,status,type,userId,email,messageId,event"
    assert tuple(first) == COLUMNS
    assert (first["file"], first["line"], first["code"], first["retryable"]) == (
        "events.jsonl",
        "17",
        "missing_email",
        "false",
    )
    assert (second["userId"], second["email"]) == ("'=HYPERLINK(1)", "e@x.example")
    assert (third["status"], third["retryable"], third["event"]) == ("503", "true", "Order Completed")


def test_a_line_that_was_no_event_is_a_row_with_its_place_only() -> None:
    (row,) = rows("".join(csv_lines([{"_fsseg": {"file": "x", "line": 3, "code": "not_json", "raw": "{"}}])))
    assert {name: cell for name, cell in row.items() if cell} == {"file": "x", "line": "3", "code": "not_json"}


def test_emails_are_found_wherever_an_event_carries_them() -> None:
    events = [
        failure(context={"traits": {"email": "c@x.example"}}),
        failure(properties={"email": "p@x.example"}),
        failure(traits=["no", "object"], context="none"),
    ]
    assert [row["email"] for row in rows("".join(csv_lines(events)))] == ["c@x.example", "p@x.example", ""]


def test_the_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "failures.csv"
    write_csv(path, [failure(userId="\ud800")])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert rows(path.read_text("utf-8"))[0]["userId"] == "\\ud800"
