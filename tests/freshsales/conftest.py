from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from fsseg.freshsales.account import resolve
from fsseg.freshsales.http import Http
from fsseg.freshsales.pacer import Pacer
from fsseg.freshsales.reader import Reader
from fsseg.freshsales.secret import Token
from fsseg.freshsales.writer import Writer

from .clocks import FakeClock

KEY = "k3yThatMustNeverShow"
APPLICATION_KEY = "appT0kenThatMustNeverShow"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pacer(clock: FakeClock) -> Pacer:
    return Pacer(clock=clock, chance=lambda: 0.0)


@pytest.fixture
def http(pacer: Pacer) -> Iterator[Http]:
    with Http(resolve("acme"), Token(KEY), Token(APPLICATION_KEY), pacer=pacer) as http:
        yield http


@pytest.fixture
def reader(http: Http) -> Reader:
    return Reader(http)


@pytest.fixture
def writer(http: Http) -> Writer:
    return Writer(http)


@pytest.fixture
def jumpy_threads() -> Iterator[None]:
    """Threads that change places at nearly every step, so that requests overlap."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)
