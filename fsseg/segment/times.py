"""When an event happened: any time Segment and its libraries write, as one comparable text in UTC."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

TIME_FIELDS = ("timestamp", "originalTimestamp", "sentAt", "receivedAt")
"""The best first: `timestamp` is the client's clock corrected by Segment's (documented in the common fields spec)."""

_EPOCH = datetime(1970, 1, 1)
_SHAPE = re.compile(
    r"""\s* (?P<year>\d{4}) (?: -(?P<month>\d{1,2})-(?P<day>\d{1,2}) | (?P<compact>\d{4}) )
    (?: (?:\s*T\s*|\s+) (?P<hour>\d{1,2}) :? (?P<minute>\d\d) (?: :? (?P<second>\d\d) (?:[.,](?P<fraction>\d+))? )?
        \s* (?: Z | UTC | GMT
            | (?P<sign>[+-])(?P<zone_hour>\d\d):?(?P<zone_minute>\d\d)? (?: \s+[A-Z]{1,5} | \s+[+-]\d+ )? )?
        (?: \s+ m=[+-][\d.]+ )?
    )? \s*""",
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)
_LONGEST = 100
"""Go's texts take 60 characters; the pattern would search long ones for ever."""
_SEPARATORS = ("T", " ", "")
_NUMBER = re.compile(r"\s*-?\d{9,19}(\.\d+)?\s*", re.ASCII)


def canonical(value: object) -> str | None:
    """A time as `Event.time` has it, or None where `value` is not one.

    Understood: ISO 8601 with any zone or none (UTC), unpadded or without a time of day, a space for the `T`, Go's
    `time.String()`, and seconds, milliseconds, microseconds or nanoseconds since 1970 as a number or its text.
    """
    if isinstance(value, str):
        if value[4:8:3] == "--" and value[10:11] in _SEPARATORS:  # neither a week date nor digits only
            try:
                time = datetime.fromisoformat(value)
                offset = time.utcoffset()
                return _text(time - offset if offset else time)
            except (ValueError, OverflowError):
                pass  # it may still be a shape that datetime doesn't know
        if len(value) > _LONGEST:
            return None
        found = _SHAPE.fullmatch(value)
        if found:
            return _from_parts(found)
        if not _NUMBER.fullmatch(value):
            return None
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _from_epoch(value)


def event_time(message: Mapping[str, Any]) -> str | None:
    """The first readable one of `TIME_FIELDS`; empty where there is none at all, None where none is readable."""
    unset = True
    for field in TIME_FIELDS:
        value = message.get(field)
        if value is None or value == "":
            continue
        unset = False
        time = canonical(value)
        if time is not None:
            return time
    return "" if unset else None


@lru_cache(maxsize=100_000)
def microseconds(time: str) -> int:
    """An event time (see `Event.time`) as a number; 0 where there is none."""
    if not time:
        return 0
    since = datetime.fromisoformat(time) - datetime.min
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _from_parts(found: re.Match[str]) -> str | None:
    part = found.groupdict(default="0").__getitem__
    year, hour, minute = int(part("year")), int(part("hour")), int(part("minute"))
    month, day = (part("compact")[:2], part("compact")[2:]) if found["compact"] else (part("month"), part("day"))
    second, micros = int(part("second")), int(part("fraction")[:6].ljust(6, "0"))
    if second == 60:  # a leap second, which datetime does not know
        second, micros = 59, 999_999
    zone = timedelta(hours=int(part("zone_hour")), minutes=int(part("zone_minute")))
    try:
        local = datetime(year, int(month), int(day), hour, minute, second, micros)
        return _text(local + zone if part("sign") == "-" else local - zone)
    except (ValueError, OverflowError):
        return None


def _from_epoch(number: float) -> str | None:
    size = abs(number)
    unit = 1 if size < 1e11 else 1_000 if size < 1e14 else 1_000_000 if size < 1e17 else 1_000_000_000
    try:
        # Whole numbers stay whole: a float has no room for the microseconds of a date in nanoseconds.
        micros = number * 1_000_000 // unit if isinstance(number, int) else round(number * 1_000_000 / unit)
        return _text(_EPOCH + timedelta(microseconds=micros))
    except (ValueError, OverflowError):
        return None


def _text(time: datetime) -> str:
    """A time whose digits are those of UTC, whatever zone it has."""
    text, micros = time.isoformat(), time.microsecond
    return f"{text[:19]}.000" if not micros else text[:26] if micros % 1_000 else text[:23]
