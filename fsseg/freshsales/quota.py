"""What an answer tells about the account's quota, and how long to wait then: pure functions.

Seen in clients of the API: the headers `x-RateLimit-Limit`, `-Remaining` and `-Reset` (as day-month-year-hour-minute-
second digits in an unknown time zone), and `Retry-After`. The vendor documents none of them, so each counts only
where it makes sense.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from msgspec import Struct

MINUTE = 60.0
HOUR = 3600.0

_MAX_WINDOW_S = HOUR + 2 * MINUTE  # the longest window Freshsales documents, and some slack between two clocks
_MAX_RETRY_S = 24 * HOUR  # a longer one comes of something on the way whose clock or arithmetic is wrong
_CLOCK_SKEW_S = 2.0
_QUARTER = HOUR / 4
_MOST_AHEAD_S = 10 * 366 * 24 * HOUR  # a server's clock that is further behind is the wrong one
_MAX_ZONE_OFFSET_S = 15 * HOUR
_MAX_DELAY_S = 5.0  # how far a reset may lie back when its answer arrives
_FIRST_WAIT_S = 1.0
_MAX_RESETS_TRIED = 4  # as many as there are quarters in an hour, see `_day_first`
_NUMBER = re.compile(r"\d{1,9}(\.\d+)?")


class QuotaHeaders(Struct, frozen=True):
    """What one answer told of the quota; None is not told or not believable. Times are seconds from its receipt."""

    limited: bool = False
    retry_after: float | None = None
    limit: int | None = None
    remaining: int | None = None
    reset_in: float | None = None


def read(headers: Mapping[str, str], wall: float, *, limited: bool = False) -> QuotaHeaders:
    """The quota as the headers of an answer received at `wall` tell it; their names in any case."""
    lower = {name.lower(): value.strip() for name, value in headers.items()}
    now = _server_time(lower.get("date", ""), wall)
    return QuotaHeaders(
        limited=limited,
        retry_after=_retry_after(lower.get("retry-after", ""), now),
        limit=_count(lower.get("x-ratelimit-limit", "")) or None,
        remaining=_count(lower.get("x-ratelimit-remaining", "")),
        reset_in=_reset(lower.get("x-ratelimit-reset", ""), now),
    )


def wait(headers: QuotaHeaders, strikes: int, boundary_in: float | None, wall: float, chance: float) -> float:
    """Seconds to leave the account alone after a refusal, the `strikes`-th in a row (from 1).

    `Retry-After` wholly; else the told reset, unless some quota is left (then another window refused); else the
    learnt end of the window; else doubling from a second, with jitter by `chance` (0 to 1), but not past the next
    clock hour, where the hourly window ends. A boundary that proved wrong counts no more, nor the fifth reset.
    """
    if headers.retry_after:
        return headers.retry_after
    if headers.reset_in is not None and not headers.remaining and strikes <= _MAX_RESETS_TRIED:
        return headers.reset_in
    if boundary_in is not None and strikes <= 1:
        return boundary_in
    return min(backoff(strikes, chance, _FIRST_WAIT_S), to_next_hour(wall) + chance)


def backoff(failures: int, chance: float, first: float) -> float:
    """`first` doubled with every failure after the first, and up to half as much again by `chance`."""
    return first * 2.0 ** min(failures - 1, 16) * (1 + chance / 2)


def to_next_hour(wall: float) -> float:
    """Seconds to the next full hour of the clock: more than 0, at most 3600."""
    return HOUR - wall % HOUR


def _server_time(date: str, wall: float) -> float:
    """The server's own clock where it differs from ours by more than the whole seconds of its `Date` can explain."""
    theirs = _http_date(date)
    return wall if theirs is None or abs(theirs - wall) <= _CLOCK_SKEW_S else theirs


def ahead(headers: Mapping[str, str], wall: float) -> timedelta:
    """How much later `wall` is than the server's own clock; nothing where that isn't told or can't be."""
    lower = {name.lower(): value.strip() for name, value in headers.items()}
    seconds = wall - _server_time(lower.get("date", ""), wall)
    return timedelta(seconds=seconds if 0 < seconds <= _MOST_AHEAD_S else 0)


def _http_date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, OverflowError):
        return None


def _retry_after(text: str, now: float) -> float | None:
    if _NUMBER.fullmatch(text):
        seconds = float(text)
    elif (date := _http_date(text)) is not None:
        seconds = max(0.0, date - now)
    else:
        return None
    return seconds if seconds <= _MAX_RETRY_S else None


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _reset(text: str, now: float) -> float | None:
    """Seconds to the reset, told as seconds from now, as an epoch in seconds or milliseconds, or as `dmyHis` digits."""
    if not text.isascii() or not text.replace(".", "", 1).isdigit():
        return None
    whole = text.partition(".")[0]
    match len(whole):
        case 10:
            seconds = float(text) - now
        case 13:
            seconds = float(text) / 1000 - now
        case 12:
            return _day_first(text, now)
        case size if size <= 5:
            seconds = float(text)
        case _:
            return None
    return seconds if 0 < seconds <= _MAX_WINDOW_S else None


def _day_first(text: str, now: float) -> float | None:
    """`310124153000` is 31 January 2024, 15:30:00, somewhere on earth.

    All time zones lie quarters of an hour apart, so it is some quarter from the one told here: the next. Too early
    costs one refusal at most each time, too late would let quota go to waste.
    """
    try:
        seconds = datetime.strptime(text, "%d%m%y%H%M%S").replace(tzinfo=UTC).timestamp() - now
    except ValueError:
        return None
    to_next = seconds % _QUARTER
    just_past = to_next > _QUARTER - _MAX_DELAY_S
    return to_next if abs(seconds) <= _MAX_ZONE_OFFSET_S and to_next > 0 and not just_past else None
