"""What the runs of an account have written to its records since some generation of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing

import orjson

from fsseg.plan.content import places
from fsseg.plan.database import StateError
from fsseg.plan.run import Run
from fsseg.plan.store import Record, Store

Values = dict[str, list[object]]
"""The values that were written to each field."""


def written_since(runs: Iterable[Run], generation: int) -> dict[int, Values]:
    """The values by the places of the records (see `plan.content`); of runs that are gone nothing is known."""
    found: dict[int, Values] = {}
    for run in runs:
        try:
            with closing(run.open()) as store:
                _add(store, generation, found)
        except StateError:
            continue
    return found


def values_of(found: dict[int, Values], record: Record, parent: int | None) -> Values:
    """Of those, the values that were written to this record."""
    merged: Values = {}
    for at in places(record.kind, str(record.entity), record.remote_id, record.match_key, parent):
        for name, values in found.get(at, {}).items():
            merged.setdefault(name, []).extend(values)
    return merged


def left_out(runs: Iterable[Run], where: set[int]) -> Iterator[int]:
    """The keys of events of which something was left out as older than what the records at these places held."""
    for run in runs:
        try:
            with closing(run.open()) as store:
                yield from _left_out(store, where)
        except StateError:
            continue


def _left_out(store: Store, where: set[int]) -> Iterator[int]:
    rows = store.db.execute(
        "SELECT r.kind, r.entity, r.remote_id, r.match_key, p.remote_id, r.sources FROM record r"
        " LEFT JOIN record p ON p.id = r.parent WHERE r.status = 'done' AND instr(r.warnings, '\"older: ')"
    )
    for *of, sources in rows.fetchall():
        if where.intersection(places(*of)):
            yield from (key for _, key in orjson.loads(sources))


def _add(store: Store, generation: int, found: dict[int, Values]) -> None:
    rows = store.db.execute(
        "SELECT r.kind, r.entity, r.remote_id, r.match_key, p.remote_id, r.fields FROM record r"
        " LEFT JOIN record p ON p.id = r.parent WHERE r.committed > ? AND r.action IN ('create', 'update')",
        (generation,),
    )
    for *where, fields in rows:
        for at in places(*where):
            values = found.setdefault(at, {})
            for name, (_, after) in orjson.loads(fields).items():
                values.setdefault(name, []).append(after)
