"""Events that accidents have befallen: never a traceback, and each line counts."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

import pytest

from tests.faults.mutations import WAYS, mutated, outcomes, sample_events

LINES = int(os.environ.get("FSSEG_MUTATIONS", "2000"))


@pytest.mark.parametrize("number", range(len(WAYS)))
def test_every_mutated_line_ends_in_one_outcome(tmp_path: Path, number: int) -> None:
    lines = list(islice(mutated(number, sample_events()), LINES))
    found = outcomes(lines, WAYS[number], tmp_path)
    assert found["applied"] and found["rejected"] and found["skipped"]


def test_the_same_seed_gives_the_same_lines() -> None:
    events = sample_events()
    first, second = (list(islice(mutated(7, events), 200)) for _ in range(2))
    assert first == second
    assert not [line for line in first if not line.strip() or b"\n" in line or b"\r" in line]
