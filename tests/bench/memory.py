"""Peak memory of planning, each time in a process of its own.

python -m tests.bench.memory EVENTS PEOPLE    one measurement, as JSON
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import orjson

from tests.bench.generate import lines
from tests.bench.table import table


def memory(sizes: Sequence[tuple[int, int]]) -> str:
    """The table of some (events, people)."""
    rows = []
    for events, people in sizes:
        found = orjson.loads(
            subprocess.run(
                [sys.executable, "-m", "tests.bench.memory", str(events), str(people)], check=True, capture_output=True
            ).stdout
        )
        rows.append(
            (
                f"{events:,} events of {people:,} people", f"{found['peak_mb']:,.0f} MB", f"{found['store_mb']:,.0f} MB",
                f"{events / found['processor_s']:,.0f}", f"{events / found['elapsed_s']:,.0f}",
            )
        )  # fmt: skip
    head = ("", "peak memory", "store on disk", "lines/s, processor", "lines/s, elapsed")
    return table("Planning at scale: read, map, fold, all of it", head, rows)


def measure(events: int, people: int) -> dict[str, float]:
    """Plan generated events, and say what it took; megabytes are 1,000,000 bytes."""
    from tests.bench.stages import plan

    with tempfile.TemporaryDirectory() as name:
        path, folder = Path(name) / "events.jsonl", Path(name)
        with path.open("wb") as file:
            file.writelines(lines(1, events, people, max(1, people // 10)))
        began, cpu = time.perf_counter(), time.process_time()
        if plan(path, folder) != events:
            raise RuntimeError("not all events were read")
        return {
            "elapsed_s": time.perf_counter() - began,
            "processor_s": time.process_time() - cpu,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
            "store_mb": (folder / "plan.db").stat().st_size / 1e6,
        }


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(measure(int(sys.argv[1]), int(sys.argv[2]))))
