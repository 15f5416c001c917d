"""Tables whose columns name members with dots, such as `traits.plan`: for Segment's CSV import, or its S3 source."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import compress
from operator import itemgetter
from typing import Any

import orjson
from msgspec import Raw

from fsseg.segment.envelope import ENVELOPE, normalise
from fsseg.segment.event import Message, Original
from fsseg.segment.tables.table import (
    BODIES,
    UNUSABLE,
    BadRow,
    Table,
    UnusableTable,
    context_picking,
    picking,
    put,
    refuse_hashed,
)

_OBJECTS = ("traits", "properties", "context", "integrations")
_HASH = 64
"""Characters of a hashed address."""
_TIMES = ("createdAt", "timestamp")
"""Columns that are times wherever they stand, in seconds since 1970."""
_NULL = b'"null"'
_USED = re.compile(r"context\.(?:traits|page|consent)\.")
"""Columns of what is used of a context."""
_OF_FILE = re.compile(r"(?P<type>identify|track|page|screen|group|object)s?[_-]", re.IGNORECASE)


def is_dotted(columns: Sequence[str]) -> bool:
    """Whether a column names a member of one of a message's objects."""
    return any(name.partition(".")[0] in _OBJECTS and "." in name for name in columns)


def dotted_table(columns: Sequence[str], file: str) -> Table:
    """Messages by their members; without a column for the type, the file's name tells it. Raises `UnusableTable`."""
    kind = "" if "type" in columns else _kind(columns, file)
    paths = [(place, name.split("."), name) for place, name in enumerate(columns) if name]
    type_at = -1 if kind else list(columns).index("type")

    def message(row: Sequence[Any]) -> Original:
        of_type = kind or row[type_at].strip().lower()
        body = BODIES.get(of_type, "traits")
        found: Original = {"type": of_type, body: {}, "context": {}, "integrations": {}}
        for place, path, name in paths:
            value = row[place]
            if value == "":
                continue
            if value == UNUSABLE:
                raise BadRow(f"{name} holds {UNUSABLE}: what was an object there is lost")
            value = _value(path, value)
            if len(path) == 1 and name not in ENVELOPE:
                put(found, (body, name), value)
            elif name == "email" and value is not None:
                put(found, (body, name) if body == "traits" else ("context", "traits", name), value)
            else:
                put(found, path, value)
        for stray in ({"traits", "properties"} - {body}) & found.keys():
            if stray == "traits":  # of a call that has none, they stand below its context
                found["context"].setdefault("traits", found["traits"])
            del found[stray]
        refuse_hashed(found.get("userId"))
        return normalise(found)

    return Table("import", columns, message, _quick(columns, kind, type_at))


def _quick(columns: Sequence[str], kind: str, type_at: int) -> Callable[[Sequence[str]], Message] | None:
    """Takes plain members at once, and the others one by one."""
    try:
        ids = [list(columns).index(name) for name in ("userId", "messageId", "timestamp")]
    except ValueError:
        return None
    if any(name not in ENVELOPE and "." not in name for name in columns) or "email" in columns:
        return None
    picks, deep, flags = {}, {}, [place for place, name in enumerate(columns) if name.startswith("integrations.")]
    contexts = [(place, name.split(".")[1:]) for place, name in enumerate(columns) if _USED.match(name)]
    if any(len(path) != 2 or path[1] in _TIMES for _, path in contexts):
        return None
    inside_of = context_picking(contexts)
    for of_type in ("identify", "track", "page"):
        body = BODIES[of_type]
        below = [(place, name.split(".")[1:]) for place, name in enumerate(columns) if name.startswith(f"{body}.")]
        picks[of_type] = picking(
            [(place, path[0]) for place, path in below if len(path) == 1 and path[0] not in _TIMES]
        )
        deep[of_type] = _those_there([(place, path) for place, path in below if len(path) > 1 or path[0] in _TIMES])
    stray = [place for place, name in enumerate(columns) if name.startswith("traits.")]
    stray_of = (
        itemgetter(*stray) if len(stray) > 1 else itemgetter(slice(min(stray, default=0), max(stray, default=-1) + 1))
    )
    name_at = columns.index("name") if "name" in columns else None
    event_at = columns.index("event") if "event" in columns else None
    anonymous_at = columns.index("anonymousId") if "anonymousId" in columns else None

    def quick(row: Sequence[str]) -> Message:
        of_type = kind or row[type_at]
        if of_type not in picks:
            raise ValueError
        found: dict[str, Any] = {**picks[of_type](row)}
        user, id, time = [row[place] for place in ids]
        for path, text in zip(*deep[of_type](row), strict=True):
            put(found, path, _value(path, text))
        inside = inside_of(row)
        is_identify = of_type == "identify"
        event = row[event_at] if of_type == "track" else None  # type: ignore[index]  # a TypeError is odd as well
        name = row[name_at] or None if name_at is not None and of_type == "page" else None
        if (
            "null" in found.values() or "null" in (event, name, user, id) or (of_type == "track" and not event)
            or any(row[place] for place in flags) or len(user) == _HASH
            or (not is_identify and any(stray_of(row))) or _NULL in bytes(inside.traits) or _NULL in bytes(inside.page)
        ):  # fmt: skip
            raise ValueError
        anonymous = (row[anonymous_at] or None) if anonymous_at is not None else None
        body, none = Raw(orjson.dumps(found)), Raw()
        return Message(
            of_type, time, user or None, anonymous, id, event, name, inside, {}, body if is_identify else none,
            none if is_identify else body,
        )  # fmt: skip

    return quick


def _those_there(
    columns: Sequence[tuple[int, list[str]]],
) -> Callable[[Sequence[str]], tuple[Sequence[list[str]], Sequence[str]]]:
    """The paths of these columns that hold something in a row, and what."""
    if len(columns) < 2:
        return lambda row: ([path for at, path in columns if row[at]], [row[at] for at, _ in columns if row[at]])
    cells_of, paths = itemgetter(*(at for at, _ in columns)), [path for _, path in columns]

    def there(row: Sequence[str]) -> tuple[Sequence[list[str]], Sequence[str]]:
        cells = cells_of(row)
        return list(compress(paths, cells)), list(filter(None, cells))

    return there


def _value(path: Sequence[str], text: str) -> Any:
    """A cell's value: `null` is null, digits stay text but for times, and flags of destinations are no texts."""
    if text == "null":
        return None
    if path[0] == "integrations":
        return {"true": True, "false": False}.get(text.lower(), text)
    if path[-1] in _TIMES and text.isdigit():
        return int(text)
    return text


def _kind(columns: Sequence[str], file: str) -> str:
    named = _OF_FILE.match(file)
    if named and named["type"].lower() == "object":
        raise UnusableTable("rows of the S3 source's objects, which are no events")
    if named:
        return named["type"].lower()
    if "event" in columns:
        return "track"
    if "groupId" in columns:
        return "group"
    return "page" if "name" in columns and not any(name.startswith("traits.") for name in columns) else "identify"
