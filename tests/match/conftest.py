from __future__ import annotations

from pathlib import Path

import pytest

from tests.client import classic, short_lag, suite
from tests.e2e.conftest import accounts

__all__ = ["accounts", "classic", "short_lag", "suite"]


@pytest.fixture
def mirror_path(tmp_path: Path) -> Path:
    """Where a copy of the account may be kept."""
    return tmp_path / "mirror.db"
