from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import pytest

from fsseg.segment import objects, stores
from tests.e2e.conftest import accounts, classic, suite
from tests.store import Store, serving

__all__ = ["accounts", "classic", "suite"]


@pytest.fixture(scope="session")
def port() -> Iterator[int]:
    with serving() as port:
        yield port


@pytest.fixture
def store(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An empty bucket, and what it takes to read it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setattr(objects, "_PAUSE", 0.001)
    with closing(Store(port, f"bucket-{uuid4().hex[:8]}")) as store:
        stores.use_endpoint(store.endpoint)
        yield store
    objects.read_ahead([])
