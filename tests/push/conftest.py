from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fsseg.state.plan_store import Store
from tests.client import classic, short_lag, suite
from tests.e2e.conftest import accounts

__all__ = ["accounts", "classic", "short_lag", "suite"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty plan."""
    with closing(Store(tmp_path / "plan.db")) as store:
        yield store
