"""A Dask cluster on this machine: `python -m fsseg.local_cluster COUNT FOLDER` prints where its scheduler is.

It ends with its standard input. What is too much for memory goes to the folder.
"""

from __future__ import annotations

import sys

KEPT = 1 << 30
"""Bytes of what it has made that a process keeps in memory; Dask itself would let all of them fill the machine's."""


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
        sys.stdin.read()


if __name__ == "__main__":
    main()
