"""The client of an account of the tests, without a command around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from fsseg.account.fields import read_fields
from fsseg.freshsales.account import resolve
from fsseg.freshsales.http import Http
from fsseg.freshsales.pacer import Pacer
from fsseg.freshsales.reader import Reader
from fsseg.freshsales.secret import Token
from fsseg.freshsales.writer import Writer
from fsseg.mapping.catalog import Catalog
from tests.e2e.harness import Account
from tests.faults.clock import FastClock


@dataclass(frozen=True)
class Client:
    """What reads and writes one account; its waits take a fraction of their time."""

    account: Account
    http: Http
    reader: Reader
    writer: Writer

    def catalog(self) -> Catalog:
        """The fields of the account, read by requests that don't count."""
        found = read_fields(self.reader, self.http.account.edition).catalog
        self.account.forget()
        return found


@contextmanager
def connected(account: Account) -> Iterator[Client]:
    """A client of the account, until the block ends."""
    where = resolve(None, account.edition, account.sandbox.base_url)
    token, application_token = Token(account.sandbox.token), Token(account.sandbox.application_token)
    with Http(where, token, application_token, pacer=Pacer(clock=FastClock())) as http:
        yield Client(account, http, Reader(http), Writer(http))


@pytest.fixture
def classic(accounts: dict[str, Account]) -> Iterator[Client]:
    """The client of an empty classic account."""
    accounts["classic"].empty()
    with connected(accounts["classic"]) as client:
        yield client


@pytest.fixture
def suite(accounts: dict[str, Account]) -> Iterator[Client]:
    """The client of an empty suite account."""
    accounts["suite"].empty()
    with connected(accounts["suite"]) as client:
        yield client


@pytest.fixture
def short_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look-ups are believed sooner that find nothing; these servers have no lag."""
    monkeypatch.setattr("fsseg.freshsales.reader.LAG_S", 0.1)
