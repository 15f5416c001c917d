"""What a plan tells a report: its inputs, what was rejected of them, and how its records and warnings add up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fsseg.state.actions import Code
from fsseg.state.plan_store import Store


class InputRow(NamedTuple):
    """An input by the path that was given; container and number of events are None where it was not read to its end."""

    path: str
    container: str | None
    events: int | None


class RejectRow(NamedTuple):
    """A rejected line with its event, whole, or with its text where that is no event; with neither where it is lost."""

    position: int
    line: int | None
    code: str
    message: str | None
    event: str | None
    raw: str | None


def inputs_of(store: Store) -> Iterator[InputRow]:
    """The inputs in the order in which they were given, each path once."""
    query = "SELECT shown, container, sum(events) FROM input GROUP BY shown ORDER BY min(number)"
    return map(InputRow._make, store.db.execute(query))


def input_paths(store: Store) -> dict[int, str]:
    """The path that was given of each input, by its number."""
    return dict(store.db.execute("SELECT number, shown FROM input"))


def rejects_of(store: Store) -> Iterator[RejectRow]:
    """The lines that were rejected before anything was planned of them."""
    return map(
        RejectRow._make, store.db.execute(f"SELECT {', '.join(RejectRow._fields)} FROM reject ORDER BY position")
    )


def count_warnings(store: Store) -> Iterator[tuple[str, int, str | None]]:
    """How many records carry each warning that is no event's, and its hint; of entries, how many an undo leaves."""
    return store.db.execute(
        "SELECT iif(w.type = 'text', w.value,"
        "  json_extract(w.value, '$.code') || ': ' || json_extract(w.value, '$.name')),"
        " count(*), min(iif(w.type = 'object', json_extract(w.value, '$.hint'), NULL))"
        " FROM record r, json_each(r.warnings) w WHERE r.warnings != '[]'"
        " AND (w.type = 'text' OR (w.type = 'object' AND json_extract(w.value, '$.of_record'))) GROUP BY 1"
        " UNION ALL SELECT code, count(*), NULL FROM entry WHERE code = ? GROUP BY 1",
        (Code.CREATED,),
    )
