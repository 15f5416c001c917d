"""Which events have gone into counts and sums, kept among the ledger's keys: each goes in once, whatever else fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import orjson

from fsseg.state.plan_store import Store

_EVENTS: Final = "events"
"""The part of a state that track and page calls make (see `mapping.intents`)."""

_ADDED_UP: Final = ("count ", "sum ")
_SALT: Final = 0x9E37_79B9_7F4A_7C15
"""Keeps the keys of events that were counted apart from those of events that were delivered."""


def counted_key(event_key: int) -> int:
    """The key by which the ledger knows that this event was counted, or added to a sum."""
    return event_key ^ _SALT


def adds_up(store: Store) -> bool:
    """Whether anything is counted or added up in this run."""
    events = ((store.meta.settings or {}).get("mapping") or {}).get("event") or {}
    return any(isinstance(rule, dict) and rule.get("fields") for rule in events.values())


def counted_keys(store: Store, where: str) -> Iterator[int]:
    """The keys of the events that went into counts and sums of these records r; `where` is their SQL condition."""
    if not adds_up(store):
        return
    rows = store.db.execute(f"SELECT f.state FROM record r JOIN folded f ON f.person = r.id WHERE {where}")
    for (dumped,) in rows:
        state: dict[str, Any] = orjson.loads(dumped)
        if _EVENTS in state:
            layers, sources, _ = state[_EVENTS]
            positions = {position for _, position, cells in layers if any(cell.startswith(_ADDED_UP) for cell in cells)}
            yield from (counted_key(key) for position, key in sources if position in positions)
