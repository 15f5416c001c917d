"""Tables whose columns name members with dots, such as `traits.plan`: for Segment's CSV import, or its S3 source."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from msgspec import Raw

from fsseg.segment.envelope import ENVELOPE, normalise
from fsseg.segment.event import Message, Original
from fsseg.segment.items import items_at
from fsseg.segment.json_codec import LEVELS
from fsseg.segment.tables.table import (
    BODIES,
    EMPTY,
    UNUSABLE,
    BadRow,
    Table,
    UnusableTable,
    can_be_packed,
    context_packing,
    encode,
    flag_of,
    is_used,
    object_of,
    put,
    refuse_hashed,
)

_OBJECTS = ("traits", "properties", "context", "integrations")
_WHOLE = frozenset({*_OBJECTS, "context.traits", "context.page", "context.consent"})
"""Columns that hold what others hold the members of."""
_HASH = 64
"""Characters of a hashed address."""
_TIMES = ("createdAt", "timestamp")
"""Columns that are times wherever they stand, in seconds since 1970."""
_ALWAYS = ("type", "userId", "anonymousId", "messageId", "timestamp", "email", "traits", "context", "integrations")
_OF_TYPE = {"track": "event", "page": "name", "screen": "name", "group": "groupId", "alias": "previousId"}
"""What depends on columns of the envelope, in calls of any type and in those of one."""
_TITLES = ("name", "category")
"""Columns that are of the envelope in calls of a page or screen only."""
_NULL = "null"
_ODD = frozenset({_NULL, UNUSABLE})
"""Cells that a closer look is taken at."""
_USED = re.compile(r"context\.(?:traits|page|consent)\.")
"""Columns of what is used of a context."""
_OF_FILE = re.compile(r"(?P<type>identify|track|page|screen|group|object)s?[_-]", re.IGNORECASE)


def is_dotted(columns: Sequence[str]) -> bool:
    """Whether a column names a member of one of a message's objects."""
    return any(name.partition(".")[0] in _OBJECTS and "." in name for name in columns)


def dotted_table(columns: Sequence[str], file: str) -> Table:
    """Messages by their members; without a column for the type, the file's name tells it. Raises `UnusableTable`."""
    kind = "" if "type" in columns else _kind(columns, file)
    if any(name.count(".") >= LEVELS for name in columns):
        raise UnusableTable(f"a table with a column that names members more than {LEVELS} levels deep")
    paths = [(place, name.split("."), name) for place, name in enumerate(columns) if name]
    type_at = -1 if kind else list(columns).index("type")
    event_at = list(columns).index("event") if "event" in columns else type_at

    def message(row: Sequence[Any]) -> Original:
        of_type = kind or str(row[type_at]).strip().lower() or ("track" if row[event_at] else "")
        body = BODIES.get(of_type, "traits")
        found: Original = {"type": of_type, body: {}, "context": {}, "integrations": {}}
        for place, path, name in paths:
            value = row[place]
            if value == "":
                continue
            if value == UNUSABLE:
                if _is_needed(of_type, path):
                    raise BadRow(f"{name} holds {UNUSABLE}: what was an object there is lost")
                continue
            value = _value(path, value)
            if len(path) == 1 and (name not in ENVELOPE or (name in _TITLES and of_type not in ("page", "screen"))):
                put(found, (body, name), value)
            elif name == "email" and value is not None:
                put(found, (body, name) if body == "traits" else ("context", "traits", name), value)
            else:
                put(found, path, value)
        for stray in ({"traits", "properties"} - {body}) & found.keys():
            value, context = found.pop(stray), found["context"]
            if stray == "traits" and not (isinstance(context, dict) and stray in context):
                put(found, ("context", stray), value)  # of a call that has none, they stand below its context
        refuse_hashed(found.get("userId"))
        return normalise(found)

    return Table("import", columns, message, _quick(columns, kind, type_at))


def _is_needed(kind: str, path: Sequence[str]) -> bool:
    """Whether anything depends on this column in calls of this type."""
    outer, *inner = path
    if outer == "context" and inner:
        return is_used(kind, inner)
    if outer == "properties" or (not inner and outer in ENVELOPE):
        return outer in (*_ALWAYS, BODIES.get(kind), _OF_TYPE.get(kind))
    return outer in _OBJECTS or not inner


def _quick(columns: Sequence[str], kind: str, type_at: int) -> Callable[[Sequence[str]], Message] | None:
    """Takes plain members at once, and the others one by one."""
    try:
        ids = [list(columns).index(name) for name in ("userId", "messageId", "timestamp")]
    except ValueError:
        return None
    if any(name not in ENVELOPE and "." not in name for name in columns) or "email" in columns:
        return None
    if not can_be_packed(columns) or not {*columns}.isdisjoint(_WHOLE | _holders(columns)):
        return None
    contexts = [(place, name.split(".")[1:]) for place, name in enumerate(columns) if _USED.match(name)]
    if any(len(path) != 2 or path[1] in _TIMES for _, path in contexts):
        return None
    makers = {of_type: _maker(columns, of_type, contexts, ids) for of_type in ("identify", "track", "page")}
    if kind:
        return makers.get(kind)

    def quick(row: Sequence[str]) -> Message:
        if (make := makers.get(row[type_at])) is None:
            raise ValueError
        return make(row)

    return quick


