"""A permission that a run lacks is given, and the run is typed again or gone on with: it has lost nothing by that."""

from __future__ import annotations

import pytest

from tests.between_runs.runs import PEOPLE, advised, run_of, states
from tests.e2e.harness import Machine

FORBIDDEN = {
    "the types of sales activities": "/selector/sales_activity_types",
    "the fields of contacts": "/settings/contacts",
    "the fields of accounts": "/settings/sales_accounts",
}


@pytest.fixture(params=[*FORBIDDEN.values()], ids=[*FORBIDDEN])
def forbidden(request: pytest.FixtureRequest, machine: Machine) -> str:
    """What the key may not read, although events need it."""
    return str(request.param)


@pytest.fixture
def wanted(machine: Machine) -> dict[str, list[str]]:
    """The account after an import that was allowed all of it; the account is empty again."""
    assert machine.imports("--state-dir", str(machine.home / "other"), events=PEOPLE).code == 0
    state = machine.account.state()
    machine.account.empty()
    return state


@pytest.mark.parametrize("command", ["import", "dry-run"])
def test_a_run_that_is_refused_leaves_nothing_that_could_be_gone_on_with(
    machine: Machine, forbidden: str, wanted: dict[str, list[str]], command: str
) -> None:
    path = machine.write("events.jsonl", PEOPLE)
    machine.account.configure(forbidden=[forbidden])
    refused = machine.run(command, path)
    assert (refused.code, refused.out, states(machine), machine.account.writes) == (3, "", [], 0)
    assert "fsseg check says what this key may do" in refused.err
    assert "fsseg resume" not in refused.err
    machine.account.configure(forbidden=[])
    assert machine.run(command, path).code == 0
    if command == "dry-run":
        assert machine.run("apply", "--yes").code == 0
    assert machine.account.state() == wanted


@pytest.mark.parametrize("command", ["import", "dry-run"])
def test_a_run_that_is_refused_as_it_goes_on_maps_its_events_anew_once_it_may(
    machine: Machine, forbidden: str, wanted: dict[str, list[str]], command: str
) -> None:
    machine.account.configure(forbidden=[forbidden])
    budget = "9" if machine.account.edition == "classic" else "8"
    stopped = machine.run(command, machine.write("events.jsonl", PEOPLE), "--max-requests", budget)
    assert stopped.code == 5, stopped.err
    refused = machine.run("resume", run_of(stopped))
    assert (refused.code, machine.account.writes) == (3, 0)
    machine.account.configure(forbidden=[])
    done = machine.run(*advised(refused.err, "go on with:")[0])
    assert done.code == 0, done.err
    assert done.out.count("ignored") == 0
    if command == "dry-run":
        assert machine.run("apply", run_of(stopped), "--yes").code == 0
    assert machine.account.state() == wanted
