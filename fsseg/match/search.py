"""Finding people by filtered search: up to 100 addresses a request, once a probe has shown that it can be trusted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from fsseg.freshsales.errors import BadAnswer, Refused
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Page, Reader
from fsseg.freshsales.sizes import PAGE_SIZE
from fsseg.match.finders import LookupFinder, OnlineFinder
from fsseg.match.remote_record import Existing, addresses, flatten
from fsseg.segment.email_key import email_key

ATTRIBUTE: dict[Entity, str] = {"lead": "lead_email.email", "contact": "contact_email.email"}
"""What the filtered search calls the e-mail (documented); that it takes a list of them is not."""


class SearchFinder(OnlineFinder):
    """Asks for a batch of addresses at once, told by `prefetch`; anything else is looked up.

    `known` are addresses that are there, as `probe` gives them; an entity without one is known to be empty.
    """

    def __init__(self, reader: Reader, known: dict[Entity, str]) -> None:
        super().__init__(reader)
        self._lookup = LookupFinder(reader)
        self._known = known
        self._found: dict[str, list[tuple[Entity, Existing]]] = {}

    def prefetch(self, entities: tuple[Entity, ...], names: Sequence[str]) -> None:
        """Find everyone with these addresses, and forget what was found before.

        A batch that is refused, or answered in a way that tells too little, is left to look-ups.
        """
        self._found = {}
        found: dict[str, list[tuple[Entity, Existing]]] = {email_key(name): [] for name in names}
        # Whether the search minds the case isn't documented, so an address that has capitals is asked for in both.
        asked = list(dict.fromkeys(spelled for name in names for spelled in (name, name.casefold(), email_key(name))))
        try:
            for entity in (entity for entity in entities if entity in self._known):
                rows = self._all(entity, asked)
                if any("email_ids" not in row for row in rows.values()):
                    rows |= self._by_other_addresses(entity, asked, rows)
                for existing in rows.values():
                    for address in addresses(existing) & found.keys():
                        found[address].append((entity, existing))
        except (Refused, BadAnswer):
            return
        self._found = found

    def _all(self, entity: Entity, asked: list[str]) -> dict[int, Existing]:
        return {
            int(row["id"]): row
            for start in range(0, len(asked), PAGE_SIZE - 1)
            for row in self._batch(entity, asked[start : start + PAGE_SIZE - 1])
        }

    def _by_other_addresses(self, entity: Entity, asked: list[str], rows: dict[int, Existing]) -> dict[int, Existing]:
        """Whom the addresses lead to that no row has shown, where rows show only the first of each.

        Asked for alone, they bring just those whose second address they are, and these are read whole.
        """
        shown = {address for row in rows.values() for address in addresses(row)}
        missing = [name for name in asked if name.casefold() not in shown]
        others = self._all(entity, missing) if missing else {}
        known = self._known[entity]
        whole = {id: self.get(entity, id) for id, row in others.items() if known not in addresses(row)}
        return {id: row for id, row in whole.items() if row is not None}

    def _batch(self, entity: Entity, names: list[str]) -> list[Existing]:
        """Everyone with these addresses. A known one goes last, and must come back: so the list was read to its end."""
        known = self._known[entity]
        rows = list(search(self.reader, entity, [*names, known]))
        if not any(known in addresses(row) for row in rows):
            raise BadAnswer(f"the filtered search lost an address of the {entity}s asked for")
        return rows

    def find(self, entities: tuple[Entity, ...], name: str) -> Iterator[tuple[Entity, Existing]]:
        if (key := email_key(name)) in self._found:
            yield from (one for one in self._found[key] if one[0] in entities)
        else:
            yield from self._lookup.find(entities, name)


def search(reader: Reader, entity: Entity, names: Sequence[str]) -> Iterator[Existing]:
    """All records of these addresses. Pages may be short before the end, so an empty one or the total ends it.

    A row may tell the first address of a record only. Raises `BadAnswer` where it tells none.
    """
    read = 0
    for number in range(1, 1000):
        page = reader.filtered(entity, ATTRIBUTE[entity], "is_in", list(names), page=number)
        for row in page.rows:
            existing = flatten(entity, row)
            if not addresses(existing):
                raise BadAnswer(f"the filtered search lists a {entity} without its address")
            yield existing
        read += len(page.rows)
        if not page.rows or (page.total is not None and read >= page.total):
            return


def probe(reader: Reader, pages: Iterable[tuple[Entity, Page]]) -> dict[Entity, str] | None:
    """A known address of every entity, if a search for two that are there gives back exactly these; None otherwise.

    `pages` hold records that are there. An entity with a single address proves nothing; one without records need not.
    """
    proven: dict[Entity, str] = {}
    for entity, page in pages:
        if page.total == 0:
            continue
        # Of whom has several addresses, it couldn't be told by which of them the search has found him.
        everyone = (addresses(flatten(entity, row)) for row in page.rows)
        known = sorted(address for some in everyone if len(some) == 1 for address in some)[:2]
        if len(known) < 2:
            return None
        try:
            found = list(search(reader, entity, known))
        except (Refused, BadAnswer):
            return None
        if any(not addresses(one) & set(known) for one in found):
            return None
        if {address for one in found for address in addresses(one)} & set(known) != set(known):
            return None
        proven[entity] = known[0]
    return proven
