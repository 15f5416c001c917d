"""On a cluster the plan is the same as in one process: to the last row, count and line number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fsseg.cluster import Cluster
from fsseg.fold import partitions
from fsseg.fold.engines import cluster as engine
from fsseg.fold.engines.cluster import ClusterEngine
from fsseg.state.ledger import Ledger
from tests.fold.test_engines import CATALOG, RULES, files, planned, planned_by

__all__ = ["files"]


def spread(cluster: Cluster, folder: Path, paths: list[Path], ledger: Ledger | None = None) -> dict[str, Any]:
    """What the workers of a cluster plan."""
    folder.mkdir(mode=0o700)
    delivered = None if ledger is None else ledger.delivered()
    return planned_by(ClusterEngine(cluster, CATALOG, RULES, delivered), folder, paths)


@pytest.mark.parametrize("spill", [partitions.SPILL, 30_000])
def test_the_plan_is_that_of_one_process(
    tmp_path: Path, cluster: Cluster, files: list[Path], monkeypatch: pytest.MonkeyPatch, spill: int
) -> None:
    monkeypatch.setattr(partitions, "SPILL", spill)
    monkeypatch.setattr(engine, "PART", files[0].stat().st_size // 5)
    one, other = planned(tmp_path / "one", files, 1), spread(cluster, tmp_path / "other", files)
    assert one["counts"].reasons["skipped", "duplicate"] > 100
    assert other == one
