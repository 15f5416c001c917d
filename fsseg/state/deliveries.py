"""What the runs of an account have written to its records, or left out, as their own plans tell it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from fsseg.state.actions import Action, Code, Status, is_any
from fsseg.state.database import StateError
from fsseg.state.fingerprint import fingerprint_keys
from fsseg.state.plan_store import Record, Store
from fsseg.state.run_folder import Run

Values = dict[str, list[object]]
"""The values that were written to each field."""


class Delivery(NamedTuple):
    """A record that a run has delivered: the ledger's generation then, the keys of its events, the fields' times."""

    generation: int
    events: frozenset[int]
    times: dict[str, int]


def written_since(runs: Iterable[Run], generation: int) -> dict[int, Values]:
    """The values by the fingerprint keys of the records, since that generation of the ledger."""
    written: dict[int, Values] = {}
    since = f"r.committed > {generation} AND {is_any('r.action', Action.CREATE, Action.UPDATE)}"
    for keys, fields in _rows(runs, since, "r.fields"):
        for key in keys:
            values = written.setdefault(key, {})
            for name, (_, after) in orjson.loads(fields).items():
                values.setdefault(name, []).append(after)
    return written


def values_of(written: dict[int, Values], record: Record, parent: int | None) -> Values:
    """Of those, the values that were written to this record."""
    merged: Values = {}
    for key in fingerprint_keys(record.kind, record.entity, record.remote_id, record.match_key, parent):
        for name, values in written.get(key, {}).items():
            merged.setdefault(name, []).extend(values)
    return merged


def left_out(runs: Iterable[Run], records: set[int]) -> Iterator[int]:
    """The keys of events of which something was left out as older than what these records held."""
    older = f"r.status = '{Status.DONE}' AND instr(r.warnings, '\"{Code.OLDER}: ')"
    for keys, sources in _rows(runs, older, "r.sources"):
        if records.intersection(keys):
            yield from (key for _, key in orjson.loads(sources))


def deliveries_of(runs: Iterable[Run], records: set[int]) -> dict[int, list[Delivery]]:
    """What was delivered of these records, which are given and told by their fingerprint keys."""
    deliveries: dict[int, list[Delivery]] = {}
    held = is_any("r.action", Action.CREATE, Action.UPDATE, Action.UNCHANGED)
    delivered = f"r.committed IS NOT NULL AND r.status = '{Status.DONE}' AND {held}"
    for keys, generation, sources, times in _rows(runs, delivered, "r.committed, r.sources, r.times"):
        for record in records.intersection(keys):
            events = frozenset(key for _, key in orjson.loads(sources))
            deliveries.setdefault(record, []).append(Delivery(generation, events, orjson.loads(times)))
    return deliveries


def _rows(runs: Iterable[Run], condition: str, columns: str) -> Iterator[tuple[list[int], *tuple[Any, ...]]]:
    """The fingerprint keys of each record that meets the condition, and these columns; none of runs that are gone."""
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
        yield fingerprint_keys(kind, entity, remote_id, match_key, parent), *rest
