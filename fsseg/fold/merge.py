"""Fold: many intents about one person become one state; last write wins per cell, by event time.

A state is kept so that folding is associative and commutative: folding two halves of the input apart and merging the
results gives the same state as folding all of it, whatever the order of the lines.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from msgspec import Struct

from fsseg.mapping.intents import EVENTS, Cells

PERSON = ""
"""The part of a state that is the person itself."""

Layer = tuple[str, int, Cells]
"""Event time, position, and the cells of that event which no later event has overridden."""


class Part(Struct, frozen=True):
    """What the events say of one thing: the person itself (""), one company or one deal of the person.

    `sources` lists position and event key of every event that said something, overridden or not, by position.
    """

    layers: list[Layer]
    sources: list[tuple[int, int]]
    first: tuple[str, int]
    """Time and position of the earliest event: the order in which a person's companies came."""

    def cells(self) -> Cells:
        """The values that stand, whoever said them."""
        standing: Cells = {}
        for _, _, cells in self.layers:
            standing.update(cells)
        return standing

    def times(self) -> dict[str, str]:
        """The event time of each value that stands."""
        return {name: time for time, _, cells in self.layers for name in cells}

    def cell(self, name: str) -> Any:
        """The value that stands in one cell, or None."""
        for _, _, cells in reversed(self.layers):
            if name in cells:
                return cells[name]
        return None

    @property
    def last(self) -> tuple[str, int]:
        """Time and position of the latest event that still stands."""
        return self.layers[-1][:2] if self.layers else self.first


State = dict[str, Part]
"""By the name of the part. Of `EVENTS` each event has its own layer: what is counted or added up needs all of them."""

_when = itemgetter(0, 1)


class _Held(Struct):
    """A part as it is folded."""

    layers: list[Layer]
    sources: list[tuple[int, int]]
    first: tuple[str, int]


Contribution = tuple[str, int, int, dict[str, Cells]]
"""One event's intent about a person: its time, position and key, and what it says of each part."""


def compact_layers(layers: list[Layer]) -> list[Layer]:
    """The layers oldest first, without cells that a later layer overrides and without empty layers."""
    if len(layers) == 1:
        return layers if layers[0][2] else []
    layers.sort(key=lambda layer: layer[:2], reverse=True)
    taken: set[str] = set()
    standing: list[Layer] = []
    for time, position, cells in layers:
        fresh = cells if taken.isdisjoint(cells) else {name: v for name, v in cells.items() if name not in taken}
        if fresh:
            taken.update(fresh)
            standing.append((time, position, fresh))
    standing.reverse()
    return standing


def fold(contributions: Iterable[Contribution]) -> State:
    """The state that these intents about one person amount to; no two have the same position. Quickest latest first."""
    held: dict[str, _Held] = {}
    said: dict[str, Cells] = {}
    since: tuple[str, int] = ("", 0)
    again: list[tuple[int, int]] = []
    for time, position, key, parts in contributions:
        source, when = (position, key), (time, position)
        if parts is said and when < since:
            # Nearly always an event says what the one after it says: all of that is overridden.
            again.append(source)
            since = when
            continue
        _repeat(held, said, again, since)
        said, since, again = {} if EVENTS in parts else parts, when, []
        for name, cells in parts.items():
            if name not in held:
                held[name] = _Held([(time, position, cells)] if cells else [], [source], when)
                continue
            one = held[name]
            one.sources.append(source)
            one.first = min(one.first, when)
            if name == EVENTS:
                one.layers += [(time, position, cells)] if cells else []
                continue
            # Nearly always a later event has all the cells of an earlier one.
            if not (one.layers and when < one.layers[-1][:2] and cells.keys() <= one.layers[-1][2].keys()):
                one.layers = compact_layers([*one.layers, (time, position, cells)])
    _repeat(held, said, again, since)
    if EVENTS in held:
        held[EVENTS].layers.sort(key=_when)
    state: State = {}
    sources: list[tuple[int, int]] = []
    ordered = sources
    for name, one in held.items():
        if one.sources != sources:  # nearly always the same events tell of the person, its company and its deal
            sources, ordered = one.sources, sorted(one.sources)
        state[name] = Part(one.layers, ordered, one.first)
    return state


def _repeat(
    held: dict[str, _Held], said: dict[str, Cells], sources: list[tuple[int, int]], first: tuple[str, int]
) -> None:
    """Note that earlier events, the earliest of them at `first`, said the same."""
    if sources:
        for name in said:
            held[name].sources += sources
            held[name].first = min(held[name].first, first)


def merge(left: State, right: State) -> State:
    """Both states as one. Associative and commutative; merging with an empty state changes nothing."""
    both = dict(left)
    for name, part in right.items():
        both[name] = merged(name, both[name], part) if name in both else part
    return both


def merge_all(states: Iterable[State]) -> State:
    """All states as one: like is merged with like, so that none is gone through again for each of many."""
    ranked: list[tuple[int, State]] = []
    for state in states:
        rank = 0
        while ranked and ranked[-1][0] == rank:
            state, rank = merge(ranked.pop()[1], state), rank + 1
        ranked.append((rank, state))
    whole: State = {}
    for _, state in reversed(ranked):
        whole = merge(state, whole)
    return whole


def merged(name: str, left: Part, right: Part) -> Part:
    """Both parts as one part of this name."""
    layers = [*left.layers, *right.layers]
    if name == EVENTS:
        layers = sorted({layer[:2]: layer for layer in layers}.values(), key=_when)
    else:
        layers = compact_layers(layers)
    return Part(layers, sorted({*left.sources, *right.sources}), min(left.first, right.first))


def dump(state: State) -> dict[str, Any]:
    """The state as plain JSON values."""
    return {name: [part.layers, part.sources, part.first] for name, part in state.items()}


def restore(plain: dict[str, Any]) -> State:
    """The state that `dump` gave."""
    return {
        name: Part(
            [(time, position, cells) for time, position, cells in layers],
            [(position, key) for position, key in sources],
            (first[0], first[1]),
        )
        for name, (layers, sources, first) in plain.items()
    }
