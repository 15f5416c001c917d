from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsseg.state import delivered_keys
from fsseg.state.ledger import Ledger

KEYS = st.lists(
    st.integers(0, 2**64 - 1)
    | st.builds(lambda block, rest: block << 48 | rest, st.sampled_from([0, 1, 0xFFFF]), st.integers(0, 20)),
    max_size=100,
)


def remember(ledger: Ledger, keys: Iterable[int]) -> None:
    with ledger.changing() as change:
        change.events(keys)


@given(KEYS, KEYS, KEYS, KEYS)
@settings(max_examples=50, deadline=None)
def test_keys_are_found_as_a_set_would_find_them(
    first: list[int], second: list[int], dropped: list[int], asked: list[int]
) -> None:
    with TemporaryDirectory() as folder, closing(Ledger(Path(folder) / "ledger.db")) as ledger:
        remember(ledger, iter(first))
        remember(ledger, iter(second))
        with ledger.changing() as change:
            change.forget_events(iter(dropped))
        known = {*first, *second} - {*dropped}
        assert ledger.delivered().among([*asked, *first]) == [key for key in [*asked, *first] if key in known]


def test_no_more_is_held_than_memory_has_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivered_keys, "MOST", 10)
    keys = [number * 0x9E3779B97F4A7C15 % 2**64 for number in range(1, 100)]
    with closing(Ledger(tmp_path / "ledger.db")) as ledger:
        remember(ledger, keys)
        known = ledger.delivered()
        assert known.among(keys) == known.among(keys) == keys


def test_a_few_keys_are_looked_up_without_reading_all(tmp_path: Path) -> None:
    keys = [number * 0x9E3779B97F4A7C15 % 2**64 for number in range(1, 2_000)]
    with closing(Ledger(tmp_path / "ledger.db")) as ledger:
        remember(ledger, keys)
        asked: list[str] = []
        known = ledger.delivered()
        ledger.db.set_trace_callback(asked.append)
        assert known.among(keys[:3]) == keys[:3]
        assert known.among(keys[:3]) == keys[:3]
        assert len(asked) == 4  # whether there is anything at all, and a block each
