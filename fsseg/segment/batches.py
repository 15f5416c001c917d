"""Values that hold several messages: an HTTP batch body, an array, an object around an array, a profile's page."""

from __future__ import annotations

from typing import Any

from fsseg.segment.envelope import TYPES, normalise_names
from fsseg.segment.event import Original
from fsseg.segment.profile_api import profile_messages

_SHARED = ("context", "integrations")
_SIGNS = ("type", "event", "action")
"""Keys that tell a message from any other object."""
_IDS = ("userId", "anonymousId", "user_id", "anonymous_id")


def messages_in(value: Any) -> list[Any]:
    """The messages that a JSON value holds; the value itself where it isn't one of several, or holds none.

    What a batch says for all its items goes into each; the item wins, key by key (which side does is not documented).
    A batch's own messageId is no event's.
    """
    if isinstance(value, list):
        return [one for item in value for one in (messages_in(item) if is_batch(item) else [item])] or [value]
    if not isinstance(value, dict):
        return [value]
    if "cursor" in value and (found := profile_messages(value)) is not None:
        return found
    items = _items(value)
    if not items:
        return [value]
    whole = normalise_names(value)
    shared = {key: whole[key] for key in _SHARED if isinstance(whole.get(key), dict)}
    sent = {"sentAt": whole["sentAt"]} if whole.get("sentAt") else {}
    if not shared and not sent:
        return items
    return [_merged(item, shared, sent) if isinstance(item, dict) else item for item in items]


def is_batch(value: Any) -> bool:
    """Whether a value is the body of a call to Segment's batch endpoint, or a hand-made object like it."""
    return isinstance(value, dict) and (bool(_items(value)) or ("cursor" in value and bool(profile_messages(value))))


def _items(value: Original) -> list[Any] | None:
    kind = value.get("type")
    batch = value.get("batch")
    if isinstance(batch, list) and not (isinstance(kind, str) and kind.lower() in TYPES):
        return batch
    if any(key in value for key in (*_SIGNS, *_IDS)):
        return None
    arrays = [member for member in value.values() if isinstance(member, list) and member and _is_message(member[0])]
    return arrays[0] if len(arrays) == 1 else None


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and any(key in value for key in _SIGNS)


def _merged(item: Original, shared: Original, sent: Original) -> Original:
    named = normalise_names(item)
    for key, value in shared.items():
        own = named.get(key)
        named[key] = {**value, **own} if isinstance(own, dict) else value
    return {**sent, **named} if not named.get("sentAt") else named
