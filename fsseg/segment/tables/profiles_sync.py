"""Profiles Sync: traits of profiles, who is joined to them by the tables of identifiers among the same inputs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from fsseg.segment.event import Original
from fsseg.segment.hints import Hints
from fsseg.segment.open import Source, blocks_of, open_bytes
from fsseg.segment.tables.csv_rows import Fault, csv_rows
from fsseg.segment.tables.dialect import headers
from fsseg.segment.tables.disk_index import DiskIndex
from fsseg.segment.tables.json_rows import columns_of_rows, json_rows
from fsseg.segment.tables.parquet import MAGIC, ParquetRows
from fsseg.segment.tables.table import (
    BadRow,
    PassedOver,
    Table,
    UnusableTable,
    free_columns,
    id_of,
    identify,
    places,
    refuse_hashed,
    values,
)

_OF_IDENTIFIERS = re.compile(
    r"(?<![a-z])(user_identifiers|external_id_mapping(?:_updates)?|id_graph(?:_updates)?|profile_merges)(?![a-z])",
    re.IGNORECASE,
)
_OF_TRAITS = re.compile(r"(?<![a-z])user_traits(?![a-z])", re.IGNORECASE)
_CANONICAL = "canonical_segment_id"
_ENVELOPE = {
    _CANONICAL, "segment_id", "merged_to", "seq", "received_at", "uuid_ts", "timestamp", "id", "loaded_at", "uuid",
}  # fmt: skip
_NO_IDENTIFIERS = "who this profile is stands in user_identifiers or external_id_mapping: give that table, too"
_UNNAMED = "the tables of identifiers have neither a userId nor an e-mail of this profile: give all of them"
_HIDDEN = ("hidden_entry", "hidden_entry_joined_at")


def identifiers_among(paths: Iterable[str]) -> tuple[str, ...]:
    """Those of the inputs that are called like tables that say who profiles are, or which value of a trait counts."""
    names = ((path, re.split(r"[/\\]", path)[-1]) for path in paths)
    return tuple(path for path, name in names if _OF_IDENTIFIERS.search(name) or _OF_TRAITS.search(name))


def is_profiles_sync(columns: Sequence[str]) -> bool:
    """Whether a table is about profiles, and not about events."""
    return not {*places(columns)}.isdisjoint((_CANONICAL, "external_id_type"))


def profiles_sync_table(columns: Sequence[str], hints: Hints) -> Table:
    """Traits of profiles, one a row or all in one; the tables of identifiers hold no events."""
    at = places(columns)
    names = at.keys()
    if {"external_id_value", "external_id_type"} <= names or ({"type", "value"} <= names and "name" not in names):
        return Table("profile identifiers", columns, _none)
    if _CANONICAL not in names:
        raise UnusableTable(f"a table of profiles without the column {_CANONICAL}")
    if "segment_id" in names:
        return Table("merged profiles", columns, _none)
    is_long = {"name", "value"} <= names
    of_people = tuple(path for path in hints.identifiers if _OF_IDENTIFIERS.search(path))
    free = free_columns(columns, lambda name: name in _ENVELOPE or name.endswith(_HIDDEN))

    def cell(row: Sequence[Any], name: str) -> Any:
        return row[at[name]] if name in at else ""

    def message(row: Sequence[Any]) -> Original:
        profile = str(id_of(row[at[_CANONICAL]]))
        if cell(row, "merged_to") != "" or (is_long and _is_older(hints, profile, row[at["name"]], cell(row, "seq"))):
            raise PassedOver
        ids = _first_of_each(_identifiers(of_people).get(profile))
        traits = values(row, [(at["value"], row[at["name"]])] if is_long else free)
        email = ids.get("email") or traits.get("email", "")
        user = ids.get("user_id") or email
        if not user:
            raise BadRow(_UNNAMED if of_people else _NO_IDENTIFIERS)
        refuse_hashed(email)
        if email:
            traits.setdefault("email", email)
        time = cell(row, "timestamp") or cell(row, "received_at")
        return identify(user, "", traits, timestamp=time)

    return Table("user traits" if is_long else "profile traits", columns, message)


def _none(row: Sequence[Any]) -> Original:
    raise PassedOver


@lru_cache(maxsize=1)
def _identifiers(paths: tuple[str, ...]) -> DiskIndex:
    """The userIds and e-mails of each profile, by its id after all merges."""
    merged, found = DiskIndex(), DiskIndex()
    for path in paths:
        for row in _rows(path):
            profile, into = row.get("segment_id"), row.get(_CANONICAL)
            if profile and into and profile != into:
                merged.add(profile, into)
    for path in paths:
        for row in _rows(path):
            kind, value = (
                row.get("external_id_type") or row.get("type"),
                row.get("external_id_value") or row.get("value"),
            )
            if kind in ("email", "user_id") and value:
                profile = row.get(_CANONICAL) or row.get("segment_id") or ""
                found.add(_last(profile, merged), kind, value)
    return found


def _is_older(hints: Hints, profile: str, trait: str, number: Any) -> bool:
    """Whether a trait of this profile has a value with a higher number: not all have times to tell which counts."""
    if number == "":
        return False
    others = _numbers(tuple(filter(_OF_TRAITS.search, hints.identifiers))).get(f"{profile}\n{trait}")
    return any(_order(other) > _order(str(id_of(number))) for (other,) in others)


def _order(number: str) -> tuple[int, str]:
    """Puts whole numbers written as text in their order."""
    return len(number), number


@lru_cache(maxsize=1)
def _numbers(paths: tuple[str, ...]) -> DiskIndex:
    """The numbers of the values of each trait of each profile."""
    found = DiskIndex()
    for path in paths:
        for row in _rows(path):
            if number := row.get("seq"):
                found.add(f"{row.get(_CANONICAL)}\n{row.get('name')}", number)
    return found


def _first_of_each(identifiers: Iterable[list[str]]) -> dict[str, str]:
    """The first identifier of each kind."""
    found: dict[str, str] = {}
    for kind, value in identifiers:
        found.setdefault(kind, value)
    return found


def _last(profile: str, merged: DiskIndex) -> str:
    """The profile that this one has become part of."""
    seen = set[str]()
    while profile not in seen and (into := [*merged.get(profile)]):
        seen.add(profile)
        profile = into[-1][0]
    return profile


def _rows(path: str) -> Iterator[dict[str, str]]:
    """The rows of a table by the names of its columns, in small letters; nothing of a row that can't be read."""
    with open_bytes(path) as file:
        source = Source(blocks_of(file))
        if source.head.startswith(MAGIC):
            table = ParquetRows(source.blocks)
            names = [name.lower() for name in table.columns]
            for cells, _ in table.rows(range(len(names))):
                if not isinstance(cells, Fault):
                    yield {name: str(id_of(cell)) for name, cell in zip(names, cells, strict=True) if cell != ""}
            return
        if is_profiles_sync(columns_of_rows(source)):
            for found, _ in json_rows(source):
                if not isinstance(found, Fault):
                    yield {name.lower(): str(id_of(cell)) for name, cell in found[0].items() if cell not in (None, "")}
            return
        for delimiter, columns in headers(source.head):
            if is_profiles_sync(columns):
                names = [name.lower() for name in columns]
                for row, _ in csv_rows(source, delimiter):
                    if isinstance(row, list):
                        yield dict(zip(names, row, strict=False))
                return
