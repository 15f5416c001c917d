"""The ways that are disturbed: imports, the apply of a reviewed plan, and the undo of all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from fsseg.state.run_folder import OPEN, Run
from tests.e2e.harness import Machine
from tests.faults.process import Ended, here
from tests.faults.story import before, mixed

NOTES = '[timeline]\nvia = "note"\n'
CONVERTING = f"convert_leads = true\n{NOTES}"

CROWD = 1_800
"""Contacts that would take more requests to be read than the people of the import take to be looked up."""


class Commands(NamedTuple):
    """What is to be disturbed, and what has nothing left to do once that is done."""

    disturbed: list[str]
    again: list[str]


Way = Callable[[Machine], Commands]
"""Leaves account and state folder as the command is to find them."""


def imported(machine: Machine) -> Commands:
    before(machine.account)
    args = ["import", machine.write("events.jsonl", mixed())]
    return Commands(args, args)


def with_notes(machine: Machine, config: str = CONVERTING) -> Commands:
    """A lead becomes a contact, and the timeline is of notes."""
    before(machine.account)
    wish = {"messageId": "c", "timestamp": "2024-03-02T00:00:00.000Z", "traits": {"fsContact": True}}
    events = [*mixed(), {"type": "identify", "userId": "known-lead@x.example", **wish}]
    args = ["import", machine.write("notes.jsonl", events), "--config", machine.write("notes.toml", config)]
    return Commands(args, args)


def one_by_one(machine: Machine) -> Commands:
    """Among so many that people are searched for by the hundred; what is written goes alone, as bulk is refused."""
    before(machine.account, bulk=False)
    machine.account.seed(contacts=[{"email": f"crowd{n}@x.example", "last_name": "Crowd"} for n in range(CROWD)])
    machine.account.seed(sales_accounts=[{"name": "Acme 1", "city": "Gouda"}])
    args = ["import", machine.write("events.jsonl", mixed())]
    return Commands(args, args)


def applied(machine: Machine) -> Commands:
    args = imported(machine).again
    _done(machine, "dry-run", *args[1:])
    return Commands(["apply"], args)


def undone(machine: Machine) -> Commands:
    return _undo(machine, imported(machine))


def undone_notes(machine: Machine) -> Commands:
    """A lead that became a contact would stay one."""
    return _undo(machine, with_notes(machine, NOTES))


def _undo(machine: Machine, commands: Commands) -> Commands:
    run = _done(machine, *commands.disturbed, "--json").summary["run_id"]
    args = ["undo", run, "--yes"]
    return Commands([*args, "--delete-created"], args)


def _done(machine: Machine, *args: str) -> Ended:
    done = here(machine, *args)
    assert done.code == 0, done.err
    return done


WAYS: dict[str, Way] = {
    "import": imported,
    "import of notes": with_notes,
    "import one by one": one_by_one,
    "apply": applied,
    "undo": undone,
    "undo of notes": undone_notes,
}


def elsewhere(machine: Machine, name: str) -> Machine:
    """A machine that knows nothing of what the others did to the account."""
    home = machine.home / name
    home.mkdir()
    return Machine(machine.account, home)


def stands(machine: Machine, command: str) -> Literal["new", "open", "done"]:
    """How far the state folder says that the command has come."""
    for path in machine.state.glob("*/runs/*/run.json"):
        info = Run(path.parent).info
        if info.command == command:
            return "open" if info.state in OPEN else "done"
    return "new"


def go_on(machine: Machine, commands: Commands) -> list[str]:
    """What somebody types who finds it ended before its end."""
    return commands.disturbed if stands(machine, commands.disturbed[0]) == "new" else ["resume"]
