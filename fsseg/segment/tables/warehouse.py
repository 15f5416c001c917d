"""Tables of a warehouse or data lake: a row a call, its traits or properties in columns of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from msgspec import Raw

from fsseg.segment.destination import destination_name
from fsseg.segment.event import Message, Original
from fsseg.segment.hints import Hints
from fsseg.segment.tables.table import (
    BODIES,
    EMPTY,
    Table,
    can_be_packed,
    context_packing,
    flag_of,
    free_columns,
    id_of,
    is_used,
    packing,
    places,
    refuse_hashed,
)

_HASH = 64
"""Characters of a hashed address."""
TABLES = {
    "identifies": "identify", "users": "identify", "groups": "group", "pages": "page", "screens": "screen",
    "tracks": "track", "aliases": "alias",
}  # fmt: skip
_TYPES = {"identify": "identifies", "track": "tracks", "page": "pages", "screen": "screens", "group": "groups"}
_NAMED = re.compile(rf"(?:^|[^a-z])({'|'.join(TABLES)})(?![a-z])", re.IGNORECASE)
_OWN = re.compile(r"[a-z]+(_[a-z0-9]+)*")
_EVENT_COLUMNS = {"event", "event_text"}
_NEEDED = {"track": _EVENT_COLUMNS, "group": {"group_id"}, "alias": {"previous_id"}}
"""Columns of which a table of such calls has one at least."""
_ENVELOPE = {
    "id": "messageId", "message_id": "messageId", "event_id": "messageId", "user_id": "userId",
    "anonymous_id": "anonymousId", "timestamp": "timestamp", "original_timestamp": "originalTimestamp",
    "received_at": "receivedAt", "sent_at": "sentAt", "group_id": "groupId", "previous_id": "previousId",
}  # fmt: skip
_MESSAGE_IDS = ("id", "message_id", "event_id")
"""Columns that may hold the messageId: the first that there is does, the others are the customer's own."""
_PASSED_OVER = {
    "uuid", "uuid_ts", "loaded_at", "type", "version", "channel", "project_id", "event", "event_text", "segment_id",
    "event_source_id", "_metadata", "write_key", "day", "hr", "hour", "month", "year", "segment_type",
}  # fmt: skip
_OBJECTS = ("traits", "page", "consent", "campaign", "library", "device", "app", "os", "personas")
"""Members of the context that are objects; how deep the others went, no column tells."""
_OF_OBJECTS = ("context_", "integrations_", "metadata_")
_HIDDEN = ("hidden_entry", "hidden_entry_joined_at")
"""How columns end that journeys keep for themselves."""


def is_warehouse(columns: Sequence[str]) -> bool:
    """Whether a table has what all of a warehouse's have."""
    names = {*places(columns)}
    has_id = not names.isdisjoint(_MESSAGE_IDS)
    return has_id and "received_at" in names


def table_of(columns: Sequence[str], path: str, hints: Hints) -> str:
    """Which of the tables it is: as the user says, as the file is called, or as its columns tell."""
    if hints.table:
        return hints.table.lower()
    names = {*places(columns)}
    if named := next((table for table in _of_name(path) if _may_be(table, names)), ""):
        return named
    if names & _EVENT_COLUMNS:
        return "tracks" if is_bare_tracks(columns) else _own_name(path)
    if "group_id" in names:
        return "groups"
    if {"url", "path", "title"} <= names:
        return "pages"
    return "identifies" if names & {"anonymous_id", "user_id"} else "users"


def _of_name(path: str) -> list[str]:
    """The tables that a file's name may tell, and then the folder that it is in."""
    if told := re.search(r"segment_type=([^/\\!]+)", path):
        return [_TYPES.get(told[1], told[1])]
    *_, folder, file = ("", *re.split(r"[/\\!]", path.lower()))
    named = _TYPES.get(file.partition(".")[0])
    return [*filter(None, [named]), *_NAMED.findall(file), *_NAMED.findall(folder)]


def _may_be(table: str, names: Collection[str]) -> bool:
    """Whether these columns may be those of a table; any event's own one may be called like what it isn't."""
    kind = TABLES.get(table)
    if kind in _NEEDED:
        return not _NEEDED[kind].isdisjoint(names)
    return kind is None or _EVENT_COLUMNS.isdisjoint(names)


def _own_name(path: str) -> str:
    """The name of an event's own table, which its file is called after, or the folder that it is in."""
    *_, folder, file = ("", *re.split(r"[/\\!]", path.lower()))
    names = (name for name in (file.partition(".")[0], folder) if name not in TABLES)
    return next(filter(_OWN.fullmatch, names), "tracks")


def warehouse_table(columns: Sequence[str], path: str, hints: Hints) -> Table:
    """The rows of a table as calls; `tracks` has them without their properties, an event's own table with these."""
    table = table_of(columns, path, hints)
    kind = TABLES.get(table, "track")
    at = places(columns)
    cells = _cells(columns, at, table, kind)
    quick = _Quick(None)
    if not cells.integrations and can_be_packed(columns):
        used = [(place, path) for place, path in cells.context if is_used(kind, path)]
        quick = _quick(kind, at, cells.free, used)
    return Table(table, columns, _message(kind, at, cells), *quick)


