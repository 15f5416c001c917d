"""What holds of every import, over generated events and accounts, on both editions."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.e2e.harness import Account, Machine, Result, Row
from tests.laws import worlds

few = settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    max_examples=int(os.environ.get("FSSEG_EXAMPLES", "5")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

EDITIONS = ["classic", "suite"]


def told(result: Result) -> list[str]:
    """The changes, without the ids that only an import learns, and the names of the files, each of its own."""
    return sorted(
        re.sub(r"events-\d+", "events", orjson.dumps({**row, "id": None}, option=orjson.OPT_SORT_KEYS).decode())
        for row in result.changes
    )


def with_machine(account: Account, records: dict[str, list[Row]], act: Callable[[Machine], Any]) -> Any:
    """What `act` gives on a new machine with an account that holds just these records."""
    account.empty()
    account.seed(**records)
    with TemporaryDirectory() as home:
        return act(Machine(account, Path(home)))


@pytest.mark.parametrize("edition", EDITIONS)
@few
@given(data=st.data())
def test_an_import_does_what_was_planned_and_leaves_nothing_to_do(
    accounts: dict[str, Account], edition: str, data: st.DataObject
) -> None:
    records, events = data.draw(worlds.accounts(edition)), data.draw(worlds.histories())

    def act(machine: Machine) -> None:
        dry = machine.dry_runs("--allow-mass-changes", events=events)
        wet = machine.imports("--allow-mass-changes", events=events)
        assert told(dry) == told(wet)
        assert dry.outcomes == wet.outcomes
        state = machine.account.state()
        if not wet.outcomes.keys() & {"rejected", "failed"}:
            offline = machine.run("dry-run", "--offline", "--again", events=events)
            actions = [row["action"] for row in offline.changes if row["entity"] != "timeline"]
            assert set(actions) <= {"unchanged", "skipped"}, "not known to be delivered"
        left = machine.imports("--again", events=events)
        assert set(left.outcomes) <= {"unchanged", "skipped", "rejected", "failed"}
        assert left.summary["requests"]["write"] == 0
        assert not [row for row in left.changes if row["action"] in ("create", "update")]
        assert machine.imports(events=events).summary["requests"]["write"] == 0
        assert machine.account.state() == state

    with_machine(accounts[edition], records, act)


@pytest.mark.parametrize("edition", EDITIONS)
@few
@given(data=st.data(), seed=st.integers(0, 1000))
def test_the_order_of_the_lines_does_not_matter(
    accounts: dict[str, Account], edition: str, data: st.DataObject, seed: int
) -> None:
    records, events = data.draw(worlds.accounts(edition)), data.draw(worlds.histories())
    shuffled = random.Random(seed).sample(events, len(events))

    def state(lines: list[Row]) -> Any:
        def act(machine: Machine) -> Any:
            result = machine.imports(events=lines)
            return machine.account.state(), result.outcomes, result.reasons

        return with_machine(accounts[edition], records, act)

    assert state(events) == state(shuffled)
