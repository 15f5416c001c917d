from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from contextlib import closing

import pytest

from fsseg.cluster import Cluster, started
from tests.cloud.conftest import port, store
from tests.e2e.conftest import accounts, classic

__all__ = ["accounts", "classic", "port", "store"]


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler with two workers that runs already, as far as anybody can tell; they may read the tests' stores."""
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_REGION", "us-east-1")
        patch.setenv("FSSEG_API_TOKEN", "a-secret-that-no-worker-may-see")
        with started(2, tmp_path_factory.mktemp("cluster")) as address:
            yield address


@pytest.fixture(autouse=True)
def all_workers(request: pytest.FixtureRequest) -> None:
    """Whoever uses the cluster finds both workers: an earlier test may have ended one, which comes back by itself."""
    if "cluster" in request.fixturenames:
        request.getfixturevalue("cluster")._client.wait_for_workers(2, timeout=120)


@pytest.fixture(scope="module")
def cluster(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The first machine's side of it, whose threads end with the module: they aren't to be about in other tests."""
    with closing(Cluster(address, [], tmp_path_factory.mktemp("first"))) as cluster:
        yield cluster
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # Dask leaves a socket behind
        gc.collect()
