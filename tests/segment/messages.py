from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from fsseg.segment import Event, Input, Reader, Rejected, read

Write = Callable[..., Path]


def message(**changes: Any) -> dict[str, Any]:
    """A canonical identify message; a change to None leaves the key out."""
    whole = {
        "type": "identify",
        "userId": "u-1",
        "anonymousId": "a-1",
        "messageId": "m-1",
        "timestamp": "2025-03-04T09:15:02.598Z",
        "context": {"ip": "203.0.113.9"},
        "integrations": {},
        "traits": {"email": "lena@acme.example"},
    } | changes
    return {key: value for key, value in whole.items() if value is not None}


def track(**changes: Any) -> dict[str, Any]:
    return message(**{"type": "track", "event": "Signed Up", "properties": {"plan": "pro"}, "traits": None} | changes)


def lines(*messages: Any) -> bytes:
    return b"".join(orjson.dumps(each) + b"\n" for each in messages)


def read_all(path: Path, **part: Any) -> list[Event | Rejected]:
    return list(read(Input(str(path), 0, **part)))


def told(event: Event) -> dict[str, Any]:
    """What is used of an event's message, under the names it has in a file; what was left out is left out."""
    message = event.message
    context = {name: getattr(message.context, name) for name in ("traits", "page", "consent")}
    whole = {
        "type": message.type,
        "userId": message.user_id,
        "anonymousId": message.anonymous_id,
        "messageId": None if message.message_id.startswith("content:") else message.message_id,
        "event": message.event,
        "name": message.name,
        "integrations": message.integrations,
        "context": {name: orjson.loads(bytes(raw)) for name, raw in context.items() if raw} or None,
        "traits": orjson.loads(bytes(message.traits)) if message.traits else None,
        "properties": orjson.loads(bytes(message.properties)) if message.properties else None,
    }
    return {key: value for key, value in whole.items() if value is not None}


def used(event: Event) -> dict[str, Any]:
    """What anything depends on, of an event that was a row of a table: of a context's page only how a page is named."""
    unused = {"integrations", "event", "name"} - {{"track": "event", "page": "name", "screen": "name"}.get(event.type)}
    found = {name: value for name, value in told(event).items() if name not in unused}
    context = dict(found.pop("context", {}))
    page = context.pop("page", {})
    named = {name: page[name] for name in ("name", "title", "url") if event.type == "page" and name in page}
    return {**found, "context": {**context, **({"page": named} if named else {})}}


def outcomes(items: list[Event | Rejected]) -> list[str]:
    """What each item is: an event's messageId (or type, where there is none), or a reject's code."""
    return [item.code if isinstance(item, Rejected) else told(item).get("messageId", item.type) for item in items]


def drained(path: Path) -> Reader:
    reader = read(Input(str(path), 0))
    for _ in reader:
        pass
    return reader
