"""JSON as it comes: whole numbers of any size stay exact, halves of characters become U+FFFD, and nesting may be deep.

orjson reads 1,024 levels, but writes 254.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

import orjson
from msgspec import MsgspecError
from msgspec.json import Decoder

LEVELS = 200
"""What goes deeper than this is left out where not even the slow way can write it."""

_decode: Final = Decoder().decode  # as quick as orjson, which rounds whole numbers beyond 64 bits
_ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_ODD: Final = (MsgspecError, ValueError, RecursionError)
_HUGE_NUMBER: Final = re.compile(r"-?(\d{300}|[\d.]+[eE]\+?\d{3})", re.ASCII).match
_MOST_DIGITS = 4_000
"""Digits of a whole number that Python turns into text and back."""


def loads(text: bytes) -> Any:
    """The value of a JSON text. Raises `orjson.JSONDecodeError` where it is none.

    A number that no float can hold is given as the text that it is written in.
    """
    try:
        return _decode(text)
    except _ODD:
        pass
    if (whole := whole_characters(text)) is not text:
        return loads(whole)
    try:
        return orjson.loads(text)  # which goes deeper
    except orjson.JSONDecodeError as error:
        if not _HUGE_NUMBER(error.doc, error.pos):
            raise
    try:
        return _loads_huge(text)
    except (ValueError, RecursionError):
        return orjson.loads(text)


def _loads_huge(text: bytes) -> Any:
    return json.loads(text.decode(), parse_int=_whole_number, parse_float=_float, parse_constant=_refuse)


def whole_characters(text: bytes) -> bytes:
    """The text with U+FFFD for each escaped half of a character, which JSON allows and no UTF-8 can hold."""
    if b"\\ud" not in text and b"\\uD" not in text:
        return text
    whole = _ESCAPES.sub(lambda found: rb"\ufffd" if found[1] else found[0], text)
    return text if whole == text else whole


def _whole_number(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


def _float(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def _refuse(name: str) -> Any:
    raise ValueError(name)


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
    """The same, for what is kept: the bytes that orjson gives take 4 KiB of memory, however few they are."""
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
