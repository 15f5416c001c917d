from __future__ import annotations

from tests.client import classic, short_lag, suite
from tests.e2e.conftest import accounts

__all__ = ["accounts", "classic", "short_lag", "suite"]
