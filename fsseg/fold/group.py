"""The second half of folding: the calls of each heap are mapped, and become one state per person and per account."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from operator import itemgetter

import orjson

from fsseg.fold.collect import Gatherer
from fsseg.fold.merge import Said, State, fold, merge
from fsseg.fold.partitions import HEAPS, Row
from fsseg.mapping.intents import PersonIntent, Refused
from fsseg.mapping.mapper import Mapper
from fsseg.segment import json_codec

WHEN = itemgetter(2, 1)
"""Time and position of a row."""

AT_ONCE = 50_000
"""Rows that are sorted by person at a time."""


class Folded:
    """The states of people and accounts by their keys, heap after heap; all at once where all is in memory.

    Afterwards `refused` are the position, code and detail of the calls that cannot be mapped.
    """

    def __init__(self, gathered: Gatherer, mapper: Mapper) -> None:
        self.refused: list[tuple[int, str, str]] = []
        self._gathered = gathered
        self._mapper = mapper

    def __iter__(self) -> Iterator[tuple[list[int], dict[str, State]]]:
        """Which heaps, and what was said of each key on them."""
        people, groups, entries = self._gathered.people, self._gathered.groups, self._gathered.entries
        for block in groups.blocks(range(HEAPS)):
            people.add(list(self._of_groups(block)))
        spilled = people.spilled or entries.spilled
        for heaps in [[heap] for heap in range(HEAPS)] if spilled else [list(range(HEAPS))]:
            states: dict[str, State] = {}
            for found in by_key(people.blocks(heaps)):
                for key, rows in found.items():
                    if state := fold(self._said(rows)):
                        states[key] = merge(states[key], state) if key in states else state
            yield heaps, states

    def _said(self, rows: list[Row]) -> Iterator[Said]:
        """What is said of one person, or of one account by group calls, the latest first.

        Most identify calls repeat what a later one says, all of it or but for texts: there is nothing of them to map.
        """
        person, equivalence_key = self._mapper.person, self._mapper.equivalence_key
        count_warnings = self._gathered.warnings.add
        several = len(rows) > 1
        if several:
            rows.sort(key=WHEN, reverse=True)
        before, latest = None, b""
        mapped: PersonIntent | Refused
        for key, position, time, event, user, said in rows:
            if user is None:
                yield time, position, event, orjson.loads(said)
                continue
            if said != latest or before is None:
                traits, latest = json_codec.loads(said), said
                like = equivalence_key(traits) if several else None
                if like is None or like != before:
                    before, mapped = like, person(key, user, traits)
            if isinstance(mapped, Refused):
                self.refused.append((position, *mapped))
            else:
                if mapped.warnings:
                    count_warnings(mapped.warnings)
                yield time, position, event, mapped.parts

    def _of_groups(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Rows of people and accounts that say what group calls do: their parts, and no userId."""
        for person, position, time, event, user, traits in rows:
            mapped = self._mapper.account(user or "", traits)
            if isinstance(mapped, Refused):
                self.refused.append((position, *mapped))
                continue
            parts = orjson.dumps(mapped.parts)
            for key in filter(None, [*mapped.parts, person]):
                yield key, position, time, event, None, parts


def by_key(blocks: Iterable[list[Row]]) -> Iterator[dict[str, list[Row]]]:
    """The rows of each key; in several goes where they are too many."""
    found: defaultdict[str, list[Row]] = defaultdict(list)
    held = 0
    for block in blocks:
        for row in block:
            found[row[0]].append(row)
        held += len(block)
        if held >= AT_ONCE:
            yield found
            found.clear()
            held = 0
    yield found
