from __future__ import annotations

from tests.e2e.conftest import accounts, classic, fast, machine, suite

__all__ = ["accounts", "classic", "fast", "machine", "suite"]
