"""Segment messages for tests: each has a messageId and a time of its own unless it is given one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

Event = dict[str, Any]

_numbers = count(1)
_start = datetime(2024, 3, 1, tzinfo=UTC)


def message(type: str, **envelope: Any) -> Event:
    number = next(_numbers)
    time = (_start + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {"type": type, "messageId": f"m-{number}", "timestamp": time, **envelope}


def identify(
    user: str, /, traits: dict[str, Any] | None = None, *, envelope: Event | None = None, **more: Any
) -> Event:
    """An identify call of `user`; further keywords are traits too."""
    return message("identify", userId=user, traits={**(traits or {}), **more}, **(envelope or {}))


def track(user: str, event: str, /, properties: dict[str, Any] | None = None, **envelope: Any) -> Event:
    return message("track", userId=user, event=event, properties=properties or {}, **envelope)


def page(user: str, name: str, /, properties: dict[str, Any] | None = None, **envelope: Any) -> Event:
    return message("page", userId=user, name=name, properties=properties or {}, **envelope)


def anonymous(id: str, event: str, **envelope: Any) -> Event:
    return message("track", anonymousId=id, event=event, properties={}, **envelope)
