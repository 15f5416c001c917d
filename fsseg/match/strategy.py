"""Choosing the cheapest correct way to find people and accounts: a look-up each, search, or the views, paged."""

from __future__ import annotations

from collections.abc import Callable

from fsseg.figures import counted
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Page, Reader
from fsseg.freshsales.views import latest, pages, view_of_all
from fsseg.match.finders import LookupFinder, MirrorFinder, OnlineFinder
from fsseg.match.mirror import Mirror
from fsseg.match.search import SearchFinder
from fsseg.match.search import probe as search_probe

CHEAP = 2
"""Look-ups up to which bringing an existing copy up to date isn't worth it."""

FEW = 6
"""Look-ups up to which it isn't worth a request to ask how large the account is."""


def choose(
    reader: Reader,
    mirror: Mirror | None,
    entities: tuple[Entity, ...],
    questions: int,
    say: Callable[[str], None],
) -> OnlineFinder:
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
            return SearchFinder(reader, known)
        say(f"matching by {questions:,} look-ups: paging all {what} would take {cost:,} requests more")
        return lookup
    if cost:
        more = f"{counted(cost, 'request')} more instead of {counted(questions, 'look-up')}"
        say(f"matching by paging all {what}, 100 a request: {more}")
    whole = [mirror.fill(reader, entity, *found) for entity, found in missing.items()]
    if not all(whole):
        say(f"matching by {questions:,} look-ups: the {what} changed too fast to be read as a whole")
        return lookup
    return MirrorFinder(reader, mirror)
