"""SIGKILL at random points, over and over, until the import has ended."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from fsseg.plan.store import Store
from fsseg.sandbox import Fault
from tests.e2e.harness import Machine
from tests.faults.process import here, start, when
from tests.faults.story import Difference, before, difference, mixed

START = 0.8
"""Seconds in which a process starts and reads its files, before the first request."""

BEGINNING = 6
"""Requests that every process begins with, to read the fields."""


@dataclass
class Ends:
    """What came of killing: how often a process was killed, and what every import that was so treated ended in."""

    kills: int = 0
    differences: list[Difference] = field(default_factory=list)
    outcomes: list[dict[str, int]] = field(default_factory=list)
    written_again: int = 0
    """Write requests of a second import of the same file, which should have had nothing to do."""

    @property
    def lost(self) -> int:
        return sum(len(one.lost) for one in self.differences)

    @property
    def doubled(self) -> int:
        return sum(len(one.doubled) for one in self.differences)


def killed(machine: Machine, random: Random, at: int, *args: str) -> bool:
    """Run the command and kill it after so many requests, or a little later; whether it hadn't ended by then."""
    process = start(machine, *args, fast=True)
    if when(machine, process, at):
        time.sleep(random.uniform(0, START if at == 0 else 0.03))
    process.kill()
    process.communicate()
    return process.returncode == -9


def kill(machine: Machine, kills: int, seed: int, at_once: int = 4) -> Ends:
    """Kill imports and their resumptions until there were so many kills, and compare with an undisturbed import."""
    account, random, ends = machine.account, Random(seed), Ends()
    path = machine.write("events.jsonl", mixed())
    before(account)
    wanted = here(machine, "import", path, "--json").outcomes
    state, requests = account.state(), account.requests
    while ends.kills < kills:
        before(account, faults=[Fault("slow", seconds=0.004)])
        _forget(machine, len(ends.outcomes))
        points = sorted(random.sample(range(requests), min(at_once, kills - ends.kills)))
        for last, point in zip([0, *points], points, strict=False):
            args, at = (("resume",), BEGINNING + point - last) if _begun(machine) else (("import", path), point)
            if not killed(machine, random, at, *args):
                break
            ends.kills += 1
        ends.outcomes.append(_to_the_end(machine, path, wanted))
        ends.differences.append(difference(account.state(), state))
        account.forget()
        again = here(machine, "import", path)
        assert again.code == 0, again.err
        ends.written_again += account.writes
    return ends


def _begun(machine: Machine) -> bool:
    """Whether there is a run that knows what it is to do."""
    for plan in Path(machine.environment["FSSEG_STATE_DIR"] or "").glob("*/runs/*/plan.db"):
        with closing(Store(plan)) as store:
            if store.get("command") is not None:
                return True
    return False


def _to_the_end(machine: Machine, path: str, nothing_left: dict[str, int]) -> dict[str, int]:
    """Resume, or import anew where nothing had begun; the outcomes told."""
    done = here(machine, "resume", "--json")
    assert done.code == 0, done.err
    if "nothing to resume" in done.err:
        assert here(machine, "import", path).code == 0
        return nothing_left
    return done.outcomes


def _forget(machine: Machine, number: int) -> None:
    """A state folder of its own for the next import."""
    machine.environment["FSSEG_STATE_DIR"] = str(machine.home / f"state-{number}")
