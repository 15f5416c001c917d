"""Which kind of table it is, told by its header and content."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from functools import lru_cache
from typing import Any

from fsseg.segment.event import Message, Original
from fsseg.segment.hints import Hints
from fsseg.segment.open import Source
from fsseg.segment.tables.actions import actions_table, audience_actions_table
from fsseg.segment.tables.audiences import audience_table, computed_trait_table
from fsseg.segment.tables.dialect import headers
from fsseg.segment.tables.dotted import dotted_table, is_dotted
from fsseg.segment.tables.json_rows import columns_of_rows
from fsseg.segment.tables.parquet import MAGIC, ParquetRows
from fsseg.segment.tables.profiles import IDS, profile_table
from fsseg.segment.tables.profiles_sync import is_profiles_sync, profiles_sync_table
from fsseg.segment.tables.spelling import as_spelled
from fsseg.segment.tables.table import HASHED, Table, UnusableTable, agreeing, places
from fsseg.segment.tables.warehouse import is_bare_tracks, is_warehouse, warehouse_table

_OF_EVENTS = {"event_name", "traits", "properties", "context", "integrations", "message_id"}
"""Columns of what S3 and SFTP destinations write, of which a table of people has one at most."""
_SCHEMA_FILE = re.compile(r"-\d{4}-\d\d-\d\d--\d\d-\d\d-utc", re.IGNORECASE)


def table_in(source: Source, path: str, hints: Hints) -> tuple[str, Table] | None:
    """The delimiter and the table that the content is; None where it is no table with a header that is known.

    Raises `UnusableTable` for one that can't hold what is wanted.
    """
    for delimiter, found in headers(source.head):
        columns = [name.encode("utf-8", "replace").decode() for name in found]
        if table := kind_of(columns, path, hints):
            if columns != found:
                raise UnusableTable("a table whose header is not UTF-8: save it as UTF-8")
            _refuse_hashed(source, columns)
            return delimiter, agreeing(table)
    return None


def json_table(source: Source, path: str, hints: Hints) -> Table | None:
    """The table whose rows the lines are, though each may lack what is null in it; None where they are something else.

    Raises `UnusableTable`.
    """
    known = columns_of_rows(source)
    is_of_profiles = is_profiles_sync(known)
    if not is_of_profiles and not (is_warehouse(known) and ("id" in known or "type" not in known)):
        return None

    @lru_cache(maxsize=1_000)
    def table_of_row(names: tuple[str, ...]) -> tuple[Table, list[str]]:
        if not is_of_profiles:
            return warehouse_table(names, path, hints), []
        missing = [name for name in known if name not in names]
        return profiles_sync_table((*names, *missing), hints), [""] * len(missing)

    def message(cells: Sequence[Any]) -> Original:
        row = cells[0]
        table, missing = table_of_row(tuple(row))
        return table.message(["" if value is None else value for value in row.values()] + missing)

    def quick(cells: Sequence[Any]) -> Message:
        row = cells[0]
        table, missing = table_of_row(tuple(row))
        if not table.quick or missing:
            raise ValueError
        values = [*row.values()]
        return table.quick(values if None not in values else ["" if value is None else value for value in values])

    table, _ = table_of_row(tuple(known))
    return Table(table.name, ("row",), message, quick)


def kind_of(columns: Sequence[str], path: str, hints: Hints) -> Table | None:
    """The first kind that the columns fit. Raises `UnusableTable`."""
    names = {*places(columns)}
    file = re.split(r"[/\\!]", path)[-1]
    if _SCHEMA_FILE.search(file):
        raise UnusableTable("the schema of a source: names of events and properties, but no events")
    if {"file", "line", "stage", "code", "retryable"} <= names:
        raise UnusableTable("a run's failures.csv, which doesn't hold the whole events: mend failures.jsonl beside it")
    if "event_type" in names and names & _OF_EVENTS:
        return actions_table(columns)
    if "properties_or_traits" in names or ("audience_action" in names and names & {"audience_id", "audience_name"}):
        return audience_actions_table(columns, file, hints)
    if {"key", "value", "external_ids"} <= names:
        return computed_trait_table(columns, hints)
    if {"key", "external_ids"} <= names:
        return audience_table(columns, file, hints)
    spelled = as_spelled(columns)
    if is_dotted(spelled) or _has_types(columns, spelled):
        return dotted_table(spelled, file)
    if hints.table and not hints.table.startswith("profile"):
        return warehouse_table(columns, path, hints)
    if is_profiles_sync(columns):
        return profiles_sync_table(columns, hints)
    if is_warehouse(columns):
        return warehouse_table(columns, path, hints)
    if names & {"event", "name"} and re.match(r"(?:track|page|screen)s?[_-]", file, re.IGNORECASE):
        return dotted_table(spelled, file)
    if len(names & _OF_EVENTS) > 1:
        raise UnusableTable("a table of events, but no column says of which type they are: it is called event_type")
    if "segment_id" in names and not names & IDS:
        return profiles_sync_table(columns, hints)
    return profile_table(columns, hints) if names & IDS and len({*columns}) >= 1 else None


def _has_types(columns: Sequence[str], spelled: Sequence[str]) -> bool:
    """Whether a column says of each row which type of call it is; other people's lists have one called alike."""
    if "type" not in spelled or {"userId", "anonymousId"}.isdisjoint(spelled):
        return False
    return not {"userid", "anonymousid"}.isdisjoint(places(columns)) or (
        "event" in spelled and not is_warehouse(columns)
    )


def _refuse_hashed(source: Source, columns: Sequence[str]) -> None:
    """Raise `UnusableTable` for a list of nothing but hashed addresses."""
    if [name.lower() for name in columns] != ["email"]:
        return
    lines = source.head.decode("utf-8", "replace").split()[1:]
    if lines and all(HASHED.fullmatch(line.strip('"')) for line in lines[:100]):
        raise UnusableTable(
            "an audience as hashed e-mails, made for advertising: nobody can be found by them; download it unhashed"
        )


def holds_bare_tracks(source: Source) -> bool:
    """Whether the content is a table of track calls without their properties."""
    if not source.head.startswith(MAGIC):
        return any(map(is_bare_tracks, (columns_of_rows(source), *(columns for _, columns in headers(source.head)))))
    try:
        with closing(ParquetRows(source.blocks)) as file:
            return is_bare_tracks(file.columns)
    except UnusableTable:
        return False
