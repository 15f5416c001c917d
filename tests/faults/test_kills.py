"""The process ends without a word, anywhere: while it reads, plans, pushes, takes back or accounts for it."""

from __future__ import annotations

import os

import pytest

from tests.e2e.harness import Machine
from tests.faults.kills import kill
from tests.faults.ways import WAYS

FULL = bool(os.environ.get("FSSEG_FULL_TESTS"))
KILLS = {"import": 8, "apply": 4, "undo": 4} if not FULL else dict.fromkeys(WAYS, 40)
"""For each edition."""


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("way", KILLS)
def test_killed_anywhere_and_resumed_it_ends_as_if_undisturbed(machine: Machine, way: str) -> None:
    ends = kill(machine, KILLS[way], 1, WAYS[way])
    assert not any(ends.differences), ends.differences
    assert ends.outcomes == [ends.wanted] * len(ends.outcomes)
    assert ends.written_again == 0
    assert ends.kills >= KILLS[way]
