from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fsseg.fold.dedupe import DedupeIndex

KEYS = st.lists(st.integers(min_value=1, max_value=2**64 - 1) | st.integers(min_value=1, max_value=40), max_size=200)


@given(KEYS, st.integers(min_value=0, max_value=200), st.sampled_from([0, 30, 1_000]))
@settings(max_examples=100)
def test_a_key_is_repeated_where_a_set_would_know_it(keys: list[int], cut: int, few: int) -> None:
    seen, known, expected = DedupeIndex(few=few, bits=2), set[int](), []
    for index, key in enumerate(keys):
        if key in known:
            expected.append(index)
        known.add(key)
    first = seen.duplicates(keys[:cut])
    assert first + [cut + index for index in seen.duplicates(keys[cut:])] == expected
    assert len(seen) == len(known)


def test_keys_that_meet_in_one_slot_stay_apart() -> None:
    seen = DedupeIndex(few=0, bits=4)
    keys = [1 + (number << 32) for number in range(9)]
    assert seen.duplicates(keys) == []
    assert seen.duplicates(keys) == list(range(9))


def test_it_grows_without_forgetting() -> None:
    seen = DedupeIndex(few=100, bits=2)
    keys = [number * 0x9E3779B97F4A7C15 % 2**64 for number in range(1, 3_000)]
    assert seen.duplicates(keys) == []
    assert len(seen) == len(keys)
    assert seen.duplicates(keys) == list(range(len(keys)))


def test_a_key_of_zero_is_remembered_too() -> None:
    for few in (0, 10):
        assert DedupeIndex(few=few).duplicates([0, 5, 0]) == [2]


def test_what_was_seen_before_it_began_is_repeated_too() -> None:
    earlier = {3, 5}
    seen = DedupeIndex(lambda keys: [key for key in keys if key in earlier])
    assert seen.duplicates([1, 3, 1]) == [1, 2]
    assert seen.duplicates([5, 1, 2]) == [0, 1]
