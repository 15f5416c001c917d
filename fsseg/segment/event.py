"""What the read stage gives: an `Event`, or a `Rejected` that says which line is not one."""

from __future__ import annotations

from typing import Any, NamedTuple

Message = dict[str, Any]
"""A Segment message with its envelope keys in camelCase; `traits`, `properties` and `context` keys are as sent."""

POSITION_BITS = 40
"""A position is `input number << POSITION_BITS | ordinal`, so text order of input is number order of positions."""


class Event(NamedTuple):
    """One valid Segment message.

    `time` is the event time in UTC as text, `2025-03-04T09:15:02.598`: no zone, three fraction digits or up to six
    where they are needed, so that comparing text compares instants.
    """

    position: int
    line: int
    type: str
    time: str
    message: Message
    original: Message
    """The message as it stood in the file; the same object as `message` unless the envelope had to be normalised."""


class Rejected(NamedTuple):
    """One non-blank line, or one item of a batch, that is not a usable event.

    `original` is the parsed object where there is one; `raw` is the beginning of the line (at most 1,000 characters)
    where there is none (`not_json`, `not_utf8`, `too_large`, `truncated`).
    """

    position: int
    line: int
    code: str
    detail: str
    original: Message | None = None
    raw: str | None = None
