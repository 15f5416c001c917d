from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from fsseg.freshsales import pacer
from fsseg.sandbox import running
from tests.e2e.harness import Account, Machine
from tests.faults.clock import FastClock

TOKEN = "secret-token-of-the-account"


@pytest.fixture(scope="session")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Account]]:
    """One server of each edition for all tests."""
    folder = tmp_path_factory.mktemp("accounts")
    with ExitStack() as stack:
        yield {
            edition: stack.enter_context(
                closing(
                    Account(
                        edition,
                        stack.enter_context(running(folder / f"{edition}.db", edition=edition, token=TOKEN)),
                        folder / f"{edition}.db",
                    )
                )
            )
            for edition in ("classic", "suite")
        }


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of commands in this process take a fraction of their time."""
    monkeypatch.setattr(pacer, "SystemClock", FastClock)


def _machine(account: Account, home: Path) -> Machine:
    account.empty()
    return Machine(account, home)


@pytest.fixture
def classic(accounts: dict[str, Account], tmp_path: Path) -> Machine:
    """A machine with an empty classic account."""
    return _machine(accounts["classic"], tmp_path)


@pytest.fixture
def suite(accounts: dict[str, Account], tmp_path: Path) -> Machine:
    """A machine with an empty suite account."""
    return _machine(accounts["suite"], tmp_path)


@pytest.fixture(params=["classic", "suite"])
def machine(request: pytest.FixtureRequest, accounts: dict[str, Account], tmp_path: Path) -> Machine:
    """A machine with an empty account, once for each edition."""
    return _machine(accounts[request.param], tmp_path)
