"""A command while a share of all requests goes wrong, until nothing is left to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from unittest.mock import patch

import orjson

from fsseg.freshsales import http
from fsseg.sandbox import Fault
from tests.e2e.harness import Machine
from tests.faults.process import Ended, here
from tests.faults.story import Difference, difference
from tests.faults.ways import Way, go_on, imported

ATTEMPTS = 20
RATE = 0.2
PATIENCE = 0.1
"""Seconds after which an answer is given up here, so that a stall is one without a test that takes minutes."""

SECONDS = {"slow": 1.2 * PATIENCE, "429": 1.0}


@dataclass
class Suffered:
    """What came of it. `unnamed` is what was missing before the retry without standing in failures.jsonl."""

    hits: int
    code: int
    unnamed: list[str]
    final: Difference
    outcomes: dict[str, int]
    written_again: int


def undisturbed(machine: Machine, way: Way) -> dict[str, list[str]]:
    """The state of the account that the command ends in without a fault."""
    done = here(machine, *way(machine).disturbed)
    assert done.code == 0, done.err
    return machine.account.state()


def suffer(
    machine: Machine, kinds: Sequence[str], wanted: dict[str, list[str]], seed: int = 0, way: Way = imported
) -> Suffered:
    """The command while a fifth of all requests, to every endpoint, goes wrong in one of these ways.

    It is resumed while it stops early, and then what failed is retried without faults.
    """
    account, commands = machine.account, way(machine)
    account.forget()
    faults = (Fault(kind, RATE / len(kinds), seconds=SECONDS.get(kind, 0.0)) for kind in kinds)
    account.sandbox.faults(*faults, seed=seed)
    with _impatient():
        done = here(machine, *commands.disturbed, "--json")
        for _ in range(ATTEMPTS):
            if done.code == 5:
                done = here(machine, *go_on(machine, commands), "--json")
    hits = sum(account.sandbox.stats()["faults"].values())
    account.faults()
    code, lost = done.code, difference(account.state(), wanted).lost
    unnamed = [row for row in lost if code != 1 or _name_of(row) not in _report(done)]
    if code == 1:
        done = here(machine, "retry", "--json")
    final = difference(account.state(), wanted)
    account.forget()
    again = here(machine, *commands.again)
    assert again.code == 0, again.err
    return Suffered(hits, code, unnamed, final, done.outcomes if done.out else {}, account.writes)


@contextmanager
def _impatient() -> Iterator[None]:
    with patch.object(http, "Timeouts", partial(http.Timeouts, read=PATIENCE)):
        yield


def _report(done: Ended) -> str:
    """Failed events, or what an undo, which has none, says of its records."""
    return done.failures or done.changes


def _name_of(row: str) -> str:
    """What a row of an account's state can be told by in an event: the messageId of an entry, an e-mail, a name."""
    plain = orjson.loads(row)
    text = plain.get("notes") or plain.get("description") or ""
    return str(text.rpartition("messageId: ")[2] or plain.get("email") or plain.get("name"))
