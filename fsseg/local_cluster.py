"""A Dask cluster on this machine: `python -m fsseg.local_cluster COUNT FOLDER` prints where its scheduler is.

It ends with its standard input. What is too much for memory goes to the folder.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Serve until standard input ends."""
    import dask
    from distributed import LocalCluster

    count, folder = int(sys.argv[1]), sys.argv[2]
    settings = {"distributed.scheduler.allowed-failures": 2, "distributed.worker.profile.enabled": False}
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
