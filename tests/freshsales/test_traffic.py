from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fsseg.freshsales.traffic import MOST_STEPS, MOST_WAITS, Traffic, Wait

BEGIN = 1_700_000_000


@given(st.lists(st.integers(0, 100_000), max_size=300), st.lists(st.integers(100_000, 200_000), max_size=300))
def test_every_request_is_counted_in_few_steps_however_long_it_took(first: list[int], second: list[int]) -> None:
    earlier, later = Traffic(), Traffic()
    for at in sorted(first):
        earlier.note_sent(BEGIN + at)
    for at in sorted(second):
        later.note_sent(BEGIN + at)
    both = later.following(earlier)
    assert sum(both.sent.values()) == len(first) + len(second)
    for traffic in (earlier, later, both):
        assert not traffic.sent or max(traffic.sent) - min(traffic.sent) < MOST_STEPS
    if first:
        assert abs(min(both.sent) * both.step_s - (BEGIN + min(first))) < both.step_s


def test_waits_that_follow_each_other_are_one_and_short_ones_are_none() -> None:
    traffic = Traffic()
    traffic.note_wait(BEGIN, 0.5, "quota")
    traffic.note_wait(BEGIN, 60, "quota")
    traffic.note_wait(BEGIN + 60, 60, "quota")
    traffic.note_wait(BEGIN + 121, 30, "rate_limited")
    assert traffic.waits == [Wait(BEGIN, BEGIN + 120, "quota"), Wait(BEGIN + 121, BEGIN + 151, "rate_limited")]


def test_no_more_waits_are_kept_than_can_be_looked_at() -> None:
    traffic = Traffic()
    for n in range(MOST_WAITS * 2):
        traffic.note_wait(BEGIN + n * 100, 2, "quota")
    assert len(traffic.waits) == len(traffic.following(traffic).waits) == MOST_WAITS
