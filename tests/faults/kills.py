"""SIGKILL at random points, over and over, until the command has come to its end."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from random import Random

from fsseg.sandbox import Fault
from tests.e2e.harness import Machine
from tests.faults.process import here, run, start, when
from tests.faults.story import Difference, difference
from tests.faults.ways import Commands, Way, elsewhere, go_on, imported, stands

BEGINNING = 6
"""Requests that every process begins with, to read the fields."""

OPENING = 40
"""Steps that every process begins with, to open the state folder."""


@dataclass
class Ends:
    """What came of killing: how often a process was killed, and what every command that was so treated ended in."""

    kills: int = 0
    differences: list[Difference] = field(default_factory=list)
    outcomes: list[dict[str, int]] = field(default_factory=list)
    wanted: dict[str, int] = field(default_factory=dict)
    """The outcomes of an undisturbed run."""
    written_again: int = 0
    """Write requests of a command that should have had nothing left to do."""


@dataclass(frozen=True)
class Whole:
    """How many requests and steps the undisturbed command takes."""

    requests: int
    steps: int


def killed(machine: Machine, random: Random, whole: Whole, share: float, *args: str) -> bool:
    """Run the command and kill it once it has done so much of the whole; whether it hadn't ended by then.

    Either after so many requests, or a little later, or before so many steps.
    """
    if random.random() < 0.5:
        machine.environment["DIE_AT"] = str(OPENING + round(share * whole.steps))
        process = start(machine, *args, fast=True)
        del machine.environment["DIE_AT"]
    else:
        process = start(machine, *args, fast=True)
        if when(machine, process, BEGINNING + round(share * whole.requests)):
            time.sleep(random.uniform(0, 0.03))
        process.kill()
    process.communicate()
    return process.returncode == -9


def kill(machine: Machine, kills: int, seed: int, way: Way = imported, at_once: int = 4) -> Ends:
    """Kill a command and its resumptions until there were so many kills, and compare with an undisturbed run of it."""
    account, random, ends = machine.account, Random(seed), Ends()
    whole = _undisturbed(elsewhere(machine, "undisturbed"), way, ends)
    state, number = account.state(), 0
    while ends.kills < kills:
        number += 1
        other = elsewhere(machine, str(number))
        commands = way(other)
        account.faults(Fault("slow", seconds=0.004))
        shares = sorted(random.random() for _ in range(min(at_once, kills - ends.kills)))
        for last, share in zip([0.0, *shares], shares, strict=False):
            if not killed(other, random, whole, share - last, *go_on(other, commands)):
                break
            ends.kills += 1
            if stands(other, commands.disturbed[0]) == "done":
                break
        account.faults()
        _to_the_end(other, commands, ends)
        ends.differences.append(difference(account.state(), state))
        account.forget()
        again = here(other, *commands.again)
        assert again.code == 0, again.err
        ends.written_again += account.writes
    return ends


def _undisturbed(machine: Machine, way: Way, ends: Ends) -> Whole:
    commands, steps = way(machine), machine.home / "steps"
    machine.account.forget()
    machine.environment["STEPS_TO"] = str(steps)
    done = run(machine, *commands.disturbed, "--json", fast=True)
    assert done.code == 0, done.err
    ends.wanted = done.outcomes
    return Whole(machine.account.requests - BEGINNING, int(steps.read_text()) - OPENING)


def _to_the_end(machine: Machine, commands: Commands, ends: Ends) -> None:
    """Whatever is left, and the outcomes told."""
    if stands(machine, commands.disturbed[0]) != "done":
        done = here(machine, *go_on(machine, commands), "--json")
        assert done.code == 0, done.err
        ends.outcomes.append(done.outcomes)
