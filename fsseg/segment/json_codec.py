"""JSON however deep it goes: orjson reads 1,024 levels, but writes 254. Numbers too large for it become infinite."""

from __future__ import annotations

import json
from typing import Any

import orjson

LEVELS = 200
"""What goes deeper than this is left out where not even the slow way can write it."""


def loads(text: bytes) -> Any:
    """The value of what is known to be JSON."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


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


def shallow(value: Any, levels: int = LEVELS) -> Any:
    """`value` with null for all objects and lists that stand so many levels deep."""
    if not isinstance(value, dict | list):
        return value
    if not levels:
        return None
    if isinstance(value, list):
        return [shallow(one, levels - 1) for one in value]
    return {name: shallow(one, levels - 1) for name, one in value.items()}
