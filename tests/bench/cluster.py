"""Planning on a cluster of this machine beside one process and `--jobs 2`: the whole command, with all its processes."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.bench.table import table
from tests.bench.whole import dry_run, written

LOOK = 0.1
"""Seconds between two looks at what the processes have used."""

LOCAL = "local:2"


class Used(NamedTuple):
    """What a command and all its processes took; the peaks are of the first, and of the largest of the others."""

    processor_s: float
    elapsed_s: float
    peak_mb: float
    other_peak_mb: float


def cluster(events: int, people: int, address: str = LOCAL) -> str:
    """The table of the ways to plan the same events."""
    rows = []
    ways = {"one process": (), "--jobs 2": ("--jobs", "2"), f"--cluster {address}": ("--cluster", address)}
    with tempfile.TemporaryDirectory() as name:
        path = written(Path(name), events, people)
        for way, flags in ways.items():
            used = measured([*dry_run(path), *flags])
            rows.append(
                (way, f"{events / used.processor_s:,.0f}", f"{events / used.elapsed_s:,.0f}", f"{used.elapsed_s:.1f} s",
                 f"{used.peak_mb:,.0f} MB", f"{used.other_peak_mb:,.0f} MB" if used.other_peak_mb else "")
            )  # fmt: skip
    head = ("", "lines/s, processor", "lines/s, elapsed", "elapsed", "peak memory", "of another process")
    return table(f"Planning on a cluster: {events:,} events of {people:,} people", head, rows)


def measured(command: list[str]) -> Used:
    """Run it, and look again and again at what its processes have used; they may be killed at its end."""
    import psutil

    processor: dict[int, float] = {}
    peaks: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as state:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "FSSEG_STATE_DIR": state}
        )
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                for one in (watched, *watched.children(recursive=True)):
                    times = one.cpu_times()
                    processor[one.pid] = times.user + times.system
                    peaks[one.pid] = max(peaks.get(one.pid, 0), one.memory_info().rss)
            except psutil.NoSuchProcess:
                pass
            time.sleep(LOOK)
        elapsed = time.perf_counter() - began
    if process.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    first = peaks.pop(process.pid, 0.0)
    return Used(sum(processor.values()), elapsed, first / 1e6, max(peaks.values(), default=0) / 1e6)
