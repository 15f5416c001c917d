"""One message: its envelope in today's names, and whether Segment itself would have taken it.

Only envelope keys are touched. What stands in `traits`, `properties` and `context` stays as it was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Raw

from fsseg.segment import json_codec
from fsseg.segment.event import NO_CONTEXT, Context, Event, Message, Note, Original, Rejected
from fsseg.segment.file_time import now
from fsseg.segment.key import content_id
from fsseg.segment.placeholders import NOTHING, PLACEHOLDER_IDS, PlaceholderIds
from fsseg.segment.times import EARLIEST, TIME_FIELDS, FoundTime, canonical, event_time, no_event_time

TYPES = frozenset({"identify", "track", "page", "screen", "group", "alias", "delete"})
# fmt: off
ENVELOPE = frozenset({
    "type", "event", "userId", "anonymousId", "groupId", "previousId", "messageId", "timestamp", "originalTimestamp",
    "sentAt", "receivedAt", "name", "category", "channel", "context", "email", "integrations", "projectId",
    "properties", "traits", "version", "writeKey", "_metadata",
})
# fmt: on
_FOLDED = {name.lower(): name for name in ENVELOPE} | {"sessionid": "sessionId"}
_SYNONYMS = (("sessionId", "anonymousId"), ("options", "context"))
_WHO = ("userId", "anonymousId")
_IDS = ("userId", "anonymousId", "groupId", "previousId", "messageId")
_BODY = dict.fromkeys(("identify", "group"), "traits") | dict.fromkeys(("track", "page", "screen"), "properties")
_check_time = datetime.fromisoformat
_ABSENT: Original = {}
decode: Final = msgspec.json.Decoder(Message).decode
ODD: Final = (msgspec.MsgspecError, ValueError, TypeError, LookupError, RecursionError)
"""What reading a message raises that is not canonical, or none; from 3.12 on, a slice of an object is a KeyError."""

_ASCII: Final = "\x7f"
"""No text of ASCII is greater."""

_EXACT = 2**53
"""Whole numbers below this are exact in a float; orjson reads those beyond 64 bits as floats."""


NEVER: Final = "9999"
"""Later than any event."""


def read_message(line: bytes, ids: PlaceholderIds = PLACEHOLDER_IDS, latest: str = NEVER) -> tuple[Message, str]:
    """A message that is valid and canonical as it stands, and its event time.

    Nearly every line of an export passes here, and the time it takes is the time of a run's reading: hence no loops
    and few calls. Raises one of `ODD` where a closer look is needed: it may still be a message, or several.
    """
    message = decode(line)
    kind, time = message.type, message.timestamp
    user, anonymous, message_id = message.user_id, message.anonymous_id, message.message_id
    if (
        user is None or anonymous is None or not message_id
        or message.context is NO_CONTEXT or message.integrations is None
    ):  # fmt: skip
        message_id = _complete(message, line)
        user, anonymous = anonymous if user is None else user, user if anonymous is None else anonymous
    # Below "1" are blanks, which begin what gets its closer look, dashes and the zero; more blanks are past ASCII.
    if (
        user < "1" or anonymous < "1" or message_id < "1"  # type: ignore[operator]  # a TypeError is odd as well
        or user > _ASCII or anonymous > _ASCII or message_id > _ASCII  # type: ignore[operator]
    ):  # fmt: skip
        for id in (user, anonymous, message_id):
            if id < "!" or id.isspace() or not id.strip(NOTHING):  # type: ignore[operator,union-attr]
                raise ValueError
    longest, nobody = ids.longest, ids.folded
    if (
        (len(user) <= longest and user.strip().lower() in nobody)  # type: ignore[arg-type,union-attr]
        or (len(anonymous) <= longest and anonymous.strip().lower() in nobody)  # type: ignore[arg-type,union-attr]
        or (len(message_id) <= longest and message_id.strip().lower() in nobody)
    ):
        raise ValueError
    if kind == "identify":
        body = message.traits
    elif (
        kind == "page" or kind == "screen" or (kind == "track" and message.event >= "!" and not message.event.isspace())
    ):
        body = message.properties
    else:
        raise ValueError
    if bytes(body)[0] != 0x7B or message.noted or not (line.isascii() or line.decode()):
        raise ValueError
    # The second slice has all separators at once: fromisoformat alone would let week dates through.
    if time[23:] != "Z" or time[4:20:3] != "--T::.":
        plain = canonical(time)
        if plain is None or not EARLIEST <= plain <= latest:
            raise ValueError
        return message, plain
    plain = time[:23]
    _check_time(plain)
    if not EARLIEST <= plain <= latest:
        raise ValueError
    return message, plain


def time_of(message: Message, ids: PlaceholderIds, latest: str) -> str:
    """The event time of a message that was not read from JSON, if it is valid and canonical; see `read_message`."""
    user, anonymous, message_id = message.user_id, message.anonymous_id, message.message_id
    user, anonymous = anonymous if user is None else user, user if anonymous is None else anonymous
    longest, nobody = ids.longest, ids.folded
    # As in `read_message`: what is long, and begins with no blank, dash or zero, can't be a placeholder.
    if (
        not ("1" <= user <= _ASCII and "1" <= anonymous <= _ASCII and "1" <= message_id <= _ASCII)  # type: ignore[operator]
        and any(id < "!" or id in ids for id in (user, anonymous, message_id))  # type: ignore[operator]
    ) or (
        (len(user) <= longest and user.strip().lower() in nobody)  # type: ignore[arg-type,union-attr]
        or (len(anonymous) <= longest and anonymous.strip().lower() in nobody)  # type: ignore[arg-type,union-attr]
        or (len(message_id) <= longest and message_id.strip().lower() in nobody)
    ):
        raise ValueError
    time: Any = message.timestamp
    plain: str | None = time[:23]
    if time[23:] == "Z" and time[4:20:3] == "--T::.":
        _check_time(plain)  # type: ignore[arg-type]  # a TypeError is odd as well
    else:
        plain = canonical(time)
    if plain is None or not EARLIEST <= plain <= latest:
        raise ValueError
    return plain


def _complete(message: Message, line: bytes) -> str:
    """The message's id, made where there is none. Only what is absent can be there under another name."""
    original = json_codec.loads(line)
    if not ENVELOPE.issuperset(original):
        raise ValueError
    if not message.message_id:
        message.message_id = content_id(original)
    return message.message_id


