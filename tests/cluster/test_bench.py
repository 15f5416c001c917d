from __future__ import annotations

from tests.bench.cluster import cluster


def test_the_benchmark_runs_and_prints_a_row_for_each_way(address: str) -> None:
    rows = cluster(200, 20, address).splitlines()
    for way in ("one process", "--jobs 2", f"--cluster {address}"):
        (row,) = (row for row in rows if row.startswith(way))
        assert row.count(" MB") >= 1
