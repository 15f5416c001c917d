"""What the kinds of tables have in common: from the cells of a row to a message."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import orjson
from msgspec import Raw, Struct, defstruct
from msgspec.json import Encoder
from msgspec.structs import replace

from fsseg.segment import json_codec
from fsseg.segment.event import Context, Message, Note, Original
from fsseg.segment.items import items_at

HASHED = re.compile(r"[0-9a-fA-F]{64}")
"""An address that a hash has made unreadable."""
BODIES = {"identify": "traits", "group": "traits", "track": "properties", "page": "properties", "screen": "properties"}
UNUSABLE = "[object Object]"
"""What JavaScript writes where it turns an object into text."""
_OF_PAGE = ("name", "title", "url")
"""What is used of the page that a context tells, and in page calls only."""
_ESCAPED = re.compile(r'[\x00-\x1f"\\]')
EMPTY, _NONE = Raw(b"{}"), Raw()
encode: Final = Encoder().encode


class BadRow(ValueError):
    """A row that is no event; the code of the reason, and what is wrong."""

    def __init__(self, detail: str, code: str = "bad_row") -> None:
        super().__init__(detail)
        self.code = code


class PassedOver(Exception):
    """A row that is no event and no mistake."""


UNNAMED = "it says only who it is: name the audience, as --trait trial_users=true"
"""What is wrong with a row of an audience without a name."""


class UnusableTable(Exception):
    """A table that holds no events that can be used; the text says what it is and what to do."""


class Table(Struct, frozen=True):
    """One kind of table with these columns.

    `message` makes a normalised message of the cells of a row, in which an absent value is "", or raises `BadRow`.
    `quick` does so for most rows of text, as far as is used of the message; it raises one of `envelope.ODD` for others.
    Rows that have the same cells in the columns `one_event` and follow each other are one event.
    """

    name: str
    columns: Sequence[str]
    message: Callable[[Sequence[Any]], Original]
    quick: Callable[[Sequence[str]], Message] | None = None
    used: Sequence[int] = ()
    """The columns that `quick` looks at."""
    whole: Callable[[Sequence[Any]], Sequence[Any]] | None = None
    """What gives a row that has only those cells the others, too."""
    one_event: tuple[int, ...] = ()
    may_be_short: bool = False
    """Whether empty cells at a row's end may be missing."""
    notes: tuple[Note, ...] = ()
    """What is odd about each of its events."""

    def fitted(self, row: list[Any]) -> list[Any]:
        """The row with as many cells as there are columns. Raises `BadRow` where it has lost or gained some."""
        width, cells = len(self.columns), len(row)
        if cells < width and self.may_be_short:
            return row + [""] * (width - cells)
        if cells > width and not any(row[width:]):
            return row[:width]
        raise BadRow(f"the row has {cells} cells, and the header {width}")


def folded(name: str) -> str:
    """A column's name however it is spelled: `User ID` is `user_id`."""
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def places(columns: Sequence[str]) -> dict[str, int]:
    """The first column of each folded name."""
    found: dict[str, int] = {}
    for at, name in enumerate(columns):
        found.setdefault(folded(name), at)
    return found


def free_columns(columns: Sequence[str], is_taken: Callable[[str], bool]) -> list[tuple[int, str]]:
    """Where the columns stand that are traits or properties, with their names: all but those that mean more, folded."""
    names = enumerate(map(folded, columns))
    return [(place, columns[place]) for place, name in names if name and not is_taken(name)]


_OF_ONE = frozenset({"email", "userid", "anonymousid", "messageid", "timestamp"})
"""Columns that are the same one however they are spelled; others that differ are traits or properties of their own."""


def _same(name: str) -> str:
    """What two columns have in common that must say the same."""
    plain = folded(name).replace("_", "")
    return plain if plain in _OF_ONE else name


def agreeing(table: Table) -> Table:
    """The table; where a column stands twice, a row that has different values in the two is a bad one."""
    names = [*map(_same, table.columns)]
    first = {name: at for at, name in reversed([*enumerate(names)])}
    twice = [(first[name], at, table.columns[at]) for at, name in enumerate(names) if name and first[name] != at]
    if not twice:
        return table

    def message(row: Sequence[Any]) -> Original:
        cells = list(row)
        for at, other, name in twice:
            if cells[at] != "" and cells[other] not in ("", cells[at]):
                raise BadRow(f"the column {name} is there twice, with different values")
            cells[at] = cells[other] = cells[at] if cells[at] != "" else cells[other]
        return table.message(cells)

    return replace(table, message=message, quick=None)


def values(row: Sequence[Any], columns: Sequence[tuple[int, str]]) -> dict[str, Any]:
    """What stands in these columns of a row, without what is absent. Raises `BadRow`."""
    found = {name: row[at] for at, name in columns if row[at] != ""}
    if UNUSABLE in found.values():
        name = next(name for name, value in found.items() if value == UNUSABLE)
        raise BadRow(f"{name} holds {UNUSABLE}: what was an object there is lost")
    return found