def event_of(
    original: Original, line: int, position: int, ids: PlaceholderIds = PLACEHOLDER_IDS, latest: str = NEVER,
    file_time: Callable[[], FoundTime] = now,
) -> Event | Rejected:  # fmt: skip
    """The event a message is, its envelope normalised, or the reason why it is none.

    What names nobody is taken out of its ids; without any time of its own it has that of its file.
    """
    return event_of_normal(normalise(original), original, line, position, ids, latest, file_time)


def event_of_normal(
    message: Original, original: Original, line: int, position: int, ids: PlaceholderIds, latest: str,
    file_time: Callable[[], FoundTime], known: Sequence[Note] = (),
) -> Event | Rejected:  # fmt: skip
    """The event of a message that is normalised already, which this may change; `known` is what is odd about it."""
    notes = [*known, *(("placeholder_id", name) for name in _WHO if _is_placeholder(message.get(name), ids))]
    fault = _fault(message)
    if fault:
        return Rejected(position, line, *fault, original=original)
    for name in (*_WHO, "messageId"):
        if _is_placeholder(message.get(name), ids):
            del message[name]
    found = event_time(message, latest)
    if found is None:
        return Rejected(position, line, "bad_timestamp", no_event_time(message, latest)[:200], original=original)
    time, field = found if found.time else file_time()
    if field != TIME_FIELDS[0]:
        notes.append(("no_time", field))
    return Event(position, line, message["type"], time, typed(message), original, tuple(notes))


def _is_placeholder(id: object, ids: PlaceholderIds) -> bool:
    return isinstance(id, str) and id in ids


