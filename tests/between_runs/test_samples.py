"""The samples twice, in both orders, with a stop, a resumption and an undo in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from tests.between_runs.runs import advised, run_of, runs, states
from tests.between_runs.terminal import answered
from tests.e2e.harness import Account, Machine, Result
from tests.faults.story import difference

SAMPLES = Path(__file__).parents[2] / "samples"
CONFIG = ("--config", str(SAMPLES / "fsseg.toml"))
FILES = [
    str(SAMPLES / name)
    for name in ("signups.jsonl", "messy.jsonl", "audience.jsonl", "saas-events.jsonl.gz", "shop.json")
]

LATER_CONTACTS = ("imogen.achebe@", "priya.nair@", "Tidewater", "Northgate")
"""People, and what is theirs, who only an older file asks for as contacts: whoever has become a lead stays one."""

State = dict[str, list[str]]


@pytest.fixture(scope="session")
def whole(hosts: dict[str, Account], tmp_path_factory: pytest.TempPathFactory) -> dict[str, State]:
    """What one import of all of them ends in, by edition."""
    found = {}
    for edition, account in hosts.items():
        account.empty()
        done = Machine(account, tmp_path_factory.mktemp(edition)).imports(*CONFIG, *FILES)
        assert (done.code, done.outcomes["rejected"]) == (1, 17)
        found[edition] = account.state()
    return found


def without_those(state: State) -> State:
    return {
        kind: [row for row in rows if not any(name in row for name in LATER_CONTACTS)] for kind, rows in state.items()
    }


def ended(done: Result) -> Result:
    """The samples have events that are rejected, and none that fails."""
    assert done.code in (0, 1), done.out + done.err
    assert "failed" not in done.outcomes
    return done


def to_the_end(machine: Machine, done: Result, *args: str) -> Iterator[Result]:
    """Type what it says for as long as it has stopped."""
    while done.code == 5:
        (command,) = {tuple(one) for one in advised(done.err, "go on with:")}
        done = machine.run(*command, *args)
        yield done


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("files", [FILES, FILES[::-1]], ids=["in order", "in reverse"])
def test_in_both_orders_with_stops_and_undos_they_end_as_one_import(
    machine: Machine, whole: dict[str, State], files: Sequence[str]
) -> None:
    wanted = without_those(whole[machine.account.edition])
    for path in files:
        (*_, last) = to_the_end(machine, machine.imports(*CONFIG, path, "--max-requests", "12"), "--max-requests", "90")
        assert last.code in (0, 1), last.err
    state = machine.account.state()
    assert not difference(without_those(state), wanted)
    assert len(state["sales_activities"]) == len(whole[machine.account.edition]["sales_activities"])
    undone = machine.run("undo", runs(machine)[0]["run_id"], "--yes", *(["--delete-created"] if files == FILES else []))
    assert undone.code in (0, 1), undone.err
    ended(machine.imports(*CONFIG, files[-1]))
    assert not difference(machine.account.state(), state)
    machine.account.forget()
    assert set(ended(machine.imports(*CONFIG, *files)).outcomes) <= {"skipped", "rejected", "unchanged"}
    assert machine.account.writes == 0


@pytest.mark.usefixtures("fast")
def test_all_at_once_with_stops_in_between_in_a_pipe(machine: Machine, whole: dict[str, State]) -> None:
    done = machine.imports(*CONFIG, *FILES, "--max-requests", "40")
    told = [done, *to_the_end(machine, done, "--max-requests", "60")]
    for before, after in pairwise(told):
        assert "Stopped early" in before.out
        assert after.code in (0, 1, 5)
    assert not difference(machine.account.state(), whole[machine.account.edition])
    assert states(machine) == ["import done"]
    (run,) = runs(machine)
    assert machine.run("resume", run["run_id"]).err.startswith("nothing to resume")
    assert run_of(done) == run["run_id"]


def test_on_a_terminal_with_a_no_and_a_stop_in_between(classic: Machine, whole: dict[str, State]) -> None:
    """A no, then what would still push it, stopped by its budget, then what goes on with that."""
    code, seen = answered(classic, "import", *CONFIG, *FILES, answers="n")
    assert (code, classic.account.writes) == (0, 0)
    (command,) = {tuple(one) for one in advised(seen, "what would still push it:")}
    code, seen = answered(classic, *command, "--max-requests", "60", answers="y")
    assert code == 5
    (command,) = {tuple(one) for one in advised(seen, "go on with:")}
    code, seen = answered(classic, *command)
    assert code == 1
    assert not difference(classic.account.state(), whole[classic.account.edition])
    assert states(classic) == ["apply done", "import applied"]
    code, seen = answered(classic, "import", *CONFIG, *FILES[::-1])
    assert code == 1
    assert "Nothing to push." in seen