def can_be_packed(columns: Sequence[str]) -> bool:
    """Whether `object_of` takes these names: no two alike, and none with what JSON has to escape."""
    names = [name for name in columns if name]
    return len({*names}) == len(names) and not any(map(_ESCAPED.search, names))


@lru_cache(maxsize=1_000)
def object_of(names: tuple[str, ...]) -> type[Any]:
    """What makes, of their values, objects with members of these names, for `packed`; "" leaves a member out."""
    members = {f"member_{at}": name for at, name in enumerate(names)}
    return defstruct("Object", [(member, Any, "") for member in members], rename=members, omit_defaults=True, gc=False)


def packing(columns: Sequence[tuple[int, str]], odd: str | None = None) -> Callable[[Sequence[Any]], Raw]:
    """What makes JSON of an object of these columns of a row, and nothing where all of them are empty.

    That raises ValueError where a member of it is lost, or has this value.
    """
    if not columns:
        return lambda row: _NONE
    cells_of, make = items_at([at for at, _ in columns]), object_of(tuple(name for _, name in columns))
    absent = ("",) * len(columns)

    def pack(row: Sequence[Any]) -> Raw:
        if (cells := cells_of(row)) == absent:
            return _NONE
        if UNUSABLE in cells or (odd and odd in cells):
            raise ValueError
        return Raw(encode(make(*cells)))

    return pack


def is_used(kind: str, path: Sequence[str]) -> bool:
    """Whether anything depends on this member of a context, in calls of this kind."""
    is_of_page = kind == path[0] == "page" and (len(path) == 1 or path[1] in _OF_PAGE)
    return is_of_page or path[0] in ("traits", "consent")


def context_packing(
    columns: Sequence[tuple[int, Sequence[str]]], odd: str | None = None
) -> Callable[[Sequence[Any]], Context]:
    """What makes a context of the columns that hold members of its members."""
    members = [[(at, path[1]) for at, path in columns if path[0] == name] for name in ("traits", "page", "consent")]
    traits_of, page_of, consent_of = (packing(member, odd) for member in members)
    if not members[1] and not members[2]:
        return lambda row: Context(traits_of(row))
    return lambda row: Context(traits_of(row), page_of(row), consent_of(row))


def json_object(cell: Any, name: str) -> dict[str, Any]:
    """The object that is written in a cell, nothing where it is empty. Raises `BadRow`."""
    value = json_value(cell)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRow(f"{name} holds no JSON object")
    return value


def json_value(cell: Any) -> Any:
    """What is written in a cell as JSON, its text where it isn't, None where it is empty; what is no text stays so."""
    if cell == "":
        return None
    if not isinstance(cell, str):
        return cell
    try:
        return json_codec.loads(cell.encode())
    except orjson.JSONDecodeError:
        return _tolerant(cell)


def _tolerant(text: str) -> Any:
    """The value of JSON whose quotes an editor has made typographic; otherwise what is no object."""
    try:
        return json_codec.loads(text.translate({0x201C: '"', 0x201D: '"'}).encode())
    except orjson.JSONDecodeError:
        return text


def put(holder: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Set a member of a member of an object. Raises `BadRow` where one of them is a plain value."""
    *outer, last = path
    for name in outer:
        holder = holder.setdefault(name, {})
        if not isinstance(holder, dict):
            raise BadRow(f"{name} is a value and an object at once")
    holder[last] = value


def refuse_hashed(email: Any) -> None:
    """Raise `BadRow` for an address that is a hash."""
    if isinstance(email, str) and HASHED.fullmatch(email):
        raise BadRow("the e-mail is hashed (SHA-256), so nobody can be found by it", "bad_email")


def with_traits(traits: dict[str, Any], given: Mapping[str, str | None], value: Any = None) -> dict[str, Any]:
    """The traits with those that the user names; one without a value of its own has the table's."""
    for name, own in given.items():
        said = value if own is None else plain(own)
        if said not in (None, ""):
            traits[name] = said
    return traits


_FLAGS = {"true": True, "false": False}


def plain(text: str) -> Any:
    """A value as it is typed on a command line: true and false are no texts."""
    return _FLAGS.get(text, text)


def flag_of(cell: Any) -> Any:
    """A destination's flag, which is no text where it is written as one."""
    return _FLAGS.get(cell.lower(), cell) if isinstance(cell, str) else cell


def id_of(cell: Any) -> Any:
    """An id as text, where it is a whole number; those are fractions where a column of them has nulls."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell) if type(cell) is int else cell


def identify(user: Any, anonymous: Any, traits: dict[str, Any], **more: Any) -> Original:
    """An identify call with what is there of these."""
    message: Original = {"type": "identify", "context": {}, "integrations": {}, "traits": traits}
    if user not in ("", None):
        message["userId"] = id_of(user)
    if anonymous not in ("", None):
        message["anonymousId"] = id_of(anonymous)
    message.update((name, value) for name, value in more.items() if value not in ("", None))
    return message
