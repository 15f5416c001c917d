"""Trait values to what a field takes: a way for each kind of value, and never guessed beyond it.

A coercer takes any JSON value but null (null clears, which needs no type) and gives the value to write, or `BAD`.
Wire shapes are those of the custom field reference: numbers and booleans of JSON, dates as `YYYY-MM-DD`, a custom
dropdown's choice as its text and a built-in one's as its id, several choices joined with `;`.
Which type of field takes which way stands in `field_types`.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable
from datetime import date
from typing import Final

from fsseg.mapping.fields import Field, choice_table
from fsseg.segment.json_codec import is_exact
from fsseg.segment.times import canonical, date_of_number, in_iso

Coercer = Callable[[object], object]

BAD: Final = object()
"""The value does not fit the field."""

_INTEGER = re.compile(r"[+-]?\d{1,19}", re.ASCII).fullmatch
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE).fullmatch
_SHORTENED = re.compile(r"\s*[+-]?\d([.,]\d+)?e[+-]?\d+\s*", re.ASCII | re.IGNORECASE).fullmatch
_EPOCH = re.compile(r"\s*-?\d{9,19}(\.\d+)?\s*", re.ASCII).fullmatch
_DATE = re.compile(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)", re.ASCII).match
_HEADCOUNT = re.compile(r"\s*(\d{1,12}|\d{1,3}(?:,\d{3})+)\s*(?:\+|(?:-|–|to)\s*[\d,]+)?\s*", re.ASCII).fullmatch
_TRUTH = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
_SEPARATOR = ";"
_INT64 = 2**63
_MEMORY = 1_000
_EXACT = 2**53
"""Whole numbers below this are exact in a float."""


def remembering(coerce: Coercer) -> Coercer:
    """The same coercer, with a memory of the values that fit."""
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


def as_text(value: object) -> object:
    """Text stays text; numbers and booleans give their JSON text; a list of these is joined with `, `."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        is_whole = value.is_integer() and abs(value) < _EXACT
        return str(int(value)) if is_whole else str(value) if math.isfinite(value) else BAD
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        items = [item for item in value if item is not None]
        if items and not any(isinstance(item, list | dict) for item in items):
            return ", ".join(str(as_text(item)) for item in items)
    return BAD


def as_phone(value: object) -> object:
    """Text as it is, but for what spreadsheets save instead of a long number: `4.9E+11`, whose digits are lost."""
    text = as_text(value)
    return BAD if isinstance(text, str) and is_shortened(text) else text


def is_shortened(text: str) -> bool:
    """Whether it is a long number as spreadsheets shorten it."""
    return ("E" in text or "e" in text) and _SHORTENED(text) is not None


def anything(value: object) -> object:
    """For a field of unknown type: scalars as they are, numbers that JSON readers would round as text."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        return str(value)
    return value if isinstance(value, str | int | float) else as_text(value)


def as_number(value: object) -> object:
    """Numbers of 64 bits, or their text; none that would be rounded."""
    if value.__class__ is int and -_INT64 <= value < _INT64:
        return value
    if isinstance(value, bool):
        return BAD
    if isinstance(value, str):
        text = value.strip()
        if _INTEGER(text):
            value = int(text)
        elif len(text) <= 40 and _DECIMAL(text):
            number = float(text)
            value = number if is_exact(text, number) else BAD
    if isinstance(value, int):
        return value if -_INT64 <= value < _INT64 else BAD
    return value if isinstance(value, float) and math.isfinite(value) else BAD


def as_boolean(value: object) -> object:
    """True and false, 1 and 0, or their text; `t` and `f` as databases write them."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return bool(value) if value in (0, 1) else BAD
    return _TRUTH.get(value.strip().lower(), BAD) if isinstance(value, str) else BAD


def as_instant(value: object) -> object:
    """A moment, in UTC."""
    time = _date_of(value)
    return f"{time}Z" if time else BAD


def as_day(value: object) -> object:
    """The day as written, whatever the zone: a date of birth or a close date must not move with the offset."""
    value = in_iso(value) if isinstance(value, str) else value
    time = _date_of(value)
    if time is None:
        return BAD
    written = _DATE(value) if isinstance(value, str) else None
    return date(*map(int, written.groups())).isoformat() if written else time[:10]


def _date_of(value: object) -> str | None:
    if isinstance(value, str) and len(value) <= 40 and _EPOCH(value):
        value = float(value) if "." in value else int(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return date_of_number(value)
    return canonical(value)


def one_choice(field: Field) -> Coercer:
    """The coercer of a field that takes one of its choices, by its text, its id or an owner's e-mail."""
    table = choice_table(field.choices or (), by_id=field.by_id)
    ids_unknown = field.by_id and not field.choices
    texts_unknown = field.choices is None

    def coerce(value: object) -> object:
        text = as_text(value) if not isinstance(value, list) else BAD
        if not isinstance(text, str):
            return BAD
        if text in table:
            return table[text]
        folded = text.strip().casefold()
        if folded in table:
            return table[folded]
        if ids_unknown and _INTEGER(folded):
            return as_number(folded)
        return text if texts_unknown and folded else BAD

    return coerce


def some_choices(field: Field) -> Coercer:
    """The coercer of a field that takes any of its choices, as a list or joined with `;`; no value where one fails."""
    one = one_choice(field)

    def coerce(value: object) -> object:
        if value == []:
            return None
        chosen = [one(item) for item in _items(value)]
        return BAD if BAD in chosen or not chosen else _SEPARATOR.join(dict.fromkeys(map(str, chosen)))

    return coerce


def as_tags(value: object) -> object:
    """Texts of one's own, as a list or joined with `;`."""
    items = _items(value)
    if any(isinstance(item, list | dict) for item in items) or not (items or value == []):
        return BAD
    return list(dict.fromkeys(str(as_text(item)).strip() for item in items))


def _items(value: object) -> list[object]:
    items = value.split(_SEPARATOR) if isinstance(value, str) else value if isinstance(value, list) else [value]
    return [item for item in items if item is not None and not (isinstance(item, str) and not item.strip())]


def headcount(field: Field) -> Coercer:
    """The coercer of a number of people: by the ranges that the field offers, else the number itself."""
    return _range(field) if field.choices else _people


def _people(value: object) -> object:
    """A number of people without ranges to choose from; none is no number of employees, as no range begins at 0."""
    return _headcount(value) or BAD


def _headcount(value: object) -> object:
    """A number of people; of a range such as `11-50` its start."""
    if isinstance(value, str) and (found := _HEADCOUNT(value)):
        number: object = int(found[1].replace(",", ""))
    else:
        number = as_number(value)
    if isinstance(number, float):
        number = int(number) if number.is_integer() else BAD
    return number if isinstance(number, int) and 0 <= number < _INT64 else BAD


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


TAKE_TEXT = (as_text, anything, as_phone)
"""Coercers that leave text as it is; `as_phone` where it isn't shortened."""
