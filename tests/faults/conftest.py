from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fsseg.freshsales import pacer
from tests.e2e.harness import Account, Machine
from tests.faults.clock import FastClock
from tests.faults.faulty import undisturbed
from tests.faults.process import here
from tests.faults.server import account, stop
from tests.faults.story import before, difference, mixed
from tests.faults.ways import imported

State = dict[str, list[str]]


@pytest.fixture(scope="session")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Account]]:
    """One server of each edition, each a process of its own."""
    folder = tmp_path_factory.mktemp("hosts")
    found = {edition: account(folder / f"{edition}.db", edition) for edition in ("classic", "suite")}
    yield found
    for one in found.values():
        stop(one)


@pytest.fixture
def classic(hosts: dict[str, Account], tmp_path: Path) -> Machine:
    """A machine with an empty classic account."""
    hosts["classic"].empty()
    return Machine(hosts["classic"], tmp_path)


@pytest.fixture
def suite(hosts: dict[str, Account], tmp_path: Path) -> Machine:
    """A machine with an empty suite account."""
    hosts["suite"].empty()
    return Machine(hosts["suite"], tmp_path)


@pytest.fixture(params=["classic", "suite"])
def machine(request: pytest.FixtureRequest, hosts: dict[str, Account], tmp_path: Path) -> Machine:
    """A machine with an empty account, once for each edition."""
    hosts[request.param].empty()
    return Machine(hosts[request.param], tmp_path)


@pytest.fixture(scope="session")
def ends(hosts: dict[str, Account], tmp_path_factory: pytest.TempPathFactory) -> dict[str, State]:
    """What the mixed import ends in, by edition, when nothing disturbs it."""
    return {
        edition: undisturbed(Machine(host, tmp_path_factory.mktemp(edition)), imported)
        for edition, host in hosts.items()
    }


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands in this process wait a twentieth of their waits."""
    monkeypatch.setattr(pacer, "SystemClock", FastClock)


@pytest.fixture
def path(classic: Machine) -> str:
    """A file of mixed events, for an account that holds some of their people."""
    before(classic.account)
    return classic.write("events.jsonl", mixed())


def resumed(machine: Machine, ends: dict[str, State]) -> None:
    """What was left is done by one `fsseg resume`, and nothing twice."""
    done = here(machine, "resume", "--json")
    assert (done.code, done.outcomes) == (0, {"applied": 33}), done.err
    assert not difference(machine.account.state(), ends[machine.account.edition])
