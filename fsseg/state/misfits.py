"""Values that didn't fit their fields, as the records of a plan keep them, and where in the files they stand."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

import orjson

from fsseg.segment.event import INDEX, POSITION_BITS
from fsseg.state.plan_store import Store
from fsseg.state.source_events import reread

_OF_RECORDS = "SELECT {} FROM record r, json_each(r.warnings) w WHERE w.type = 'object'"
_UNTOLD = ("position", "of_record")


class Places:
    """File and line of events. The files are read again only where it takes that, and once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._jumps = store.meta.jumps
        self._paths: dict[int, str] = dict(store.db.execute("SELECT number, shown FROM input"))
        self._reread: dict[int, int] | None = None

    def of(self, misfit: dict[str, Any]) -> dict[str, Any]:
        """A value that didn't fit with the file and line that it stands in, as far as these can be told."""
        position = misfit["position"]
        place = {"file": self._paths.get(position >> POSITION_BITS), "line": self._line(position)}
        return {name: value for name, value in misfit.items() if name not in _UNTOLD} | place

    def _line(self, position: int) -> int | None:
        jumps, event = self._jumps.get(position >> POSITION_BITS), position & INDEX
        if jumps:
            begin, line = jumps[bisect_right(jumps, event, key=lambda jump: jump[0]) - 1]
            return line + event - begin
        if self._reread is None:
            rows = self._store.db.execute(_OF_RECORDS.format("json_extract(w.value, '$.position')"))
            unsure = {at for (at,) in rows if not self._jumps.get(at >> POSITION_BITS)}
            self._reread = {at: item.line for at, item in reread(self._store, sorted(unsure)) if item is not None}
        return self._reread.get(position)


def samples(store: Store, most: int) -> dict[str, list[dict[str, Any]]]:
    """The first values of each trait that didn't fit, with whose they are."""
    found: dict[str, list[dict[str, Any]]] = {}
    places: Places | None = None
    for key, misfit in _misfits(store):
        known = found.setdefault(misfit["name"], [])
        if len(known) < most:
            places = places or Places(store)
            told = places.of(misfit)
            known.append({"key": key, "value": told["value"], "file": told["file"], "line": told["line"]})
    return found


def _misfits(store: Store) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, text in store.db.execute(_OF_RECORDS.format("r.key, w.value") + " ORDER BY r.id"):
        yield key, orjson.loads(text)
