"""What Engage lets one download: the members of an audience, and the values of a computed trait."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fsseg.segment import json_codec
from fsseg.segment.event import Original
from fsseg.segment.hints import Hints
from fsseg.segment.tables.table import (
    UNNAMED,
    BadRow,
    Table,
    UnusableTable,
    identify,
    json_object,
    json_value,
    places,
    refuse_hashed,
    values,
    with_traits,
)

_ID_TYPES = {
    "anonymous_id",
    "email",
    "user_id",
    "phone",
    "ios.idfa",
    "android.idfa",
    "ios.id",
    "android.id",
    "group_id",
}
"""Identifiers that Segment knows by itself; workspaces add their own."""
_FURTHER = re.compile(r"(?P<type>.+)_\d+")
"""The column of one more value of an identifier."""

_FORM = '{"email": ["ann@b.example"], "user_id": ["u-1"]}'

Ids = dict[str, list[Any]]


def audience_table(columns: Sequence[str], file: str, hints: Hints) -> Table:
    """The members of an audience, which the table doesn't name: the user does."""
    at = places(columns)
    free = _free(columns, ("key", "external_ids", "traits"))
    given: Mapping[str, str | None] = {name: "true" if value is None else value for name, value in hints.traits}

    def message(row: Sequence[Any]) -> Original:
        ids = _ids(row, at)
        traits = json_object(row[at["traits"]], "traits") if "traits" in at else {}
        told = _identify(ids, {**_traits(row, free, ids), **traits}, given)
        if not told["traits"].keys() - {"email"} and any(ids.get(name) for name in ("email", "user_id")):
            raise BadRow(UNNAMED)
        return told

    notes = () if hints.traits else (("unnamed_audience", file),)
    return Table("audience", columns, message, may_be_short=True, notes=notes)


def computed_trait_table(columns: Sequence[str], hints: Hints) -> Table:
    """The values of a computed trait, which the table doesn't name: the user has to.

    A profile with several identifiers of a type may have several rows, of which the first says all.
    """
    if not hints.traits:
        raise UnusableTable("the values of a computed trait, whose name isn't in the file: give --trait NAME")
    if all(own is not None for _, own in hints.traits):
        raise UnusableTable(
            "the values of a computed trait, and none would be taken: give --trait NAME, without a value"
        )
    at = places(columns)

    def message(row: Sequence[Any]) -> Original:
        return _identify(_ids(row, at), {}, dict(hints.traits), row[at["value"]])

    one_event = at["key"], at["value"], at["external_ids"]
    return Table("computed trait", columns, message, one_event=one_event, may_be_short=True)


def _free(columns: Sequence[str], taken: Sequence[str]) -> list[tuple[int, str]]:
    return [(place, name) for place, name in enumerate(columns) if name and name.lower() not in taken]


def _ids(row: Sequence[Any], at: Mapping[str, int]) -> Ids:
    """The identifiers of a row by their types."""
    found = _external_ids(row[at["external_ids"]])
    for name in ("user_id", "email", "anonymous_id"):
        if not found.get(name) and name in at and row[at[name]]:
            found[name] = [row[at[name]]]
    return found


def _external_ids(text: str) -> Ids:
    """The identifiers of that cell: lists by their types, or objects of a type and an id. Raises `BadRow`."""
    value = json_value(text)
    if isinstance(value, list) and all(isinstance(one, dict) and {"type", "id"} <= one.keys() for one in value):
        found: Ids = {}
        for one in value:
            found.setdefault(str(one["type"]), []).append(one["id"])
        return found
    if not isinstance(value, dict | None):
        raise BadRow(f"external_ids reads like {_FORM}, not {json_codec.shown(value)}"[:200])
    return {name: ids if isinstance(ids, list) else [ids] for name, ids in (value or {}).items()}


def _traits(row: Sequence[Any], free: Sequence[tuple[int, str]], ids: Ids) -> dict[str, Any]:
    """What stands in the columns that hold no identifiers."""
    names = {name.lower() for _, name in free}
    return {name: value for name, value in values(row, free).items() if not _is_id(name, value, names, ids)}


def _is_id(name: str, value: Any, columns: set[str], ids: Ids) -> bool:
    """Whether a column has an identifier, or one more of a type that has a column too: a trait may be called alike."""
    folded = name.lower()
    if folded in _ID_TYPES or any(value in ids.get(kind, ()) for kind in (name, folded)):
        return True
    further = _FURTHER.fullmatch(folded)
    return further is not None and further["type"] in columns and value in ids.get(further["type"], [])


def _identify(ids: Ids, traits: dict[str, Any], given: Mapping[str, str | None], value: Any = None) -> Original:
    emails, users, anonymous = (ids.get(name) or [""] for name in ("email", "user_id", "anonymous_id"))
    refuse_hashed(emails[0])
    if emails[0]:
        traits = {"email": emails[0], **traits}
    return identify(users[0] or emails[0], anonymous[0], with_traits(traits, given, value))
