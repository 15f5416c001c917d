"""What makes two messages the same one."""

from __future__ import annotations

import marshal
from typing import Any, Final

import orjson
from xxhash import xxh3_64_hexdigest, xxh3_64_intdigest

from fsseg.segment.event import Original

_DELIVERY = frozenset({"receivedAt", "sentAt", "_metadata", "messageId"})
"""What may differ from one delivery of a message to the next."""

_NOTHING: list[Any] = [None, "", {}, []]


event_key: Final = xxh3_64_intdigest
"""A 64-bit key of an event's messageId in UTF-8, the same in every process. Segment dedupes by messageId only."""


def content_id(message: Original) -> str:
    """What stands in for a `messageId`: messages without one are normal in re-imports."""
    content = {key: value for key, value in message.items() if key not in _DELIVERY and value not in _NOTHING}
    try:
        text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # nested beyond the 254 levels orjson writes, though it reads 1,024
        text = marshal.dumps(content, 0)
    return f"content:{xxh3_64_hexdigest(text)}"
