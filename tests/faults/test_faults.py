"""A fifth of all requests goes wrong, in every way there is."""

from __future__ import annotations

import orjson
import pytest

from fsseg.sandbox import Fault
from fsseg.sandbox.options import FAULTS
from tests.e2e.harness import Machine
from tests.faults.process import Ended, run
from tests.faults.story import before, difference, mixed

ATTEMPTS = 5


def imported(machine: Machine, path: str) -> Ended:
    """Import, and resume for as long as the host makes it stop early."""
    done = run(machine, "import", path, "--json", fast=True)
    for _ in range(ATTEMPTS):
        if done.code != 5:
            break
        done = run(machine, "resume", "--json", fast=True)
    return done


def name_of(row: str) -> str:
    """What a row of an account's state can be told by in an event: the messageId of an entry, an e-mail, a name."""
    plain = orjson.loads(row)
    return str((plain.get("notes") or "").rpartition("messageId: ")[2] or plain.get("email") or plain.get("name"))


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_of_any_kind_ends_in_the_same_state_or_is_named_and_then_retried(machine: Machine, kind: str) -> None:
    account, path = machine.account, machine.write("events.jsonl", mixed())
    before(account)
    assert run(machine, "import", path, fast=True).code == 0
    state = account.state()

    before(account)
    machine.environment["FSSEG_STATE_DIR"] = str(machine.home / "again")
    account.faults(Fault(kind, 0.2, seconds=1.0 if kind == "429" else 0.01))
    done = imported(machine, path)
    hits = sum(account.sandbox.stats()["faults"].values())
    assert hits or kind in ("bulk_405", "job_failure")
    account.faults()
    found = difference(account.state(), state)
    assert not found.doubled or found.lost, found
    if done.code == 0:
        assert not found
    else:
        assert done.code == 1, done.err
        unnamed = [row for row in found.lost if name_of(row) not in done.failures]
        assert not unnamed
        retried = run(machine, "retry", "--json", fast=True)
        assert (retried.code, retried.outcomes) == (0, {"applied": 33}), retried.err
        assert not difference(account.state(), state)

    account.forget()
    assert run(machine, "import", path, fast=True).code == 0
    assert account.writes == 0
