"""The laws of folding: whatever is folded apart and merged is as if it had been folded together, in any order."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsseg.fold import merge as merge_module
from fsseg.fold.event_fields import EventFieldValues
from fsseg.fold.merge import Contribution, State, dump, fold, merge, merge_all, restore
from fsseg.mapping.intents import EVENTS, Cells

NAMES = st.sampled_from(["a", "b", "c", "d"])
CELLS = st.dictionaries(NAMES, st.none() | st.integers(0, 5) | st.sampled_from(["x", "y"]), max_size=4)
EVENT_CELLS = st.dictionaries(
    st.sampled_from(["first a", "last b", "count c", "sum d"]), st.integers(-3, 9), max_size=4
)
PARTS: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {}, optional={"": CELLS, "company:acme": CELLS, "deal:pilot": CELLS, EVENTS: EVENT_CELLS}
).filter(bool)
TIMES = st.sampled_from(["", "2025-01-06T10:00:00.000", "2025-01-06T10:00:00.001", "2025-03-01T00:00:00.000"])


@st.composite
def many(draw: st.DrawFn) -> list[Contribution]:
    sayings: list[dict[str, Cells]] = draw(st.lists(PARTS, min_size=1, max_size=4))
    events: list[tuple[str, dict[str, Cells]]] = draw(st.lists(st.tuples(TIMES, st.sampled_from(sayings)), max_size=8))
    return [(time, position, 1_000 + position, parts) for position, (time, parts) in enumerate(events)]


def totals(state: State) -> tuple[dict[str, Any], dict[str, int]]:
    """What the events make of the fields that they set, with their times."""
    if EVENTS not in state:
        return {}, {}
    values = EventFieldValues("lead", state[EVENTS])
    return values.fields, values.times


def expected(said: list[Contribution]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for _, _, _, parts in sorted(said, key=lambda one: one[:2]):
        for cell, value in parts.get(EVENTS, {}).items():
            take, name = cell.split()
            if take == "first":
                fields.setdefault(name, value)
            else:
                fields[name] = value if take == "last" else fields.get(name, 0) + value
    return fields


@given(many(), st.integers(0, 8), st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_first_last_count_and_sum_are_those_of_all_events_however_they_were_folded(
    said: list[Contribution], cut: int, random: Any
) -> None:
    whole = fold(said)
    assert totals(whole)[0] == expected(said)
    random.shuffle(said)
    assert totals(merge(fold(said[:cut]), fold(said[cut:]))) == totals(whole)
    assert totals(restore(orjson.loads(orjson.dumps(dump(whole))))) == totals(whole)


def naive(said: list[Contribution]) -> dict[str, dict[str, Any]]:
    """Last write wins per cell, by event time and, for equal times, by position."""
    standing: dict[str, dict[str, Any]] = {}
    for _, _, _, parts in sorted(said, key=lambda one: one[:2]):
        for name, cells in parts.items():
            standing.setdefault(name, {}).update(cells)
    return standing


@given(many())
@settings(max_examples=50)
def test_the_last_write_of_every_cell_stands(said: list[Contribution]) -> None:
    folded = {name: part.cells() for name, part in fold(said).items()}
    assert folded == naive(said)


@given(many())
@settings(max_examples=50)
def test_every_event_is_a_source_of_the_parts_it_speaks_of(said: list[Contribution]) -> None:
    for name, part in fold(said).items():
        assert part.sources == [(position, key) for _, position, key, parts in said if name in parts]
        assert part.first == min((time, position) for time, position, _, parts in said if name in parts)


@given(many(), st.integers(0, 8), st.integers(0, 8))
@settings(max_examples=50)
def test_folding_apart_and_merging_is_folding_together(said: list[Contribution], one: int, two: int) -> None:
    low, high = sorted((one, two))
    first, second, third = fold(said[:low]), fold(said[low:high]), fold(said[high:])
    whole = fold(said)
    assert merge(merge(first, second), third) == whole
    assert merge(first, merge(second, third)) == whole
    assert merge(third, merge(second, first)) == whole


@given(many(), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_the_order_of_the_lines_does_not_matter(said: list[Contribution], random: Any) -> None:
    shuffled = list(said)
    random.shuffle(shuffled)
    assert fold(shuffled) == fold(said)


@given(many())
@settings(max_examples=50)
def test_merging_with_nothing_or_itself_changes_nothing(said: list[Contribution]) -> None:
    state: State = fold(said)
    assert merge(state, {}) == merge({}, state) == merge(state, state) == state


@given(many())
@settings(max_examples=50)
def test_a_state_survives_being_kept_as_json(said: list[Contribution]) -> None:
    state = fold(said)
    assert restore(orjson.loads(orjson.dumps(dump(state)))) == state


def test_folding_leaves_what_it_was_given_alone() -> None:
    said: list[Contribution] = [("1", 0, 10, {"": {"a": 1}}), ("2", 1, 11, {"": {"b": 2}})]
    fold(said)
    assert said == [("1", 0, 10, {"": {"a": 1}}), ("2", 1, 11, {"": {"b": 2}})]


@given(many(), st.lists(st.integers(0, 8), max_size=8))
@settings(max_examples=50)
def test_however_many_are_merged_at_once_they_are_as_one_folded(said: list[Contribution], cuts: list[int]) -> None:
    ends = [0, *sorted(min(cut, len(said)) for cut in cuts), len(said)]
    assert merge_all(fold(said[begin:end]) for begin, end in pairwise(ends)) == fold(said)


def test_of_many_states_none_is_gone_through_for_each_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def counted(left: State, right: State) -> State:
        sizes.append(sum(len(part.sources) for part in (*left.values(), *right.values())))
        return merge(left, right)

    monkeypatch.setattr(merge_module, "merge", counted)
    parts = {"": {"a": 1}}
    whole = merge_all(fold([("", position, position, parts)]) for position in range(1_000))
    assert len(whole[""].sources) == 1_000
    assert sum(sizes) < 1_000 * 12
