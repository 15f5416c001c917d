"""Counts and sums of events, across runs: what new events make is added to what earlier ones have made."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import orjson

from fsseg.fold.event_fields import EventFieldValues, total
from fsseg.fold.merge import Part, restore
from fsseg.mapping.coerce import BAD, as_number
from fsseg.mapping.intents import EVENTS
from fsseg.plan.latest_wins import Newest
from fsseg.state.actions import Code
from fsseg.state.counted_events import counted_key
from fsseg.state.ledger import History, Ledger
from fsseg.state.plan_store import Record, Store

_NO_EVENTS = Part([], [], ("", 0))


def not_counted(store: Store, ledger: Ledger, records: Sequence[Record]) -> dict[int, EventFieldValues]:
    """By id of the record, what its events make without those that earlier runs have counted."""
    if not records:
        return {}
    states, delivered, found = store.states([record.id for record in records]), ledger.delivered(), {}
    for record in records:
        part = restore(orjson.loads(states.get(record.id, b"{}"))).get(EVENTS, _NO_EVENTS)
        keys = {counted_key(key): position for position, key in part.sources}
        counted = {keys[key] for key in delivered.among(sorted(keys))}
        found[record.id] = EventFieldValues(str(record.entity), part, counted)
    return found


def with_sums(
    newest: Newest, fields: Collection[str], record: Record, new: EventFieldValues, history: History
) -> tuple[Newest, list[str]]:
    """The same with the sums that the record is to hold: what it holds, where that is ours, and what is new.

    A sum has no event time of its own by which it could be older. Those that no field can hold are warned of.
    """
    warnings: list[str] = []
    desired, times, older = dict(newest.desired), dict(newest.times), [n for n in newest.older if n not in fields]
    assert record.existing is not None
    for name in record.desired.keys() & set(fields):
        desired.pop(name, None)
        times.pop(name, None)
        if name in new.added_up:
            held = _number(record.existing.get(name)) if name in history.times else 0
            added = total([held, new.fields[name]])
            if added is None:
                warnings.append(f"{Code.BAD_VALUE}: {name} = the sum of {held} and {new.fields[name]}")
                continue
            desired[name] = added
            times[name] = max(new.times[name], history.times.get(name, 0))
    return Newest(desired, times, older), warnings


def _number(value: Any) -> int | float:
    number = BAD if value is None else as_number(value)
    return number if isinstance(number, int | float) else 0
