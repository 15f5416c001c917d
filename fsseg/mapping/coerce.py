"""Trait values to what a field takes: by the field's type, and never guessed beyond it.

A coercer takes any JSON value but null (null clears, which needs no type) and gives the value to write, or `BAD`.
Wire shapes are those of the custom field reference: numbers and booleans of JSON, dates as `YYYY-MM-DD`, a custom
dropdown's choice as its text and a built-in one's as its id, several choices joined with `;`.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable
from datetime import date
from typing import Final

from fsseg.mapping.fields import Field, choice_table
from fsseg.segment.times import canonical

Coercer = Callable[[object], object]

BAD: Final = object()
"""The value does not fit the field."""

_INTEGER = re.compile(r"[+-]?\d{1,19}", re.ASCII).fullmatch
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE).fullmatch
_DATE = re.compile(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)", re.ASCII).match
_HEADCOUNT = re.compile(r"\s*(\d{1,12}|\d{1,3}(?:,\d{3})+)\s*(?:\+|(?:-|–|to)\s*[\d,]+)?\s*", re.ASCII).fullmatch
_SEPARATOR = ";"
_INT64 = 2**63
_MEMORY = 1_000
_FIRST_EPOCH = 100_000_000
"""Numbers of fewer than nine digits are no times: rather ages, years, counts."""


def coercer(field: Field) -> Coercer:
    """The coercer of a field."""
    coerce = _coercer(field)
    # The few values that choices, ranges and flags take come again and again; texts, numbers and times don't.
    return _remembering(coerce) if field.choices is not None or field.name == "number_of_employees" else coerce


def _remembering(coerce: Coercer) -> Coercer:
    memory: dict[object, object] = {}

    def recall(value: object) -> object:
        if value.__class__ is not str and value.__class__ is not int:  # True and 1.0 would be found as 1
            return coerce(value)
        fit = memory.get(value)
        if fit is None:
            fit = coerce(value)
            if fit is not BAD and len(memory) < _MEMORY:
                memory[value] = fit
        return fit

    return recall


def _coercer(field: Field) -> Coercer:
    if field.name == "number_of_employees" and not field.custom:
        return _range(field) if field.choices else _headcount
    match field.type:
        case "dropdown" | "radio":
            return _choice(field)
        case "multi_select_dropdown":
            return _choices(field)
        case "auto_complete":
            return _tags
    return _BY_TYPE.get(field.type, as_text)


def expectation(field: Field) -> str:
    """What the field takes, for a hint: `a number`, `one of: Free, Pro`."""
    if field.choices:
        some = ", ".join(choice.text for choice in field.choices[:6])
        return f"one of: {some}{', …' if len(field.choices) > 6 else ''}"
    return _EXPECTED.get(field.type, "text")


def as_text(value: object) -> object:
    """Text stays text; numbers and booleans give their JSON text; a list of these is joined with `, `."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value) if math.isfinite(value) else BAD
    if isinstance(value, list):
        items = [item for item in value if item is not None]
        if not any(isinstance(item, list | dict) for item in items):
            return ", ".join(str(as_text(item)) for item in items)
    return BAD


def anything(value: object) -> object:
    """For a field of unknown type: scalars as they are."""
    return value if isinstance(value, str | int | float) else as_text(value)


def _number(value: object) -> object:
    if value.__class__ is int and -_INT64 <= value < _INT64:
        return value
    if isinstance(value, bool):
        return BAD
    if isinstance(value, str):
        text = value.strip()
        if _INTEGER(text):
            value = int(text)
        elif len(text) <= 40 and _DECIMAL(text):
            value = float(text)
    if isinstance(value, int):
        return value if -_INT64 <= value < _INT64 else BAD
    return value if isinstance(value, float) and math.isfinite(value) else BAD


_TRUTH = {"true": True, "1": True, "false": False, "0": False}


def _boolean(value: object) -> object:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return bool(value) if value in (0, 1) else BAD
    return _TRUTH.get(value.strip().lower(), BAD) if isinstance(value, str) else BAD


