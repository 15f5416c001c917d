from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from fsseg.cluster import Cluster, started


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler with two workers that runs already, as far as anybody can tell."""
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    with ExitStack() as stack:
        yield stack.enter_context(started(2, tmp_path_factory.mktemp("cluster")))


@pytest.fixture(scope="session")
def cluster(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The first machine's side of it."""
    with closing(Cluster(address, [], tmp_path_factory.mktemp("first"))) as cluster:
        yield cluster
