"""A fifth of all requests goes wrong, in every way there is."""

from __future__ import annotations

import os

import pytest

from fsseg.sandbox.options import FAULTS
from tests.e2e.harness import Machine
from tests.faults.conftest import State
from tests.faults.faulty import Suffered, suffer, undisturbed
from tests.faults.ways import WAYS, elsewhere

pytestmark = pytest.mark.usefixtures("fast")

FULL = bool(os.environ.get("FSSEG_FULL_TESTS"))
OTHERS = [name for name in WAYS if name != "import"]
KINDS = [[kind] for kind in FAULTS] if FULL else [FAULTS]


def all_is_well(came_to: Suffered) -> None:
    assert came_to.code in (0, 1)
    assert not came_to.unnamed
    assert not came_to.final
    assert came_to.written_again == 0


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_of_any_kind_ends_in_the_same_state_or_is_named_and_then_retried(
    machine: Machine, ends: dict[str, State], kind: str
) -> None:
    came_to = suffer(machine, [kind], ends[machine.account.edition])
    all_is_well(came_to)
    assert came_to.outcomes == {"applied": 33}


@pytest.mark.parametrize("way", OTHERS)
@pytest.mark.parametrize("kinds", KINDS, ids=" ".join)
def test_so_it_is_with_whatever_else_writes(machine: Machine, way: str, kinds: tuple[str, ...]) -> None:
    wanted = undisturbed(elsewhere(machine, "fair"), WAYS[way])
    all_is_well(suffer(machine, kinds, wanted, way=WAYS[way]))
