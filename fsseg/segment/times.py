"""When an event happened: any time Segment and its libraries write, as one comparable text in UTC."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from fsseg.segment import json_codec

TIME_FIELDS = ("timestamp", "originalTimestamp", "receivedAt", "sentAt")
"""The best first: `timestamp` is the client's clock corrected by Segment's (documented in the common fields spec)."""

EARLIEST = "1990"
"""No event is older; what says so comes from a clock that was never set."""
_AHEAD = timedelta(days=1)
"""How far a client's clock may be fast."""

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
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SPELLED = re.compile(
    r"""\s* (?: [A-Z][a-z]{2},? \s+ )?
    (?: (?P<month>[A-Z][a-z]{2}) \s+ (?P<day>\d{1,2}) | (?P<first_day>\d{1,2}) [\s-]+ (?P<then_month>[A-Z][a-z]{2}) )
    [\s-]+ (?P<year>\d{4}) \s+ (?P<time>\d\d:\d\d:\d\d) \s*
    (?: (?:GMT|UTC) (?P<offset>[+-]\d{4})? | (?P<alone>[+-]\d{4}) ) (?: \s+ \([^()]*\) )? \s*""",
    re.VERBOSE | re.ASCII,
)
_LONGEST = 100
"""Go's texts take 60 characters; the pattern would search long ones for ever."""
_SEPARATORS = ("T", " ", "")
_QUARTER = 900
_WEST, _EAST = timedelta(hours=-12), timedelta(hours=14)
"""The offsets that any place has are between these, in quarters of an hour."""
_FIRST_DATE, _LAST_DATE = datetime(1930, 1, 1), datetime(2051, 1, 1)
_UNSET = datetime(1970, 2, 1)
"""What counts from 1970 and comes to a time before this is a number of something else."""
_NUMBER = re.compile(r"\s*-?\d{9,19}(\.\d+)?\s*", re.ASCII)


def in_iso(text: str) -> str:
    """A time that is spelled as JavaScript's `Date` or a mail spell it, as ISO 8601 has it; any other text as it is."""
    if len(text) > _LONGEST or not (found := _SPELLED.fullmatch(text)):
        return text
    month, day = found["month"] or found["then_month"], found["day"] or found["first_day"]
    if month not in _MONTHS:
        return text
    zone = found["offset"] or found["alone"] or "+0000"
    return f"{found['year']}-{_MONTHS.index(month) + 1:02}-{day:0>2}T{found['time']}{zone[:3]}:{zone[3:]}"


def canonical(value: object) -> str | None:
    """A time as `Event.time` has it, or None where `value` is not one.

    Understood: ISO 8601 with any zone or none (UTC), unpadded or without a time of day, a space for the `T`, Go's
    `time.String()`, JavaScript's and mails' spelling, and seconds, milliseconds, microseconds or nanoseconds since 1970
    as a number or its text.
    """
    if isinstance(value, str):
        if value[4:8:3] == "--" and value[10:11] in _SEPARATORS:  # neither a week date nor digits only
            try:
                time = datetime.fromisoformat(value)
                offset = time.utcoffset()
                if offset:
                    return _text(time - offset) if _is_offset(offset) else None
                return _text(time)
            except (ValueError, OverflowError):
                pass  # it may still be a shape that datetime doesn't know
        if len(value) > _LONGEST:
            return None
        found = _SHAPE.fullmatch(value) or _SHAPE.fullmatch(in_iso(value))
        if found:
            return _from_parts(found)
        if not _NUMBER.fullmatch(value):
            return None
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _from_epoch(value)


class FoundTime(NamedTuple):
    """When an event happened, and which of its fields says so."""

    time: str
    field: str


def latest_time() -> str:
    """The latest time that an event can have; whatever is later comes from a clock that is wrong."""
    return _text((datetime.now(UTC) + _AHEAD).replace(tzinfo=None))