class _Cells(NamedTuple):
    """Where in a row the parts of a call stand: each cell's place, and what it is there."""

    envelope: list[tuple[int, str]]
    context: list[tuple[int, tuple[str, ...]]]
    integrations: list[tuple[int, str]]
    free: list[tuple[int, str]]
    """The traits or properties."""


def _cells(columns: Sequence[str], at: Mapping[str, int], table: str, kind: str) -> _Cells:
    others = {*_MESSAGE_IDS} - {next(filter(at.__contains__, _MESSAGE_IDS), "")}
    envelope = [(place, _ENVELOPE[name]) for name, place in at.items() if name in _ENVELOPE.keys() - others]
    if table == "users" and "user_id" not in at:
        envelope = [(place, "userId" if name == "messageId" else name) for place, name in envelope]
    context = [
        (place, _context_path(name)) for name, place in at.items() if name.startswith("context_") and len(name) > 8
    ]
    integrations = [
        (place, destination_name(name[13:])) for name, place in at.items() if name.startswith("integrations_")
    ]
    if "event_source_id" in at:  # of a table of Profiles Sync, which has the messageId twice
        others = others - {"event_id"}
    taken = _ENVELOPE.keys() - others | _PASSED_OVER | ({"name", "category"} if kind in ("page", "screen") else set())

    def is_taken(name: str) -> bool:
        return name in taken or name.startswith(_OF_OBJECTS) or name.endswith(_HIDDEN)

    return _Cells(envelope, context, integrations, free_columns(columns, is_taken))


def _message(kind: str, at: Mapping[str, int], cells: _Cells) -> Callable[[Sequence[Any]], Original]:
    """What makes the call of any row."""
    envelope, context, integrations, free = cells
    body, event_at = BODIES.get(kind, "traits"), at.get("event_text", at.get("event"))
    titles = [(at[name], name) for name in ("name", "category") if name in at]
    email_at = at.get("email")

    def message(row: Sequence[Any]) -> Original:
        found: Original = {"type": kind, "context": {}, "integrations": {}}
        for place, name in envelope:
            if row[place] != "":
                found[name] = row[place] if name.endswith(("At", "stamp")) else id_of(row[place])
        for place, path in context:
            if row[place] != "":
                _put(found["context"], path, row[place])
        for place, name in integrations:
            if row[place] != "":
                found["integrations"][name] = flag_of(row[place])
        found[body] = {name: row[place] for place, name in free if row[place] != ""}
        if kind == "track" and event_at is not None and row[event_at] != "":
            found["event"] = row[event_at]
        elif kind in ("page", "screen"):
            found.update((name, row[place]) for place, name in titles if row[place] != "")
        if email_at is not None:
            refuse_hashed(row[email_at])
        return found

    return message


class _Quick(NamedTuple):
    """What makes the message of a row that has nothing odd, and the columns that it looks at; None if no row can."""

    message: Callable[[Sequence[Any]], Message] | None
    used: Sequence[int] = ()


def _quick(
    kind: str, at: Mapping[str, int], free: list[tuple[int, str]], context: list[tuple[int, tuple[str, ...]]]
) -> _Quick:
    simple = kind in ("identify", "track", "page") and all(len(path) == 2 for _, path in context)
    if not simple or not {"user_id", "anonymous_id", "id", "timestamp"} <= at.keys():
        return _Quick(None)
    name_at = at.get("event_text", at.get("event")) if kind == "track" else at.get("name") if kind == "page" else None
    is_track, is_identify, has_name = kind == "track", kind == "identify", kind == "page" and name_at is not None
    if is_track and name_at is None:
        return _Quick(None)
    # Where a table has no name or e-mail, its time stands in: that is never empty, and no hash.
    own = [
        at["user_id"], at["anonymous_id"], at["id"], at["timestamp"], at["timestamp"] if name_at is None else name_at,
        at.get("email", at["timestamp"]),
    ]  # fmt: skip
    cells_of, body_of, context_of, none = itemgetter(*own), packing(free), context_packing(context), Raw()

    def message(row: Sequence[Any]) -> Message:
        user, anonymous, id, time, name, email = cells_of(row)
        if len(user) == _HASH or len(email) == _HASH or (is_track and not (name.__class__ is str and name.strip())):
            raise ValueError
        body = body_of(row) or EMPTY
        return Message(
            kind, time, None if user == "" else user, None if anonymous == "" else anonymous, id,
            name if is_track else None, None if not has_name or name == "" else name,
            context_of(row), {}, body if is_identify else none,
            none if is_identify else body,
        )  # fmt: skip

    return _Quick(message, sorted({*own, *(place for place, _ in (*free, *context))}))


def _context_path(name: str) -> tuple[str, ...]:
    outer, _, inner = name.removeprefix("context_").partition("_")
    return (outer, inner) if inner and outer in _OBJECTS else (name.removeprefix("context_"),)


def _put(context: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    if len(path) == 1:
        context.setdefault(path[0], value)
        return
    holder = context.setdefault(path[0], {})
    if isinstance(holder, dict):
        holder[path[1]] = value
    else:
        context[path[0]] = {path[1]: value}


def is_bare_tracks(columns: Sequence[str]) -> bool:
    """Whether a table has track calls without their properties: an event's own table, if there is one, says more."""
    names = {*places(columns)}
    free = {name for name in names - _ENVELOPE.keys() - _PASSED_OVER if not name.startswith("context_")}
    return "event_text" in names and is_warehouse(columns) and not free
