"""What the read stage gives: an `Event`, or a `Rejected` that says which line is not one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import UNSET, MsgspecError, Raw, Struct, UnsetType, field
from msgspec.json import Decoder

from fsseg.segment import json_codec

Original = dict[str, Any]
"""A message as it stood in the file."""

POSITION_BITS = 40
"""A position is `input number << POSITION_BITS | ordinal`, so text order of input is number order of positions."""

INDEX = (1 << POSITION_BITS) - 1
"""The bits of a position that tell which event of its input it is."""


class Context(Struct, frozen=True, gc=False):
    """What is used of a message's `context`: JSON of whatever type was sent, nothing where it was left out."""

    traits: Raw = Raw()
    page: Raw = Raw()
    consent: Raw = Raw()


NO_CONTEXT = Context()


class Message(Struct, rename="camel", gc=False):
    """A Segment message, as far as anything here depends on it; all else is passed over, which saves half the time.

    `traits` and `properties` are JSON objects as sent, of the types that have them. In an event every id is text, and
    `message_id` is always there: where none was sent, `content:` and a hash of what the message says.
    """

    type: str
    timestamp: Any = None
    user_id: str | None = None
    anonymous_id: str | None = None
    message_id: str = ""
    event: Any = None
    name: Any = None
    context: Context = NO_CONTEXT
    integrations: dict[str, Any] | None = None
    traits: Raw = Raw()
    properties: Raw = Raw()
    noted: Raw = field(name="_fsseg", default=Raw())
    """What an earlier run noted about it: no part of the event."""


class Body(Struct, gc=False):
    """The members of `traits`, `properties` or a page that mean something by themselves, of whatever type."""

    email: Any = None
    name: Any = None
    title: Any = None
    url: Any | UnsetType = UNSET


_body = Decoder(Body).decode


def body_of(json: Raw | bytes | str) -> Body:
    """What is in an object; nothing where it isn't one."""
    try:
        return _body(json)
    except MsgspecError:
        return Body()


Note = tuple[str, str]
"""A warning about an event: its code, and the name of what it is about."""


class Event(Struct, frozen=True, gc=False):
    """One valid Segment message.

    `time` is the event time in UTC as text, `2025-03-04T09:15:02.598`: no zone, three fraction digits or up to six
    where they are needed, so that comparing text compares instants.
    """

    position: int
    line: int
    type: str
    time: str
    message: Message
    source: bytes | Original | Callable[[], Original]
    """The line, or what was an item of it, or what makes it of the row that it was."""
    notes: tuple[Note, ...] = ()
    """What was odd about its ids or its time, and how it was taken all the same."""

    @property
    def original(self) -> Original:
        """The message as it stood in the file."""
        if callable(self.source):
            return self.source()
        return self.source if isinstance(self.source, dict) else json_codec.loads(self.source)


class Rejected(Struct, frozen=True, gc=False):
    """One non-blank line, or one item of a batch, that is not a usable event.

    `original` is the parsed object where there is one; `raw` is the beginning of the line (at most 1,000 characters)
    where there is none (`not_json`, `not_utf8`, `too_large`, `truncated`).
    """

    position: int
    line: int
    code: str
    detail: str
    original: Original | None = None
    raw: str | None = None
