from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import Account, Machine
from tests.faults.server import account, stop


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


@pytest.fixture(params=["classic", "suite"])
def machine(request: pytest.FixtureRequest, hosts: dict[str, Account], tmp_path: Path) -> Machine:
    """A machine with an empty account, once for each edition."""
    hosts[request.param].empty()
    return Machine(hosts[request.param], tmp_path)
