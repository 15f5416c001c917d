"""Whatever commands come between, over files that overlap, the end is that of one import of all of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.harness import Account, Machine
from tests.faults.process import here
from tests.faults.sequences import accounts, play
from tests.faults.story import before, difference, mixed

SEEDS = int(os.environ.get("FSSEG_SEQUENCES", "2"))


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("edition", ["classic", "suite"])
def test_any_sequence_of_commands_ends_as_one_import_of_all_files(tmp_path: Path, edition: str, seed: int) -> None:
    assert not play(tmp_path / "world", edition, seed)


@pytest.mark.parametrize("edition", ["classic", "suite"])
def test_a_run_stopped_at_any_request_and_resumed_after_another_import_doubles_nothing(
    tmp_path: Path, edition: str
) -> None:
    people = ("db-0", "contact0@x.example")
    events = [event for event in mixed() if event["userId"] in people]
    with accounts(tmp_path, edition, "one") as (account,):
        wanted = _ended(account, tmp_path / "whole", events)
        for budget in range(1, 60):
            before(account)
            machine = _machine(account, tmp_path / str(budget))
            path = machine.write("events.jsonl", events)
            stopped = here(machine, "import", path, "--max-requests", str(budget))
            assert here(machine, "import", path).code == 0
            assert not difference(account.state(), wanted), budget
            account.forget()
            assert here(machine, "resume").code == 0
            assert account.writes == 0
            assert not difference(account.state(), wanted), budget
            if stopped.code == 0:
                return
    pytest.fail("it never came to its end")


def _machine(account: Account, home: Path) -> Machine:
    home.mkdir()
    return Machine(account, home)


def _ended(account: Account, home: Path, events: list[dict[str, object]]) -> dict[str, list[str]]:
    machine = _machine(account, home)
    assert here(machine, "import", machine.write("events.jsonl", events)).code == 0
    return account.state()
