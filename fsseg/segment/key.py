"""What makes two messages the same one."""

from __future__ import annotations

import marshal

import orjson
from xxhash import xxh3_64_intdigest

from fsseg.segment.event import Message

_DELIVERY = frozenset({"receivedAt", "sentAt", "_metadata"})
_BY_CONTENT = 1
"""The seed of content keys, so that no messageId can be chosen to meet one."""


def event_key(message: Message) -> int:
    """A 64-bit key, the same in every process: of the `messageId`, else of what the message says.

    Segment dedupes by `messageId` only. Messages without one are normal in re-imports; of these, the same content
    delivered twice is one message, so what differs from delivery to delivery does not count.
    """
    given = message.get("messageId")
    if given and isinstance(given, str):
        return xxh3_64_intdigest(given.encode())
    if isinstance(given, int) and not isinstance(given, bool):
        return xxh3_64_intdigest(str(given).encode())
    content = {key: value for key, value in message.items() if key not in _DELIVERY and key != "messageId"}
    try:
        text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # nested beyond the 254 levels orjson writes, though it reads 1,024
        text = marshal.dumps(content, 0)
    return xxh3_64_intdigest(text, seed=_BY_CONTENT)
