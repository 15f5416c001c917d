"""A fifth of all requests goes wrong, in every way there is."""

from __future__ import annotations

import orjson
import pytest

from fsseg.sandbox import Fault
from fsseg.sandbox.options import FAULTS
from tests.e2e.harness import Machine
from tests.faults.conftest import State
from tests.faults.process import Ended, here
from tests.faults.story import before, difference, mixed

ATTEMPTS = 5

pytestmark = pytest.mark.usefixtures("fast")


def imported(machine: Machine, path: str) -> Ended:
    """Import, and resume for as long as the host makes it stop early."""
    done = here(machine, "import", path, "--json")
    for _ in range(ATTEMPTS):
        if done.code != 5:
            break
        done = here(machine, "resume", "--json")
    return done


def name_of(row: str) -> str:
    """What a row of an account's state can be told by in an event: the messageId of an entry, an e-mail, a name."""
    plain = orjson.loads(row)
    return str((plain.get("notes") or "").rpartition("messageId: ")[2] or plain.get("email") or plain.get("name"))


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_of_any_kind_ends_in_the_same_state_or_is_named_and_then_retried(
    machine: Machine, ends: dict[str, State], kind: str
) -> None:
    account, path = machine.account, machine.write("events.jsonl", mixed())
    before(account)
    account.faults(Fault(kind, 0.2, seconds=1.0 if kind == "429" else 0.01))
    done = imported(machine, path)
    account.faults()
    found = difference(account.state(), ends[account.edition])
    assert not found.doubled or found.lost, found
    if done.code == 0:
        assert not found
    else:
        assert done.code == 1, done.err
        unnamed = [row for row in found.lost if name_of(row) not in done.failures]
        assert not unnamed
        retried = here(machine, "retry", "--json")
        assert (retried.code, retried.outcomes) == (0, {"applied": 33}), retried.err
        assert not difference(account.state(), ends[account.edition])

    account.forget()
    assert here(machine, "import", path).code == 0
    assert account.writes == 0