def given_times(message: Mapping[str, Any]) -> dict[str, Any]:
    """What an event says in its `TIME_FIELDS`, but for what is blank, or an empty value of PHP's."""
    given = {field: message.get(field) for field in TIME_FIELDS}
    return {field: value for field, value in given.items() if value not in (None, [], {}) and str(value).strip()}


def event_time(message: Mapping[str, Any], latest: str) -> FoundTime | None:
    """The first of `TIME_FIELDS` that can be the time of an event; None where none can.

    Without any, the time and the field are empty.
    """
    given = given_times(message)
    for field, value in given.items():
        time = canonical(value)
        if time is not None and EARLIEST <= time <= latest:
            return FoundTime(time, field)
    return None if given else FoundTime("", "")


def no_event_time(message: Mapping[str, Any], latest: str) -> str:
    """Why `event_time` finds none, as a sentence names it: no time can be read, or what is read can't be an event's."""
    given = given_times(message)
    for field, value in given.items():
        if time := canonical(value):
            if time < EARLIEST:
                return f"{field} is {time}, and no event is older than {EARLIEST}"
            now = _text(datetime.fromisoformat(latest) - _AHEAD)
            return f"{field} is {time}, and the clock here says {now[:16]} in UTC"
    return f"no readable time in {json_codec.shown(given)}"


def date_of_number(number: float) -> str | None:
    """The date that a number means, as `canonical` writes it: seconds or parts of them since 1970.

    None where no unit puts it between 1930 and 2050, or where two do.
    """
    found = [_read_as(number, unit) for unit in (1, 1_000, 1_000_000)]
    dates = [one for one in found if one is not None] or [one for one in (_read_as(number, 1_000_000_000),) if one]
    if len(dates) != 1 or _is_compact_date(number):
        return None
    return _text(dates[0])


def _is_compact_date(number: float) -> bool:
    """Whether a number such as 20250304 may be a date as it is written."""
    found = _SHAPE.fullmatch(str(number))
    date = _from_parts(found) if found else None
    return date is not None and str(_FIRST_DATE.year) <= date[:4] < str(_LAST_DATE.year)


def _read_as(number: float, unit: int) -> datetime | None:
    date = _since_epoch(number, unit)
    is_meant = date is not None and _FIRST_DATE <= date < _LAST_DATE and not _EPOCH <= date < _UNSET
    return date if is_meant else None


@lru_cache(maxsize=1_000)
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
    leap = second == 60  # which datetime does not know
    if leap:
        second, micros = 59, 999_999
    zone = timedelta(hours=int(part("zone_hour")), minutes=int(part("zone_minute")))
    offset = -zone if part("sign") == "-" else zone
    if int(part("zone_minute")) > 59 or not _is_offset(offset):
        return None
    try:
        time = datetime(year, int(month), int(day), hour, minute, second, micros) - offset
    except (ValueError, OverflowError):
        return None
    return None if leap and (time.hour, time.minute) != (23, 59) else _text(time)


def _is_offset(offset: timedelta) -> bool:
    """Whether clocks of any place differ so from UTC."""
    return _WEST <= offset <= _EAST and not offset.microseconds and offset.seconds % _QUARTER == 0


def _from_epoch(number: float) -> str | None:
    size = abs(number)
    unit = 1 if size < 1e11 else 1_000 if size < 1e14 else 1_000_000 if size < 1e17 else 1_000_000_000
    time = _since_epoch(number, unit)
    return None if time is None else _text(time)


def _since_epoch(number: float, unit: int) -> datetime | None:
    try:
        # Whole numbers stay whole: a float has no room for the microseconds of a date in nanoseconds.
        micros = number * 1_000_000 // unit if isinstance(number, int) else round(number * 1_000_000 / unit)
        return _EPOCH + timedelta(microseconds=micros)
    except (ValueError, OverflowError):
        return None


def _text(time: datetime) -> str:
    """A time whose digits are those of UTC, whatever zone it has."""
    text, micros = time.isoformat(), time.microsecond
    return f"{text[:19]}.000" if not micros else text[:26] if micros % 1_000 else text[:23]