def _holders(columns: Sequence[str]) -> set[str]:
    """The members of objects that columns name members of."""
    parts = [name.split(".") for name in columns]
    return {".".join(path[:at]) for path in parts for at in range(2, len(path))}


def _maker(
    columns: Sequence[str], kind: str, contexts: Sequence[tuple[int, list[str]]], ids: Sequence[int]
) -> Callable[[Sequence[str]], Message]:
    """Makes the messages of one type."""
    is_identify, is_track, at = kind == "identify", kind == "track", list(columns).index
    body_of = _object([
        (place, name.split(".")[1:]) for place, name in enumerate(columns) if name.startswith(f"{BODIES[kind]}.")
    ])  # fmt: skip
    context_of = context_packing([(place, path) for place, path in contexts if is_used(kind, path)], _NULL)
    odd = [place for place, name in enumerate(columns) if name.startswith("integrations.")]
    if kind != "page":
        odd += [place for place, name in enumerate(columns) if name in _TITLES]
    if not is_identify:
        odd += [place for place, name in enumerate(columns) if name.startswith("traits.")]
    name = "event" if is_track else "name" if kind == "page" else ""
    name_at = at(name) if name in columns else ids[0]
    # What isn't there is read as the userId; two of each make it more than one cell.
    cells_of = itemgetter(*ids, at("anonymousId") if "anonymousId" in columns else ids[0], name_at)
    has_anonymous, has_name, none = "anonymousId" in columns, name in columns, Raw()
    has_title = kind == "page" and has_name
    odd_of, without = items_at(odd), ("",) * len(odd)

    def message(row: Sequence[str]) -> Message:
        user, id, time, anonymous, name = cells_of(row)
        if odd_of(row) != without or len(user) == _HASH or (is_track and not (has_name and name.strip())):
            raise ValueError
        if not _ODD.isdisjoint((name, user, id, anonymous)):
            raise ValueError
        body = body_of(row)
        found = Raw(encode(body)) if body else EMPTY
        return Message(
            kind, time, user or None, (anonymous or None) if has_anonymous else None, id, name if is_track else None,
            (name or None) if has_title else None, context_of(row), {}, found if is_identify else none,
            none if is_identify else found,
        )  # fmt: skip

    return message


def _object(columns: Sequence[tuple[int, Sequence[str]]]) -> Callable[[Sequence[str]], Any]:
    """What makes an object of columns that hold its members, or members of these; "" where all of them are empty."""
    plain = [(place, path[0]) for place, path in columns if len(path) == 1 and path[0] not in _TIMES]
    times = [(place, path[0]) for place, path in columns if len(path) == 1 and path[0] in _TIMES]
    deep = dict.fromkeys(path[0] for _, path in columns if len(path) > 1)
    inner = [_object([(at, path[1:]) for at, path in columns if path[0] == name and path[1:]]) for name in deep]
    make = object_of((*(name for _, name in (*plain, *times)), *deep))
    cells_of, absent = items_at([place for place, _ in plain]), ("",) * (len(plain) + len(times) + len(deep))

    def object(row: Sequence[str]) -> Any:
        cells = cells_of(row)
        if not _ODD.isdisjoint(cells):
            raise ValueError
        if times:
            cells += tuple([row[place] and _value((name,), row[place]) for place, name in times])
            if UNUSABLE in cells:
                raise ValueError
        if inner:
            cells += tuple([one(row) for one in inner])
        return make(*cells) if cells != absent else ""

    return object


def _value(path: Sequence[str], text: Any) -> Any:
    """A cell's value: `null` is null, digits stay text but for times, and flags of destinations are no texts."""
    if not isinstance(text, str):
        return text
    if text == _NULL:
        return None
    if path[0] == "integrations":
        return flag_of(text)
    if path[-1] in _TIMES and text.isdigit():
        return int(text)
    return text


def _kind(columns: Sequence[str], file: str) -> str:
    """The type of all rows: as the file's name tells, unless the columns are those of another one."""
    named = _OF_FILE.match(file)
    if named and named["type"].lower() == "object":
        raise UnusableTable("rows of the S3 source's objects, which are no events")
    kind, outer = named["type"].lower() if named else "", {name.partition(".")[0] for name in columns}
    fits = {
        "track": "event" in outer,
        "group": "groupId" in outer,
        "page": "name" in outer and "traits" not in outer,
        "identify": "traits" in outer or "properties" not in outer,
    }
    if fits.get(kind) or (kind in ("page", "screen") and not outer.isdisjoint(("name", "properties"))):
        return kind
    if found := next((kind for kind, is_so in fits.items() if is_so and not (named and kind == "page")), ""):
        return found
    raise UnusableTable("a table of events, but nothing says of which type they are: add a column that is called type")
