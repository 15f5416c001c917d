"""A Dask cluster on this machine: `python -m fsseg.local_cluster COUNT FOLDER` prints where its scheduler is.

It ends with its standard input. What is too much for memory goes to the folder.
"""

from __future__ import annotations

import sys
import time
from select import select
from typing import Any

KEPT = 1 << 30
"""Bytes of what it has made that a process keeps in memory; Dask itself would let all of them fill the machine's."""

LOST = 20
"""Seconds after which a process that is gone doesn't come back: Dask begins none anew that ended as it began."""


def main() -> None:
    """Serve until standard input ends."""
    import dask
    from distributed import LocalCluster
    from distributed.system import MEMORY_LIMIT

    count, folder = int(sys.argv[1]), sys.argv[2]
    share = KEPT * count / MEMORY_LIMIT
    settings = {
        "distributed.scheduler.allowed-failures": 2,
        "distributed.worker.profile.enabled": False,
        "distributed.worker.memory.target": min(0.6, share),
        "distributed.worker.memory.spill": min(0.7, 2 * share),
    }
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=count, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None,
            local_directory=folder,
        ) as cluster,
    ):  # fmt: skip
        print(cluster.scheduler_address, flush=True)  # noqa: T201  # for who has started it
        keep(cluster, count)


def keep(cluster: Any, count: int) -> None:
    """See that a `distributed.LocalCluster` has so many processes until standard input ends."""
    whole = time.monotonic()
    while not select([sys.stdin], [], [], 1)[0]:
        there = len(cluster.scheduler_info["workers"])
        is_lost = there < count and time.monotonic() > whole + LOST
        if there == count or is_lost:
            whole = time.monotonic()
        cluster.scale(there if is_lost else count)  # whoever is lost is let go of, and at the next look replaced


if __name__ == "__main__":
    main()
