"""What a ledger of many delivered events takes: space, and time for a small and for a large import.

python -m tests.bench.ledger FILE EVENTS    one look-up of so many new events against that ledger, as JSON
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from random import Random

import orjson

from fsseg.fold.batch import SIZE
from fsseg.fold.dedupe import DedupeIndex
from fsseg.state.ledger import Ledger
from tests.bench.table import table


def ledger(keys: int, few: int) -> str:
    """The table of a ledger of `keys` delivered events, looked up by imports of a `few` and of just as many."""
    with tempfile.TemporaryDirectory() as name:
        path, random, began = Path(name) / "ledger.db", Random(1), time.perf_counter()
        with closing(Ledger(path)) as made, made.changing() as change:
            change.events(random.getrandbits(64) for _ in range(keys))
        rows = [(f"remembering {keys:,} events", f"{time.perf_counter() - began:.1f} s", "")]
        for events in (few, keys):
            command = [sys.executable, "-m", "tests.bench.ledger", str(path), str(events)]
            found = orjson.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            rows.append(
                (f"look-up of {events:,} new events", f"{found['elapsed_s']:.3f} s", f"{found['taken_mb']:.0f} MB")
            )
        size = path.stat().st_size / keys
    return table(f"A ledger of {keys:,} delivered events: {size:.1f} bytes each", ("", "time", "memory"), rows)


def measure(path: Path, events: int) -> dict[str, float]:
    """Ask for generated events, a batch at a time as planning does; all of them are new."""
    random, before = Random(2), _peak()
    elapsed = 0.0
    with closing(Ledger(path)) as known:
        seen = DedupeIndex(known.delivered().among)
        for first in range(0, events, SIZE):
            keys = [random.getrandbits(64) for _ in range(min(SIZE, events - first))]
            began = time.perf_counter()
            if seen.duplicates(keys):
                raise RuntimeError("new events were taken for delivered ones")
            elapsed += time.perf_counter() - began
    return {"elapsed_s": elapsed, "taken_mb": _peak() - before}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(measure(Path(sys.argv[1]), int(sys.argv[2]))))
