"""Finding people and accounts in Freshsales the cheapest correct way: a look-up each, or the views, paged.

"Not there" is only ever concluded from a successful answer that lists nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from fsseg.freshsales.errors import NotFound
from fsseg.freshsales.figures import counted
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Page, Reader
from fsseg.mapping.names import fold_name
from fsseg.plan.existing import Existing, flatten
from fsseg.plan.mirror import INCLUDE, Mirror, latest, pages, view_of_all
from fsseg.plan.search import SearchFinder
from fsseg.plan.search import probe as search_probe

CHEAP = 2
"""Look-ups up to which bringing an existing copy up to date isn't worth it."""

FEW = 6
"""Look-ups up to which it isn't worth a request to ask how large the account is."""


class Finder(Protocol):
    """Where existing records come from. All of it may raise the client's errors; nothing is guessed."""

    def prefetch(self, entities: tuple[Entity, ...], names: Sequence[str]) -> None:
        """Told which people will be asked for next, up to a hundred."""

    def find(self, entities: tuple[Entity, ...], name: str) -> Iterator[tuple[Entity, Existing]]:
        """Entity and record of everyone with this e-mail, or of the accounts of this name, whatever its case."""

    def get(self, entity: Entity, id: int) -> Existing | None:
        """The record with this id, or None where there is none (any more)."""


class LookupFinder:
    """One request for each question."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def prefetch(self, entities: tuple[Entity, ...], names: Sequence[str]) -> None:
        """There is nothing to be had but one by one."""

    def find(self, entities: tuple[Entity, ...], name: str) -> Iterator[tuple[Entity, Existing]]:
        by = "email" if set(entities) <= {"lead", "contact"} else "name"
        # Whether a look-up minds the case isn't documented, so an address that has capitals is asked for twice.
        for spelled in dict.fromkeys((name, name.casefold() if by == "email" else name)):
            found = self._reader.lookup(spelled, by, entities)
            if any(found.values()):
                yield from ((entity, flatten(entity, row)) for entity, rows in found.items() for row in rows)
                return

    def get(self, entity: Entity, id: int) -> Existing | None:
        return fetch(self._reader, entity, id)


class MirrorFinder:
    """Answers from the mirror, which must have been refreshed for these entities."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror

    def prefetch(self, entities: tuple[Entity, ...], names: Sequence[str]) -> None:
        """All is here already."""

    def find(self, entities: tuple[Entity, ...], name: str) -> Iterator[tuple[Entity, Existing]]:
        for entity in entities:
            for existing in self._mirror.find(entity, fold_name(name)):
                yield entity, existing

    def get(self, entity: Entity, id: int) -> Existing | None:
        return self._mirror.get(entity, id)


def fetch(reader: Reader, entity: Entity, id: int) -> Existing | None:
    """The whole record, accounts of a contact included, or None where Freshsales says that there is none."""
    try:
        return flatten(entity, reader.get(entity, id, include=INCLUDE.get(entity, ()))[0])
    except NotFound:
        return None


def choose(
    reader: Reader,
    mirror: Mirror | None,
    entities: tuple[Entity, ...],
    questions: int,
    say: Callable[[str], None],
) -> Finder:
    """The way that needs fewer requests for that many `questions`; `say` is told the number before it is spent."""
    lookup = LookupFinder(reader)
    if mirror is None or questions <= CHEAP:
        return lookup
    ready = all(mirror.ready(entity) for entity in entities)
    if not ready and questions <= FEW:
        return lookup
    what = " and ".join(f"{entity}s" for entity in entities)
    views = {entity: view_of_all(reader, entity) for entity in entities}
    if ready:
        say(f"matching from the copy of an earlier run: reading only the {what} updated since")
    missing: dict[Entity, tuple[int, Page]] = {}
    cost = 0
    for entity, view in views.items():
        if view is None:
            return lookup
        if mirror.ready(entity) and mirror.refresh(reader, entity, view, questions):
            continue
        probe = latest(reader, entity, view)
        if probe.total is None:
            return lookup
        cost += pages(probe.total) if len(probe.rows) < probe.total else 0
        missing[entity] = view, probe
    if cost >= questions:
        batches = len(entities) * pages(questions)
        seen = [(entity, page) for entity, (_, page) in missing.items()]
        if "account" not in entities and (known := search_probe(reader, seen)) is not None:
            say(f"matching by filtered search, 100 addresses a request: about {counted(batches, 'request')}")
            return SearchFinder(reader, lookup, known)
        say(f"matching by {questions:,} look-ups: paging all {what} would take {cost:,} requests more")
        return lookup
    if cost:
        more = f"{counted(cost, 'request')} more instead of {counted(questions, 'look-up')}"
        say(f"matching by paging all {what}, 100 a request: {more}")
    whole = [mirror.fill(reader, entity, *found) for entity, found in missing.items()]
    if not all(whole):
        say(f"matching by {questions:,} look-ups: the {what} changed too fast to be read as a whole")
        return lookup
    return MirrorFinder(mirror)
