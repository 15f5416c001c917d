from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsseg.fold import group
from fsseg.fold.group import RefusedCall, by_key, contributions
from fsseg.fold.merge import fold
from fsseg.fold.partitions import Row
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.intents import PersonIntent
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.rules import Rules
from fsseg.mapping.warning_counter import WarningCounter

CATALOG = Catalog.standard("classic")
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    ["a", "b", "", None, 1, True, 1.0, [], {"name": "A"}, {"name": "A", "employee_count": 5}]
)
TRAITS = st.fixed_dictionaries(
    {"email": st.sampled_from(["ada@acme.example", "bad", None])},
    optional=dict.fromkeys(("title", "phone", "company", "fsContact", "favoriteColor", "lead_score", "deal"), VALUES),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), TRAITS), min_size=1, max_size=6), st.booleans())
def test_calls_that_repeat_others_are_folded_as_if_each_were_mapped(
    calls: list[tuple[int, dict[str, Any]]], strict: bool
) -> None:
    rules, warnings = Rules(offline=True, strict=strict), WarningCounter()
    each = Mapper(CATALOG, rules, warnings)
    mapped = [
        (f"2025-01-0{day + 1}", at, at * 7, each.person("#u", "u", traits)) for at, (day, traits) in enumerate(calls)
    ]
    for *_, intent in mapped:
        if isinstance(intent, PersonIntent):
            warnings.add(intent.warnings)
    expected = fold(
        (time, at, event_key, intent.parts)
        for time, at, event_key, intent in mapped
        if isinstance(intent, PersonIntent)
    )

    counted, refused = WarningCounter(), list[RefusedCall]()
    rows: list[Row] = [
        ("#u", at, f"2025-01-0{day + 1}", at * 7, "u", orjson.dumps(traits)) for at, (day, traits) in enumerate(calls)
    ]
    assert fold(contributions(rows, Mapper(CATALOG, rules, WarningCounter()), counted, refused, {})) == expected
    assert sorted(refused) == [
        (at, *intent, at * 7) for _, at, _, intent in mapped if not isinstance(intent, PersonIntent)
    ]
    assert counted.counts == warnings.counts


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from("abc"), max_size=30), st.lists(st.integers(1, 7), max_size=30), st.integers(1, 9))
def test_rows_come_in_the_same_goes_whatever_blocks_they_come_in(
    keys: list[str], cuts: list[int], at_once: int
) -> None:
    rows: list[Row] = [(key, at, "", at, None, b"") for at, key in enumerate(keys)]
    blocks, rest = [], rows
    for size in cuts:
        blocks.append(rest[:size])
        rest = rest[size:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(group, "AT_ONCE", at_once)
        goes = [dict(found) for found in map(dict, by_key([*blocks, rest]))]
        assert goes == [dict(found) for found in map(dict, by_key([rows]))]
    assert sum(len(found) for go in goes for found in go.values()) == len(rows)
    assert all(sum(map(len, go.values())) <= at_once for go in goes)
