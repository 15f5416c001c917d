from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsseg.freshsales.quota import HOUR, QuotaHeaders, ahead, backoff, read, wait

from .clocks import HALF_PAST

NOW = float(HALF_PAST)


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(NOW + seconds, UTC)


def reset_in(text: str, **headers: str) -> float | None:
    return read({"x-RateLimit-Reset": text, **headers}, NOW).reset_in


def test_limit_and_remaining_are_read_in_any_case() -> None:
    assert read({"X-RATELIMIT-LIMIT": "1000", "x-ratelimit-Remaining": " 0 "}, NOW) == QuotaHeaders(
        limit=1000, remaining=0
    )


@pytest.mark.parametrize("nonsense", ["", "-1", "many", "1e3", "9" * 30, "٣"])
def test_counts_that_are_none_are_ignored(nonsense: str) -> None:
    assert read({"x-ratelimit-limit": nonsense, "x-ratelimit-remaining": nonsense}, NOW) == QuotaHeaders()


@pytest.mark.parametrize(
    "text",
    ["600", "600.0", str(int(NOW + 600)), str(int(NOW + 600) * 1000), moment(600).strftime("%d%m%y%H%M%S")],
)
def test_a_reset_is_understood_as_delta_epoch_or_day_first_digits(text: str) -> None:
    assert reset_in(text) == pytest.approx(600)


@pytest.mark.parametrize("hours", [-11, -4, -3.5, 0, 1, 2, 5.5, 5.75, 14])
@pytest.mark.parametrize("seconds", [2, 600, 890, 1000, 3000, 3600])
def test_day_first_digits_of_any_time_zone_are_never_taken_too_late(hours: float, seconds: int) -> None:
    local = moment(seconds).astimezone(timezone(timedelta(hours=hours)))
    seconds_left = reset_in(local.strftime("%d%m%y%H%M%S"))
    assert seconds_left == (seconds % 900 or None)


def test_a_day_first_reset_that_has_just_passed_is_not_the_next_one() -> None:
    assert reset_in(moment(-1).strftime("%d%m%y%H%M%S")) is None


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "soon",
        "-5",
        "86400",
        "12345678",
        str(int(NOW - 5)),
        str(int(NOW + 9000)),
        "999999999999",
        "010199000000",
        "²",
    ],
)
def test_a_reset_that_makes_no_sense_is_ignored(text: str) -> None:
    assert reset_in(text) is None


def test_an_epoch_is_measured_by_the_servers_own_clock() -> None:
    assert reset_in(str(int(NOW + 900)), Date=format_datetime(moment(600), usegmt=True)) == pytest.approx(300)


@pytest.mark.parametrize(("theirs", "hours"), [(-7200, 2), (-1, 0), (0, 0), (7200, 0)])
def test_a_clock_that_is_ahead_of_the_servers_is_told_by_how_much(theirs: float, hours: float) -> None:
    date = format_datetime(moment(theirs), usegmt=True)
    assert ahead({"Date": date}, NOW) == timedelta(hours=hours)


def test_a_server_that_tells_no_time_is_taken_to_have_ours() -> None:
    for date in ("", "today", "Mon, 01 Jan 0001 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"):
        assert ahead({"Date": date}, NOW) == timedelta(0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("3600", 3600.0),
        ("1.5", 1.5),
        (format_datetime(moment(90), usegmt=True), 90.0),
        (format_datetime(moment(-90), usegmt=True), 0.0),
        ("", None),
        ("nan", None),
        ("-3", None),
        ("shortly", None),
        ("86400", 86400.0),
        ("999999999", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert read({"Retry-After": text}, NOW).retry_after == seconds


TOLD = st.builds(
    QuotaHeaders,
    limited=st.just(True),
    retry_after=st.none() | st.floats(0, 7200),
    limit=st.none() | st.integers(1, 5000),
    remaining=st.none() | st.integers(0, 5000),
    reset_in=st.none() | st.floats(0.001, HOUR),
)


@given(TOLD, st.integers(1, 30), st.none() | st.floats(0.001, HOUR), st.floats(0, 2e9), st.floats(0, 1))
@settings(max_examples=50)
def test_a_wait_is_never_shorter_than_told_nor_longer_than_needed(
    headers: QuotaHeaders, strikes: int, boundary: float | None, wall: float, chance: float
) -> None:
    seconds = wait(headers, strikes, boundary, wall, chance)
    assert seconds > 0
    if headers.retry_after:
        assert seconds == headers.retry_after
    elif headers.reset_in and not headers.remaining and strikes <= 4:
        assert seconds == headers.reset_in
    else:
        assert seconds <= HOUR + 1


def test_retry_after_beats_reset_beats_boundary_beats_doubling() -> None:
    assert wait(QuotaHeaders(True, retry_after=3600, reset_in=5), 1, 7, NOW, 0) == 3600
    assert wait(QuotaHeaders(True, reset_in=5), 1, 7, NOW, 0) == 5
    assert wait(QuotaHeaders(True), 1, 7, NOW, 0) == 7
    assert wait(QuotaHeaders(True), 1, None, NOW, 0) == 1


def test_the_reset_of_a_window_with_quota_left_is_not_the_one_to_wait_for() -> None:
    assert wait(QuotaHeaders(True, remaining=400, reset_in=1700), 1, None, NOW, 0) == 1


def test_a_reset_or_boundary_that_proved_wrong_gives_way_to_doubling() -> None:
    assert wait(QuotaHeaders(True, reset_in=1700), 5, None, NOW, 0) == 16
    assert wait(QuotaHeaders(True), 2, 1700, NOW, 0) == 2


def test_doubling_ends_at_the_next_clock_hour() -> None:
    assert wait(QuotaHeaders(True), 12, None, NOW, 0) == 1800


@given(st.integers(1, 15), st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=50)
def test_backoff_grows_with_every_failure_whatever_the_jitter(failures: int, one: float, other: float) -> None:
    assert 0.5 * 2.0 ** (failures - 1) <= backoff(failures, one, 0.5) < backoff(failures + 1, other, 0.5)
