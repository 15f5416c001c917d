from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsseg.segment.envelope import NEVER
from fsseg.segment.times import canonical, date_of_number, event_time

SHAPES = {
    "2025-03-04T09:15:02.598Z": "2025-03-04T09:15:02.598",
    "2025-03-04T09:15:02Z": "2025-03-04T09:15:02.000",
    "2025-03-04T09:15:48.55Z": "2025-03-04T09:15:48.550",
    "2025-03-04T09:15:02.123456Z": "2025-03-04T09:15:02.123456",
    "2025-03-04T09:15:02.123456789Z": "2025-03-04T09:15:02.123456",
    "2025-03-04T09:15:02.1230000Z": "2025-03-04T09:15:02.123",
    "2025-03-04T09:15:02.5981+00:00": "2025-03-04T09:15:02.598100",
    "2025-03-04T09:15:02.598+00:00": "2025-03-04T09:15:02.598",
    "2025-03-04T01:15:02.598+02:00": "2025-03-03T23:15:02.598",
    "2025-03-04T09:15:02-0530": "2025-03-04T14:45:02.000",
    "2025-03-04T09:15:02+02": "2025-03-04T07:15:02.000",
    "2015-2-02T00:30:08.276Z": "2015-02-02T00:30:08.276",
    "2015-2-2": "2015-02-02T00:00:00.000",
    "2025-03-04": "2025-03-04T00:00:00.000",
    "20250304": "2025-03-04T00:00:00.000",
    "20250304T091502Z": "2025-03-04T09:15:02.000",
    "2025-03-04 09:15:02": "2025-03-04T09:15:02.000",
    "2025-03-04 09:15:02.5 UTC": "2025-03-04T09:15:02.500",
    "2025-03-04T09:15": "2025-03-04T09:15:00.000",
    "2025-03-04t09:15:02z": "2025-03-04T09:15:02.000",
    " 2025-03-04T09:15:02Z ": "2025-03-04T09:15:02.000",
    "2019-06-19 21:58:28.093414431 +0000 UTC m=+1016.226107105": "2019-06-19T21:58:28.093414",
    "2019-06-19 21:58:28 +0200 CEST": "2019-06-19T19:58:28.000",
    "2019-06-19 21:58:28 +0530 +0530": "2019-06-19T16:28:28.000",
    "2016-12-31T23:59:60Z": "2016-12-31T23:59:59.999999",
    "Tue Mar 04 2025 10:15:02 GMT+0100 (Central European Standard Time)": "2025-03-04T09:15:02.000",
    "Tue Mar 04 2025 09:15:02 GMT+0000 (UTC)": "2025-03-04T09:15:02.000",
    "Tue Mar 4 2025 03:45:02 GMT-0530": "2025-03-04T09:15:02.000",
    "Tue, 04 Mar 2025 09:15:02 GMT": "2025-03-04T09:15:02.000",
    "4 Mar 2025 10:15:02 +0100": "2025-03-04T09:15:02.000",
    "Tue, 04-Mar-2025 09:15:02 GMT": "2025-03-04T09:15:02.000",
    " Tue Mar 04 2025 09:15:02 UTC ": "2025-03-04T09:15:02.000",
    1741079702: "2025-03-04T09:15:02.000",
    1741079702.598: "2025-03-04T09:15:02.598",
    1741079702598: "2025-03-04T09:15:02.598",
    1741079702598123: "2025-03-04T09:15:02.598123",
    1741079702598123456: "2025-03-04T09:15:02.598123",
    0: "1970-01-01T00:00:00.000",
    -1: "1969-12-31T23:59:59.000",
    "1741079702": "2025-03-04T09:15:02.000",
    "1741079702598": "2025-03-04T09:15:02.598",
    "1741079702.5": "2025-03-04T09:15:02.500",
}


@pytest.mark.parametrize(("written", "meant"), SHAPES.items())
def test_every_shape_of_time_becomes_utc_text(written: Any, meant: str) -> None:
    assert canonical(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        "yesterday",
        "2025-13-01T00:00:00.000Z",
        "2025-02-30T00:00:00.000Z",
        "2025-03-04T25:00:00.000Z",
        "2025-03-04T09:61:00.000Z",
        "2025-W10-2T09:15:02.598Z",
        "04/03/2025",
        "Tue Mar 04 2025 09:15:02",
        "Tue Mar 04 2025",
        "Tue Mar 04 09:15:02 CET 2025",
        "Tue Feb 30 2025 09:15:02 GMT",
        "Tue Mar 04 2025 25:15:02 GMT",
        "Tue Mar 04 2025 09:15:02 GMT+2500",
        "Tue Mrz 04 2025 09:15:02 GMT",
        "Tue Mar 04 2025 09:15:02 GMT" + " " * 100_000 + "x",
        "12",
        "2025-03-04 09:15" + " " * 100_000 + "x",
        "0001-01-01T00:00:00+01:00",
        "2025-03-04T09:15:02+23:00",
        "2025-03-04T09:15:02-12:15",
        "2025-03-04T09:15:02+14:15",
        "2025-03-04T09:15:02+99:00",
        "2025-03-04T09:15:02+01:07",
        "2025-03-04T12:30:60Z",
        "9999-12-31T23:59:59-01:00",
        "٢٠٢٥-03-04T09:15:02.598Z",
        True,
        [],
        {},
        1e300,
        float("nan"),
        10**30,
    ],
)
def test_what_is_no_time_is_unreadable(written: Any) -> None:
    assert canonical(written) is None


def test_the_first_readable_time_counts() -> None:
    times = {"timestamp": "soon", "originalTimestamp": None, "sentAt": 1741079702598, "receivedAt": "1989-12-31"}
    assert event_time(times, NEVER) == ("2025-03-04T09:15:02.598", "sentAt")


def test_no_time_and_no_readable_time_differ() -> None:
    assert event_time({"timestamp": "", "sentAt": None}, NEVER) == ("", "")
    assert event_time({"timestamp": "soon", "sentAt": None}, NEVER) is None


@settings(max_examples=50)
@given(st.lists(st.datetimes(min_value=datetime(1971, 1, 1), timezones=st.just(UTC)), min_size=2, max_size=5))
def test_text_order_is_time_order(moments: list[datetime]) -> None:
    texts = {moment: canonical(moment.isoformat()) for moment in moments}
    assert sorted(moments) == sorted(moments, key=lambda moment: texts[moment] or "")
    assert all(datetime.fromisoformat(f"{text}+00:00") == moment for moment, text in texts.items())


@pytest.mark.parametrize(
    ("number", "date"),
    [
        (76204800000, "1972-06-01T00:00:00.000"),
        (76204800, "1972-06-01T00:00:00.000"),
        (76204800000000, "1972-06-01T00:00:00.000"),
        (76204800000000000, "1972-06-01T00:00:00.000"),
        (1719705600, "2024-06-30T00:00:00.000"),
        (1719705600000.5, "2024-06-30T00:00:00.000500"),
        (2524607999, "2049-12-31T23:59:59.000"),
        (2678400, "1970-02-01T00:00:00.000"),
        (-631152000000000, "1950-01-01T00:00:00.000"),
        (2678399, None),
        (0, None),
        (42, None),
        (2024, None),
        (-1, None),
        (-631152000, None),
        (20250304, None),
        (99999999999999999999, None),
        (float("nan"), None),
        (float("inf"), None),
    ],
)
def test_a_number_is_a_date_where_only_one_unit_makes_it_one(number: float, date: str | None) -> None:
    assert date_of_number(number) == date
