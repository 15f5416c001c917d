from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from fsseg.sandbox import running
from tests.between.left import Commands, Copied, Left, copied, leave
from tests.e2e.conftest import TOKEN, accounts, classic, fast, machine, suite
from tests.e2e.harness import Account, Machine

__all__ = ["accounts", "classic", "fast", "machine", "suite"]


@pytest.fixture(scope="session")
def others(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Account]]:
    """A second account of each edition."""
    folder = tmp_path_factory.mktemp("others")
    with ExitStack() as stack:
        found = {}
        for edition in ("classic", "suite"):
            db = folder / f"{edition}.db"
            sandbox = stack.enter_context(running(db, edition=edition, token=TOKEN))
            found[edition] = stack.enter_context(closing(Account(edition, sandbox, db)))
        yield found


@pytest.fixture
def other(machine: Machine, others: dict[str, Account]) -> Account:
    """An empty account of the same edition as that of `machine`."""
    account = others[machine.account.edition]
    account.empty()
    return account


@pytest.fixture
def here_is_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in the home folder of the machine."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def left(tmp_path_factory: pytest.TempPathFactory) -> Copied:
    """A run of each kind, made once for each edition."""
    made: dict[str, Left] = {}

    def copy(machine: Machine) -> Commands:
        edition = machine.account.edition
        if edition not in made:
            made[edition] = leave(Machine(machine.account, tmp_path_factory.mktemp(edition)))
        return copied(made[edition], machine)

    return copy
