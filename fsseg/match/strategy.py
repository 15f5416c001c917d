"""Choosing the cheapest correct way to find people and accounts: a look-up each, search, or the views, paged."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from fsseg.figures import counted
from fsseg.freshsales.errors import Forbidden, Refused, Unavailable
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Page, Reader
from fsseg.freshsales.sizes import PAGE_SIZE
from fsseg.freshsales.views import latest, pages, view_of_all
from fsseg.match.finders import LookupFinder, MirrorFinder, OnlineFinder
from fsseg.match.mirror import Mirror
from fsseg.match.search import SearchFinder
from fsseg.match.search import probe as search_probe

CHEAP = 2
"""Look-ups up to which bringing an existing copy up to date isn't worth it."""

FEW = 6
"""Look-ups up to which it isn't worth a request to ask how large the account is."""

TO_CHOOSE = 8
"""Requests that it takes to learn how large the account is, and whether search can be trusted."""


class Strategy(StrEnum):
    """The ways to find people and accounts, all of which give the same answers."""

    LOOKUP = "lookup"
    SEARCH = "search"
    MIRROR = "mirror"


def is_worth_asking(questions: int, *, has_copy: bool) -> bool:
    """Whether a copy, or search, may take fewer requests than so many look-ups, so that its cost is worth a request."""
    return questions > (CHEAP if has_copy else FEW)


def cheapest(questions: int, pages_to_read: int | None, *, can_search: Callable[[], bool]) -> Strategy:
    """The way that takes the fewest requests; `pages_to_read` is None where the views can't be read as a whole.

    `can_search` is asked only where search would be the cheapest way, since the answer takes a request itself.
    """
    if pages_to_read is None:
        return Strategy.LOOKUP
    if pages_to_read < questions:
        return Strategy.MIRROR
    return Strategy.SEARCH if can_search() else Strategy.LOOKUP


def choose(
    reader: Reader,
    mirror: Mirror | None,
    entities: tuple[Entity, ...],
    questions: int,
    say: Callable[[str], None],
) -> OnlineFinder:
    """The way that needs fewer requests for that many `questions`; `say` is told the number before it is spent."""
    try:
        with reader.whole(TO_CHOOSE + min(questions, PAGE_SIZE)):
            return _cheapest(reader, mirror, entities, questions, say)
    except (Forbidden, Refused, Unavailable) as error:
        say(f"matching by {counted(questions, 'look-up')}, as the views can't be read: {error}")
        return LookupFinder(reader)


def _cheapest(
    reader: Reader,
    mirror: Mirror | None,
    entities: tuple[Entity, ...],
    questions: int,
    say: Callable[[str], None],
) -> OnlineFinder:
    lookup = LookupFinder(reader)
    if mirror is None or not is_worth_asking(questions, has_copy=all(map(mirror.ready, entities))):
        return lookup
    names = " and ".join(f"{entity}s" for entity in entities)
    missing = _missing(reader, mirror, entities, questions, lambda: say(_REFRESHING.format(names)))
    to_read = None if missing is None else sum(_pages_to_read(first) for _, first in missing.values())
    known = _Searchable(reader, entities, missing or {})
    match cheapest(questions, to_read, can_search=known.probe):
        case Strategy.SEARCH:
            batches = len(entities) * pages(questions)
            found = f"about {counted(batches, 'request')} more, and up to one for each who is there"
            say(f"matching by filtered search, 100 addresses a request: {found}")
            return SearchFinder(reader, known.addresses)
        case Strategy.LOOKUP:
            if to_read is not None:
                more = f"{counted(to_read, 'request')} more"
                say(f"matching by {counted(questions, 'look-up')}: paging all {names} would take {more}")
            return lookup
    assert missing is not None
    if to_read:
        more = f"{counted(to_read, 'request')} more instead of {counted(questions, 'look-up')}"
        say(f"matching by paging all {names}, 100 a request: {more}")
    with reader.whole(to_read or 0):
        filled = all(mirror.fill(reader, entity, *found) for entity, found in missing.items())
    if filled:
        return MirrorFinder(reader, mirror)
    say(f"matching by {counted(questions, 'look-up')}: the {names} changed too fast to be read as a whole")
    return lookup


_REFRESHING = "reading only the {} updated since last time"

Missing = dict[Entity, tuple[int, Page]]
"""What the copy lacks: the view to read, and its first page."""


def _missing(
    reader: Reader, mirror: Mirror, entities: tuple[Entity, ...], questions: int, refreshing: Callable[[], None]
) -> Missing | None:
    """What is to be read yet, once the copy is brought up to date; None where no view tells of all records."""
    views = {entity: view_of_all(reader, entity) for entity in entities}
    if all(map(mirror.ready, entities)):
        refreshing()
    missing: Missing = {}
    for entity, view in views.items():
        if view is None:
            return None
        if mirror.ready(entity) and mirror.refresh(reader, entity, view, questions):
            continue
        first = latest(reader, entity, view)
        if first.total is None:
            return None
        missing[entity] = view, first
    return missing


def _pages_to_read(first: Page) -> int:
    assert first.total is not None
    return pages(first.total) if len(first.rows) < first.total else 0


class _Searchable:
    """Whether the filtered search can be trusted, and the addresses that show it."""

    def __init__(self, reader: Reader, entities: tuple[Entity, ...], missing: Missing) -> None:
        self.addresses: dict[Entity, str] = {}
        self._reader = reader
        self._entities = entities
        self._missing = missing

    def probe(self) -> bool:
        """Ask for people who are there."""
        if "account" in self._entities:
            return False
        proven = search_probe(self._reader, [(entity, first) for entity, (_, first) in self._missing.items()])
        self.addresses = proven or {}
        return proven is not None