def _instant(value: object) -> object:
    time = None if _small(value) else canonical(value)
    return f"{time}Z" if time else BAD


def _date(value: object) -> object:
    """The day as written, whatever the zone: a date of birth or a close date must not move with the offset."""
    time = None if _small(value) else canonical(value)
    if time is None:
        return BAD
    written = _DATE(value) if isinstance(value, str) else None
    return date(*map(int, written.groups())).isoformat() if written else time[:10]


def _small(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) < _FIRST_EPOCH


def _choice(field: Field) -> Coercer:
    table = choice_table(field.choices or (), by_id=field.by_id)
    ids_unknown = field.by_id and not field.choices
    texts_unknown = field.choices is None

    def coerce(value: object) -> object:
        text = as_text(value) if not isinstance(value, list) else BAD
        if not isinstance(text, str):
            return BAD
        if text in table:
            return table[text]
        folded = text.strip().casefold().removesuffix(".0" if isinstance(value, float) else "")
        if folded in table:
            return table[folded]
        if ids_unknown and _INTEGER(folded):
            return int(folded)
        return text if texts_unknown and folded else BAD

    return coerce


def _choices(field: Field) -> Coercer:
    one = _choice(field)

    def coerce(value: object) -> object:
        if value == []:
            return None
        chosen = [one(item) for item in _items(value)]
        return BAD if BAD in chosen or not chosen else _SEPARATOR.join(dict.fromkeys(map(str, chosen)))

    return coerce


def _tags(value: object) -> object:
    items = _items(value)
    if any(isinstance(item, list | dict) for item in items) or not (items or value == []):
        return BAD
    return list(dict.fromkeys(str(as_text(item)).strip() for item in items))


def _items(value: object) -> list[object]:
    items = value.split(_SEPARATOR) if isinstance(value, str) else value if isinstance(value, list) else [value]
    return [item for item in items if item is not None and not (isinstance(item, str) and not item.strip())]


def _headcount(value: object) -> object:
    """A number of people; of a range such as `11-50` its start."""
    if isinstance(value, str) and (found := _HEADCOUNT(value)):
        return int(found[1].replace(",", ""))
    number = _number(value)
    if isinstance(number, float):
        number = int(number) if number.is_integer() else BAD
    return number if isinstance(number, int) and number >= 0 else BAD


def _range(field: Field) -> Coercer:
    """A dropdown of ranges (`11-50`, its id the start): a number picks the range it is in."""
    table = choice_table(field.choices or (), by_id=field.by_id)
    starts = sorted((start, choice.id) for choice in field.choices or () if (start := _start(choice.text)) is not None)

    def coerce(value: object) -> object:
        if isinstance(value, str) and (folded := value.strip().casefold()) in table and not folded.isdigit():
            return table[folded]
        number = _headcount(value)
        if not isinstance(number, int) or not starts:
            return BAD
        place = bisect_right(starts, number, key=lambda start: start[0])
        return starts[place - 1][1] if place else BAD

    return coerce


def _start(text: str) -> int | None:
    number = _headcount(text)
    return number if isinstance(number, int) else None


_BY_TYPE: dict[str, Coercer] = {
    "number": _number,
    "decimal": _number,
    "checkbox": _boolean,
    "date": _date,
    "date_time": _instant,
    "date_time_split": _instant,
    "unknown": anything,
}
TAKE_TEXT = (as_text, anything)
"""Coercers that leave text as it is."""

_EXPECTED = {
    "number": "a number",
    "decimal": "a number",
    "checkbox": "true or false",
    "date": "a date such as 2025-03-04",
    "date_time": "a time such as 2025-03-04T09:15:00Z",
    "date_time_split": "a time such as 2025-03-04T09:15:00Z",
    "dropdown": "the id of a choice",
    "multi_select_dropdown": "choices of the field",
    "auto_complete": "a list of text",
}
