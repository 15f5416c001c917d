"""Any commands, in any order, over files that overlap, with kills, faults and two processes at once, in two accounts."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from fsseg.freshsales import pacer
from fsseg.sandbox import Fault, running
from fsseg.sandbox.options import FAULTS
from tests.e2e.harness import Account, Machine
from tests.faults.clock import FastClock
from tests.faults.process import finish, here, start, when
from tests.faults.story import Difference, before, difference, mixed

STEPS = 8
PATIENCE = 30
"""Resumptions, and retries, after which nothing may be left."""

ENDINGS = (0, 1, 2, 5, 7)
PATHS = ["", "lookup", "leads", "contacts", "deals", "sales_a", "bulk", "fields"]

Event = dict[str, Any]


def files() -> dict[str, list[Event]]:
    """Four files: each event of the mixed import in one or more of them, and older and newer words on some people."""
    events = mixed()
    others = [
        _title(f"t-{number}", user, month, f"Title of {month}", **traits)
        for number, (user, month, traits) in enumerate(
            (user, month, traits)
            for user, traits in (
                ("lead0@x.example", {}),
                ("db-0", {"email": "db0@x.example"}),
                ("contact1@x.example", {"fsContact": True}),
                ("known-contact@x.example", {"phone": "+31 20 0000"}),
            )
            for month in ("01", "02", "05", "06")
        )
    ]
    late = [event for event in others if event["timestamp"] > "2024-03"]
    early = [event for event in others if event["timestamp"] < "2024-03"]
    return {
        "all.jsonl": [*events, *others],
        "first.jsonl": [*events[:20], *late[::2]],
        "second.jsonl": [*events[8:], *early],
        "third.jsonl": [*events[14:18], *events[::3], *late, *early[::2]],
    }


def _title(id: str, user: str, month: str, title: str, /, **traits: Any) -> Event:
    when = f"2024-{month}-10T00:00:00.000Z"
    return {
        "type": "identify",
        "userId": user,
        "messageId": id,
        "timestamp": when,
        "traits": {"title": title, **traits},
    }


@dataclass
class World:
    """One state folder that knows two accounts of an edition, and what was done to them."""

    random: Random
    machines: list[Machine]
    done: list[str] = field(default_factory=list)

    def step(self) -> None:
        """One command, disturbed or not."""
        machine = self.random.choice(self.machines)
        args = self._command(machine)
        match self.random.choice(["plainly", "budget", "faults", "faults", "killed", "killed", "beside", "frozen"]):
            case "plainly":
                self._run(machine, args)
            case "budget":
                self._run(machine, [*args, "--max-requests", str(self.random.randint(1, 50))])
            case "faults":
                self._run(machine, args, faults=True)
            case "killed":
                self._kill(machine, args)
            case how:
                self._two(machine, args, self._command(machine), frozen=how == "frozen")

    def _command(self, machine: Machine) -> list[str]:
        kind = self.random.choice(["import"] * 4 + ["dry-run", "dry-run", "apply", "resume", "resume", "retry", "undo"])
        path = str(machine.home / self.random.choice(list(files())))
        runs = sorted(path.parent.name for path in machine.state.glob("*/runs/*/run.json"))
        named = [self.random.choice(runs)] if runs and self.random.random() < 0.5 else []
        match kind:
            case "import" | "dry-run":
                return [kind, path]
            case "undo":
                return [kind, *named, "--yes", *self.random.choice([[], ["--delete-created"]])]
        return [kind, *named]

    def _run(self, machine: Machine, args: list[str], *, faults: bool = False) -> None:
        if faults:
            machine.account.faults(*self._faults())
        done = here(machine, *args)
        self.done.append(f"{' '.join(args)} → {done.code} {done.err[-200:]}")
        machine.account.faults()
        assert done.code in ENDINGS, self.done

    def _faults(self) -> Iterator[Fault]:
        for kind in self.random.sample(FAULTS, 2):
            rate = self.random.choice([0.1, 0.3, 1.0])
            yield Fault(kind, rate=rate, path=self.random.choice(PATHS), seconds=0.01, limit=self.random.randint(1, 12))

    def _kill(self, machine: Machine, args: list[str]) -> None:
        machine.environment["DIE_AT"] = str(self.random.randint(1, 600))
        process = start(machine, *args, fast=True)
        del machine.environment["DIE_AT"]
        if self.random.random() < 0.3 and when(machine, process, self.random.randint(1, 60)):
            process.kill()
        _, err = process.communicate(timeout=120)
        self.done.append(f"{' '.join(args)} killed → {process.returncode}")
        assert process.returncode in (*ENDINGS, -9), (self.done, err.decode())

    def _two(self, machine: Machine, first: list[str], second: list[str], *, frozen: bool) -> None:
        process = start(machine, *first, fast=True)
        under_way = when(machine, process, self.random.randint(0, 30))
        if frozen and under_way:
            process.send_signal(signal.SIGSTOP)
        self._run(machine, second)
        process.send_signal(signal.SIGCONT)
        code = finish(process).code
        self.done.append(f"{' '.join(first)} beside the one before → {code}")
        assert code in ENDINGS, self.done

    def bring_to_the_end(self, machine: Machine) -> None:
        """Whatever is left of any run, and then every file once more."""
        for command in ("resume", "retry"):
            for _ in range(PATIENCE):
                done = here(machine, command)
                self.done.append(f"{command} → {done.code} {done.err[-200:]}")
                if f"nothing to {command}" in done.err:
                    break
            else:
                raise AssertionError(self.done)
        done = here(machine, "import", *(str(machine.home / name) for name in files()), "--json")
        self.done.append(f"import of all → {done.code} {done.err[-300:]}")
        assert done.code == 0, self.done


@contextmanager
def accounts(folder: Path, edition: str, *names: str) -> Iterator[list[Account]]:
    """Running accounts with the same records in them."""
    with ExitStack() as stack, patch.object(pacer, "SystemClock", FastClock):
        found = []
        for name in names:
            sandbox = stack.enter_context(running(folder / f"{name}.db", edition=edition))
            found.append(stack.enter_context(closing(Account(edition, sandbox, folder / f"{name}.db"))))
            before(found[-1])
        yield found


def ended(account: Account, home: Path) -> dict[str, list[str]]:
    """The state in which one import of all files leaves the account."""
    home.mkdir()
    machine = Machine(account, home)
    done = here(machine, "import", *(machine.write(name, events) for name, events in files().items()))
    assert done.code == 0, done.err
    return account.state()


def play(folder: Path, edition: str, seed: int, steps: int = STEPS) -> Difference:
    """A random sequence, brought to its end: how both accounts differ from what one import of all makes of them."""
    folder.mkdir()
    with accounts(folder, edition, "one", "two", "whole") as (one, two, whole):
        machines = [Machine(account, folder) for account in (one, two)]
        for name, events in files().items():
            machines[0].write(name, events)
        world = World(Random(seed), machines)
        for _ in range(steps):
            world.step()
        wanted = ended(whole, folder / "whole")
        found = Difference([], [])
        for machine in machines:
            world.bring_to_the_end(machine)
            differs = difference(machine.account.state(), wanted)
            machine.account.forget()
            here(machine, "import", str(folder / "all.jsonl"))
            again = [f"{machine.account.writes} writes of a second import"] if machine.account.writes else []
            found = Difference(found.lost + differs.lost, found.doubled + differs.doubled + again)
        if found:
            print("\n".join(world.done))
        return found
