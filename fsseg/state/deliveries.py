"""What the runs of an account have written to its records, or left out, as their own plans tell it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from fsseg.state.actions import Action, Code, Status, is_any
from fsseg.state.database import StateError
from fsseg.state.fingerprint import places
from fsseg.state.plan_store import Record, Store
from fsseg.state.run_folder import Run

Values = dict[str, list[object]]
"""The values that were written to each field."""


class Told(NamedTuple):
    """A record that a run has delivered: the ledger's generation then, the keys of its events, the fields' times."""

    generation: int
    events: frozenset[int]
    times: dict[str, int]


def written_since(runs: Iterable[Run], generation: int) -> dict[int, Values]:
    """The values by the places of the records (see `state.fingerprint`), since that generation of the ledger."""
    found: dict[int, Values] = {}
    since = f"r.committed > {generation} AND {is_any('r.action', Action.CREATE, Action.UPDATE)}"
    for where, fields in _rows(runs, since, "r.fields"):
        for at in where:
            values = found.setdefault(at, {})
            for name, (_, after) in orjson.loads(fields).items():
                values.setdefault(name, []).append(after)
    return found


def values_of(found: dict[int, Values], record: Record, parent: int | None) -> Values:
    """Of those, the values that were written to this record."""
    merged: Values = {}
    for at in places(record.kind, str(record.entity), record.remote_id, record.match_key, parent):
        for name, values in found.get(at, {}).items():
            merged.setdefault(name, []).extend(values)
    return merged


def left_out(runs: Iterable[Run], wanted: set[int]) -> Iterator[int]:
    """The keys of events of which something was left out as older than what the records at these places held."""
    older = f"r.status = '{Status.DONE}' AND instr(r.warnings, '\"{Code.OLDER}: ')"
    for where, sources in _rows(runs, older, "r.sources"):
        if wanted.intersection(where):
            yield from (key for _, key in orjson.loads(sources))


def told(runs: Iterable[Run], wanted: set[int]) -> dict[int, list[Told]]:
    """What was delivered of the records at these places, by place."""
    found: dict[int, list[Told]] = {}
    held = is_any("r.action", Action.CREATE, Action.UPDATE, Action.UNCHANGED)
    delivered = f"r.committed IS NOT NULL AND r.status = '{Status.DONE}' AND {held}"
    for where, generation, sources, times in _rows(runs, delivered, "r.committed, r.sources, r.times"):
        for at in wanted.intersection(where):
            events = frozenset(key for _, key in orjson.loads(sources))
            found.setdefault(at, []).append(Told(generation, events, orjson.loads(times)))
    return found


def _rows(runs: Iterable[Run], condition: str, columns: str) -> Iterator[tuple[list[int], *tuple[Any, ...]]]:
    """The places of each record that meets the condition, and these columns; of runs that are gone nothing is known."""
    for run in runs:
        try:
            with run.reading() as store:
                yield from _rows_of(store, condition, columns)
        except StateError:
            continue


def _rows_of(store: Store, condition: str, columns: str) -> Iterator[tuple[list[int], *tuple[Any, ...]]]:
    rows = store.db.execute(
        f"SELECT r.kind, r.entity, r.remote_id, r.match_key, p.remote_id, {columns} FROM record r"
        f" LEFT JOIN record p ON p.id = r.parent WHERE {condition}"
    )
    for kind, entity, remote_id, match_key, parent, *rest in rows:
        yield places(kind, entity, remote_id, match_key, parent), *rest
