"""A run of each kind that something goes on from: a dry run, one that was stopped, and one that failed in part."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.between.refusing import coded, refusing
from tests.between.runs import Events, done, newest, planned
from tests.e2e.events import identify, track
from tests.e2e.harness import Account, Machine

KNOWN, NEW, SAM = "known@x.example", "new@x.example", "sam@x.example"
DEAL = {"name": "Big", "amount": 7, "expected_close": "2025-01-01"}

Commands = list[list[str]]
Copied = Callable[[Machine], Commands]
"""Gives a machine a copy of the runs, which may be spoilt, and tells the commands that go on from them."""


class Left(NamedTuple):
    home: Path
    commands: Commands


def events() -> Events:
    """Somebody who is known, somebody new with all that belongs to them, and somebody by a database id."""
    return [
        identify(KNOWN, title="CEO", lastName="K"),
        identify(NEW, title="CEO", lastName="N", fsContact=True, company={"name": "Acme"}, deal=DEAL),
        identify("7", email=SAM, title="CEO", lastName="S"),
        track(KNOWN, "Did"),
        *(track(NEW, "Did") for _ in range(3)),
    ]


def before(account: Account) -> None:
    """The account as it is before the runs."""
    refusing(account, "A")
    account.make("contacts", emails=KNOWN, last_name="K", job_title="CTO")


def leave(machine: Machine) -> Left:
    """Make the runs; the one that was stopped has two entries to go, as nothing was known of the one before it."""
    before(machine.account)
    dry = planned(machine, events(), "e.jsonl")
    machine.account.forget()
    failing = _imported(machine, code=1)
    budget = machine.account.requests - 2
    before(machine.account)
    for path in machine.state.glob("*/ledger.db*"):
        path.unlink()
    half = _imported(machine, "--max-requests", str(budget), code=5)
    undo = ["undo", failing, "--yes"]
    return Left(machine.home, [["apply", dry], ["resume", half], ["retry", failing], undo])


def _imported(machine: Machine, *args: str, code: int) -> str:
    done(machine, "import", machine.write("e.jsonl", [*events(), *coded("refused", "A")]), *args, code=code)
    return newest(machine)


def copied(left: Left, machine: Machine) -> Commands:
    shutil.copytree(left.home, machine.home, dirs_exist_ok=True)
    return left.commands
