"""What an error's body says, whatever its shape."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import orjson

MAX_LENGTH = 300

_TEXT_KEYS = ("message", "messages", "error_message", "description", "error", "login")
_RUBY_HASH = re.compile(r'\{"message"=>"(.*?)"\}')
_HTML = re.compile(r"\s*<(!doctype|html|head|body|\?xml)", re.IGNORECASE)
_HEADING = re.compile(r"<(title|h1)[^>]*>(.*?)</\1>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<(script|style).*?</\1>|<[^>]*>", re.IGNORECASE | re.DOTALL)
# Seen as "… failure :: response_code :: 429 …" inside a 400: a code of the machinery, the same in every language.
_UPSTREAM = re.compile(rb"response_code\W{1,8}(\d{3})\b")


def parse(body: bytes) -> Any:
    """The JSON value of a body, None for an empty one. Raises ValueError for anything else."""
    return orjson.loads(body) if body.strip() else None


def message_in(body: bytes) -> str:
    """The text meant for people in an error's body: JSON in any of the shapes observed, HTML, or plain text."""
    try:
        return "; ".join(dict.fromkeys(_texts(parse(body))))
    except ValueError:
        text = body.decode("utf-8", "replace")
    if not _HTML.match(text):
        return text
    heading = _HEADING.search(text)
    return _TAG.sub(" ", heading[2] if heading else text)


def clean(text: str) -> str:
    """One line without control characters, at most 300 characters long."""
    visible = "".join(" " if unicodedata.category(character)[0] in "CZ" else character for character in text)
    line = " ".join(visible.split())
    return line if len(line) <= MAX_LENGTH else line[: MAX_LENGTH - 1] + "…"


def wrapped_status(body: bytes) -> int | None:
    """The status an error body gives for itself: `errors.code`, or an upstream's `response_code` in its text."""
    try:
        value = parse(body)
        errors = value.get("errors") if isinstance(value, dict) else None
        code = errors.get("code") if isinstance(errors, dict) else None
        inner = int(code) if isinstance(code, int | str) and str(code).isdecimal() else None
    except ValueError:
        inner = None
    if inner == 429 or (inner is not None and inner >= 500):
        return inner
    upstream = _UPSTREAM.search(body)
    return int(upstream[1]) if upstream else inner


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            messages = _RUBY_HASH.findall(value)
            yield from messages or ([value] if value.strip() else [])
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            errors = value.get("errors")
            texts = list(_texts(errors)) if errors else []
            for key in _TEXT_KEYS:
                texts = texts or list(_texts(value.get(key)))
            yield from texts or _by_field(value)


def _by_field(value: dict[str, Any]) -> Iterator[str]:
    """`{"amount": ["can't be blank"]}` as `amount can't be blank`."""
    for field, problems in value.items():
        if isinstance(problems, list | str):
            yield from (f"{field} {text}" for text in _texts(problems))