def typed(message: Original) -> Message:
    """What is used of a normalised, faultless message."""
    get = message.get
    return Message(
        message["type"], get("timestamp"), get("userId"), get("anonymousId"),
        get("messageId") or content_id(message), get("event"), get("name"), context_of(get("context")),
        get("integrations"), _raw(message, "traits"), _raw(message, "properties"),
    )  # fmt: skip


def context_of(context: Original | None) -> Context:
    """What is used of a message's context."""
    if not context:
        return NO_CONTEXT
    return Context(_raw(context, "traits"), _raw(context, "page"), _raw(context, "consent"))


def _raw(holder: Original, name: str) -> Raw:
    return Raw(json_codec.dumps(holder[name])) if name in holder else Raw()


def normalise(original: Original) -> Original:
    """A copy with camelCase envelope names, text ids and objects where objects belong; faults are left standing.

    Accepted besides today's envelope: its names in snake_case or another case, `options` for `context`, `action` for
    `type`, `sessionId` for `anonymousId`, numbers as ids, null or an empty list for an object, and a track payload
    printed under `traits`, as Engage's warehouse page does.
    """
    message = normalise_names(original)
    if not message.get("type"):
        action = message.get("action")
        if isinstance(action, str) and action.lower() in TYPES:
            message["type"] = message.pop("action")
        elif message.get("event"):
            message["type"] = "track"
    kind = message.get("type")
    if isinstance(kind, str):
        kind = message["type"] = kind.strip().lower()
    for name in _IDS:
        if name in message:
            _normalise_id(message, name)
    for name in ("context", "integrations"):
        if not isinstance(message.get(name, _ABSENT), dict):
            message[name] = {}
    body = _BODY.get(kind) if isinstance(kind, str) else None
    if body and message.get(body) in (None, []):
        stray = message.pop("traits", None) if kind == "track" else None
        message[body] = {} if stray is None else stray
    return message


def normalise_names(original: Original) -> Original:
    """A copy with camelCase envelope names; where a message has a name twice, the one spelt as today is kept."""
    if ENVELOPE.issuperset(original):
        return dict(original)
    message: Original = {}
    renamed: Original = {}
    for key, value in original.items():
        name = key if key in ENVELOPE else _FOLDED.get(key.replace("_", "").lower())
        if name is None or name == key:
            message[key] = value
        else:
            renamed[name] = value
    for name, value in renamed.items():
        if message.get(name) in (None, ""):
            message[name] = value
    for old, new in _SYNONYMS:
        if old in message and message.get(new) in (None, ""):
            message[new] = message.pop(old)
    return message


def _normalise_id(message: Original, name: str) -> None:
    value = message[name]
    if type(value) is float and value.is_integer() and abs(value) < _EXACT:
        value = int(value)
    if type(value) is int:
        message[name] = str(value)
    elif value is None or (isinstance(value, str) and not value.strip()):
        del message[name]
    elif name == "messageId" and not isinstance(value, str):
        del message[name]  # no identity of anybody: the content is the key then


def _fault(message: Original) -> tuple[str, str] | None:
    kind = message.get("type")
    if kind is None or kind == "":
        return "missing_type", "the message has no type"
    if not isinstance(kind, str) or kind not in TYPES:
        return "unknown_type", f"{json_codec.shown(kind)} is no Segment type"[:200]
    for name in _IDS:
        if not isinstance(message.get(name, ""), str):
            return "id_not_string", f"{name} is neither text nor a whole number"
    needed = ("userId", "previousId") if kind == "alias" else ("userId", "anonymousId")
    if not any(name in message for name in needed):
        return "no_user_anon_id", f"neither {needed[0]} nor {needed[1]} is set"
    if kind == "track":
        event = message.get("event")
        if event is None or (isinstance(event, str) and not event.strip()):
            return "event_not_defined", "a track message needs an event"
        if not isinstance(event, str):
            return "event_not_string", "the event is not text"
    body = _BODY.get(kind)
    if body and not isinstance(message[body], dict):
        return f"{body}_not_object", f"{body} is not an object"
    return None
