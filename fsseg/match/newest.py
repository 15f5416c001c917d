"""What was made last: the view of all records lists it at once, while look-ups may not find it for up to 20 seconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice

from fsseg.freshsales.errors import Forbidden, Refused
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Reader
from fsseg.freshsales.views import newest, pages, view_of_all
from fsseg.mapping.names import fold_name
from fsseg.match.deal_finder import contacts_of
from fsseg.match.remote_record import Existing, addresses, flatten, instant

SKEW = timedelta(minutes=5)
"""How much the clocks of two hosts may differ when the newest records are searched."""

EXTRA_PAGES = 2
"""Pages read beyond what a run made itself, before the rest is looked up one by one: others write too."""


def newest_pages(reader: Reader, entity: Entity, since: datetime) -> Iterator[list[Existing]]:
    """The newest records by pages, until one holds any that is older; none where no view lists all.

    Raises the client's errors.
    """
    try:
        view = view_of_all(reader, entity)
        number, is_newer = 0, view is not None
        while view is not None and is_newer:
            number += 1
            rows = [flatten(entity, row) for row in newest(reader, entity, view, number).rows]
            oldest = reader.by_their_clock(since) - SKEW
            is_newer = bool(rows) and all(instant(row, "created_at") >= oldest for row in rows)
            yield rows
    except (Forbidden, Refused):
        return


class MadeUnnamed:
    """Finds records that a run has made in bulk, whose answers told no ids; each kind is read once.

    `made` has how many there are of each kind, and since when.
    """

    def __init__(self, reader: Reader, made: Mapping[Entity, tuple[int, datetime]]) -> None:
        self._reader = reader
        self._made = made
        self._read: dict[Entity, dict[str, list[Existing]]] = {}

    def find(self, entity: Entity, match_key: str, contact: int | None) -> list[Existing]:
        """Those of this folded e-mail or name; of deals, those of this contact. Raises the client's errors."""
        if entity not in self._read:
            self._read[entity] = self._by_key(entity)
        found = self._read[entity].get(match_key, [])
        return [row for row in found if contact in (contacts_of(row) or ())] if entity == "deal" else found

    def _by_key(self, entity: Entity) -> dict[str, list[Existing]]:
        found: dict[str, list[Existing]] = {}
        count, since = self._made[entity]
        for rows in islice(newest_pages(self._reader, entity, since), pages(count) + EXTRA_PAGES):
            for row in rows:
                keys = addresses(row) if entity in ("lead", "contact") else {fold_name(row.get("name"))}
                for key in keys:
                    found.setdefault(key, []).append(row)
        return found
