"""What all tests share: generated examples are the same in every run, and no slow machine fails one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import HealthCheck, settings

from tests.once import build_once

settings.register_profile("fsseg", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fsseg")

MEMORY = "/dev/shm"
ROOM = 2 << 30
"""Bytes; a whole run leaves a sixth of that."""


def pytest_configure(config: pytest.Config) -> None:
    """Temporary files are kept in memory where there is room, unless TMPDIR says otherwise: disks are what is waited for most."""
    if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        folder = tempfile.mkdtemp(prefix="fsseg-tests-", dir=MEMORY)
        tempfile.tempdir = os.environ["TMPDIR"] = config.stash[_MADE] = folder


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """They are left to be looked at only where something failed."""
    if exitstatus == 0 and _MADE in session.config.stash:
        session.config.add_cleanup(partial(shutil.rmtree, session.config.stash[_MADE], ignore_errors=True))


_MADE = pytest.StashKey[str]()


@pytest.fixture(scope="session", autouse=True)
def built_once() -> Iterator[None]:
    """Commands in this process share what they would build anew."""
    with pytest.MonkeyPatch.context() as patch:
        build_once(patch.setattr)
        yield
