"""A fifth of all requests goes wrong, in every way there is."""

from __future__ import annotations

import pytest

from fsseg.sandbox.options import FAULTS
from tests.e2e.harness import Machine
from tests.faults.conftest import State
from tests.faults.faulty import suffer


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_of_any_kind_ends_in_the_same_state_or_is_named_and_then_retried(
    machine: Machine, ends: dict[str, State], kind: str
) -> None:
    came_to = suffer(machine, kind, ends[machine.account.edition])
    assert came_to.code in (0, 1)
    assert not came_to.unnamed
    assert not came_to.final
    assert came_to.outcomes == {"applied": 33}
    assert came_to.written_again == 0
