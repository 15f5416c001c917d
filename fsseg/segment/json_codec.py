"""JSON as it comes: no number is rounded, halves of characters become U+FFFD, and nesting may be deep.

orjson reads 1,024 levels, but writes 254.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Any, Final

import orjson
from msgspec import MsgspecError
from msgspec.json import Decoder

LEVELS = 200
"""What goes deeper than this is left out where not even the slow way can write it."""

_ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_ODD: Final = (MsgspecError, ValueError, RecursionError)
_ODD_NUMBER: Final = re.compile(r"-?(\d{300}|[\d.]+[eE]\+?\d{3}|Infinity)|NaN", re.ASCII).match
_LONG_NUMBER: Final = re.compile(rb"\d[\d.]{16}", re.ASCII).search
_SHORT = 16
"""Characters of a number with a decimal point; one that has no more has at most 15 digits, which any float holds."""
_NORMAL = 1e-300, 1e300
"""Floats between these have all their digits."""
_ABSENT: Final = object()
_MOST_DIGITS = 4_000
"""Digits of a whole number that Python turns into text and back."""


def is_json(text: Any) -> bool:
    """Whether it can be read as it stands."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def is_exact(written: str, number: float) -> bool:
    """Whether the float is the number that is written, told with as many digits: then it was a float before."""
    if not number or not math.isfinite(number) or len(written) > _MOST_DIGITS:
        return not number and not written.lower().partition("e")[0].strip("+-0.")
    exact = Decimal(written)
    digits = "".join(map(str, exact.as_tuple().digits)).strip("0")
    return Decimal(f"{number:.{len(digits)}g}") == exact


def _number(written: str) -> float | int | str:
    number = float(written)
    if len(written) <= _SHORT and _NORMAL[0] < abs(number) < _NORMAL[1]:
        return number
    if is_exact(written, number):
        return number
    whole, _, rest = written.partition(".")
    return written if not rest or rest.strip("0") else _whole_number(whole)


def _whole_number(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


_decode: Final = Decoder(float_hook=_number).decode  # as quick as orjson, which rounds


def fault(error: orjson.JSONDecodeError) -> str:
    """What is wrong with a text that is no JSON; of one that was cut off, that it was, and not what it met there."""
    is_cut = error.pos >= len(error.doc.rstrip("\r\n"))
    return "the line is cut off" if is_cut else f"{error.msg} (character {error.pos + 1})"


def loads(text: bytes) -> Any:
    """The value of a JSON text. Raises `orjson.JSONDecodeError` where it is none.

    A number that neither a float nor a whole number can hold is given as the text that it is written in, and so is an
    infinity. NaN, which is no JSON, but what Python writes for a number that isn't there, is left out.
    """
    try:
        return _decode(text)
    except _ODD:
        pass
    if (whole := whole_characters(text)) is not text:
        return loads(whole)
    try:
        value = orjson.loads(text)  # which goes deeper
        if not _LONG_NUMBER(text):
            return value
    except orjson.JSONDecodeError as error:
        if not _ODD_NUMBER(error.doc, error.pos):
            raise
    try:
        return _loads_exact(text)
    except (ValueError, RecursionError):
        return orjson.loads(text)


def _loads_exact(text: bytes) -> Any:
    value = json.loads(text.decode(), parse_int=_whole_number, parse_float=_number, parse_constant=_constant)
    if value is _ABSENT:
        raise ValueError
    return _present(value) if b"NaN" in text else value


def whole_characters(text: bytes) -> bytes:
    """The text with U+FFFD for each escaped half of a character, which JSON allows and no UTF-8 can hold."""
    if b"\\ud" not in text and b"\\uD" not in text:
        return text
    whole = _ESCAPES.sub(lambda found: rb"\ufffd" if found[1] else found[0], text)
    return text if whole == text else whole


def _constant(name: str) -> Any:
    return _ABSENT if name == "NaN" else name


def _present(value: Any) -> Any:
    """The same without what is absent."""
    if isinstance(value, dict):
        return {name: _present(one) for name, one in value.items() if one is not _ABSENT}
    return [_present(one) for one in value if one is not _ABSENT] if isinstance(value, list) else value


def dumps(value: Any, option: int = 0) -> bytes:
    """JSON of what was read as JSON; `option` as orjson has it."""
    try:
        return orjson.dumps(value, option=option)
    except orjson.JSONEncodeError:
        pass
    end = b"\n" if option & orjson.OPT_APPEND_NEWLINE else b""
    try:
        return json.dumps(value).encode() + end
    except RecursionError:
        return orjson.dumps(shallow(value), option=option)


def compact(text: bytes) -> bytes:
    """The bytes in as little memory as they need; those that orjson gives take 4 KiB, however few they are."""
    return bytes(memoryview(text))


def shallow(value: Any, levels: int = LEVELS) -> Any:
    """`value` with null for all objects and lists that stand so many levels deep."""
    if not isinstance(value, dict | list):
        return value
    if not levels:
        return None
    if isinstance(value, list):
        return [shallow(one, levels - 1) for one in value]
    return {name: shallow(one, levels - 1) for name, one in value.items()}


def shown(value: Any) -> str:
    """A value as an error message shows it: text in quotes, anything else as JSON."""
    return repr(value) if isinstance(value, str) else dumps(value).decode()
