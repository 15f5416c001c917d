"""An import while a share of all requests goes wrong, until nothing is left to do."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from fsseg.sandbox import Fault
from tests.e2e.harness import Machine
from tests.faults.process import Ended, here
from tests.faults.story import Difference, before, difference, mixed

ATTEMPTS = 5
RATE = 0.2


@dataclass
class Suffered:
    """What came of it. `unnamed` is what was missing before the retry without standing in failures.jsonl."""

    hits: int
    code: int
    unnamed: list[str]
    final: Difference
    outcomes: dict[str, int]
    written_again: int


def suffer(machine: Machine, kind: str, wanted: dict[str, list[str]], seed: int = 0) -> Suffered:
    """Import with faults of one kind on every endpoint, resume while it stops early, then retry without faults."""
    account, path = machine.account, machine.write("events.jsonl", mixed())
    before(account)
    account.forget()
    account.sandbox.faults(Fault(kind, RATE, seconds=1.0 if kind == "429" else 0.01), seed=seed)
    done = here(machine, "import", path, "--json")
    for _ in range(ATTEMPTS):
        if done.code == 5:
            done = here(machine, "resume", "--json")
    hits = sum(account.sandbox.stats()["faults"].values())
    account.faults()
    code, lost = done.code, difference(account.state(), wanted).lost
    unnamed = [row for row in lost if code != 1 or _name_of(row) not in done.failures]
    if code == 1:
        done = here(machine, "retry", "--json")
    final = difference(account.state(), wanted)
    return Suffered(hits, code, unnamed, final, _outcomes(done), _again(machine, path))


def _name_of(row: str) -> str:
    """What a row of an account's state can be told by in an event: the messageId of an entry, an e-mail, a name."""
    plain = orjson.loads(row)
    return str((plain.get("notes") or "").rpartition("messageId: ")[2] or plain.get("email") or plain.get("name"))


def _outcomes(done: Ended) -> dict[str, int]:
    return done.outcomes if done.out else {}


def _again(machine: Machine, path: str) -> int:
    """Write requests of a second import, which has nothing to do."""
    machine.account.forget()
    assert here(machine, "import", path).code == 0
    return machine.account.writes
