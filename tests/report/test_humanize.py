from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from fsseg.figures import counted, number
from fsseg.report.humanize import about, cut, duration, rate, value


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0.0 s"), (3.2, "3.2 s"), (42, "42 s"), (372, "6 m 12 s"), (7500, "2 h 05 m"), (273_600, "3 d 4 h")],
)
def test_durations_are_short(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(20, "under a minute"), (800, "about 13 minutes"), (10_000, "about 3 hours"), (216_000, "about 2.5 days")],
)
def test_forecasts_are_no_more_exact_than_they_can_be(seconds: float, words: str) -> None:
    assert about(seconds) == words


def test_numbers_have_thousands_separators() -> None:
    assert (number(1204), number(2.5), number(2.0)) == ("1,204", "2.5", "2")
    assert (counted(1, "request"), counted(1204, "request")) == ("1 request", "1,204 requests")
    assert (rate(3.94), rate(103_960), rate(412)) == ("3.9/s", "104,000/s", "412/s")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", '""'),
        (None, "(empty)"),
        (True, "true"),
        (7.5, "7.5"),
        (12000, "12000"),
        (["a", 1], "a, 1"),
        ([], "[]"),
        ({"a": {"b": "\x1b"}}, '{"a":{"b":"\\u001b"}}'),
        ([{"id": 1}], '[{"id":1}]'),
        ("x\ny", "x\\ny"),
    ],
)
def test_values_are_one_safe_line(data: object, words: str) -> None:
    assert value(data) == words


@settings(max_examples=50)
@given(st.text("a北é "), st.integers(1, 30))
def test_cut_text_never_takes_more_columns_than_allowed(text: str, width: int) -> None:
    assert cell_len(cut(text, width)) <= width
    if cell_len(text) <= width:
        assert cut(text, width) == text
