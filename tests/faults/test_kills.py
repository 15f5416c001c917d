"""The process ends without a word, anywhere."""

from __future__ import annotations

import os

import pytest

from tests.e2e.harness import Machine
from tests.faults.kills import kill

KILLS = int(os.environ.get("FSSEG_KILLS", "12"))
"""For each edition."""


@pytest.mark.usefixtures("fast")
def test_killed_anywhere_and_resumed_an_import_ends_as_if_undisturbed(machine: Machine) -> None:
    ends = kill(machine, KILLS, seed=1)
    assert not any(ends.differences), ends.differences
    assert ends.outcomes == [{"applied": 33}] * len(ends.outcomes)
    assert ends.written_again == 0
    assert ends.kills >= KILLS
