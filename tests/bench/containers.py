"""The same events in each container: how fast each is read, planned, and gone through by the whole command.

python -m tests.bench.containers FOLDER    peak memory of planning all that is in a folder, as JSON
"""

from __future__ import annotations

import base64
import gzip
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson

from fsseg.fold.collect import Collector
from fsseg.fold.dedupe import DedupeIndex
from fsseg.fold.engines.local import LocalEngine
from fsseg.fold.records import write_records
from fsseg.mapping.rules import Rules
from fsseg.processes import no_cycles
from fsseg.segment.inputs import expand
from fsseg.segment.open import Input
from fsseg.segment.read import read
from fsseg.segment.stores import use_endpoint
from fsseg.state.plan_store import Store
from tests.bench.generate import lines
from tests.bench.stages import CATALOG
from tests.bench.table import table
from tests.bench.whole import cost_of, dry_run
from tests.segment import exports
from tests.store import Store as Bucket
from tests.store import serving

PLAIN = "plain"
OBJECTS = 20
"""Objects that the events in S3 are spread over."""


def containers(events: int, people: int, rounds: int) -> str:
    """The table of the containers."""
    content = b"".join(lines(1, events, people, max(1, people // 10)))
    rows = [orjson.loads(line) for line in content.splitlines()]
    made: dict[str, Callable[[], exports.Files]] = {
        PLAIN: lambda: {"e.jsonl": content},
        "gzip": lambda: {"e.gz": exports.gz(content)},
        "zstd": lambda: {"e.zst": exports.PACKINGS["zst"](content)},
        "CSV of AWS S3 (Actions)": lambda: {"a.csv": exports.actions_csv(rows)},
        "CSV of warehouse tables": lambda: _without_tracks(exports.warehouse_csvs(rows)),
        "CSV of Segment's import": lambda: {"i.csv": exports.import_csv(rows)},
        "Parquet of a data lake": lambda: exports.data_lake(rows),
    }
    found: dict[str, Sequence[float]] = {}
    with tempfile.TemporaryDirectory() as name, serving() as port:
        for container, files in made.items():
            folder = Path(name) / container
            for path, data in files().items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(data)
            found[container] = _best([str(folder)], events, rounds)
        found["gzip in S3"] = _in_s3(port, content, events, rounds)
    shown = [
        (name, *(cell for own, plain in zip(costs, found[PLAIN], strict=True) for cell in _compared(own, plain)))
        for name, costs in found.items()
    ]
    head = ("", "read, lines/s", "of plain", "planned, lines/s", "of plain", "dry-run --offline, lines/s", "of plain")
    return table(f"{events:,} events in each container; processor time of one core", head, shown)


def _compared(cost: float, plain: float) -> tuple[str, str]:
    return f"{1 / cost:,.0f}", f"{plain / cost:.2f}"


def _without_tracks(files: exports.Files) -> exports.Files:
    return {name: content for name, content in files.items() if name != "tracks.csv"}


def _in_s3(port: int, content: bytes, events: int, rounds: int) -> Sequence[float]:
    os.environ.update(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing", AWS_REGION="us-east-1")
    with closing(Bucket(port, "bench-of-containers")) as bucket:
        use_endpoint(bucket.endpoint)
        each = content.splitlines(keepends=True)
        for number in range(OBJECTS):
            bucket.put(f"{number:02d}.gz", exports.gz(b"".join(each[number::OBJECTS])))
        return _best([f"s3://{bucket.bucket}/"], events, rounds, "--endpoint", bucket.endpoint)


def _best(paths: Sequence[str], events: int, rounds: int, *flags: str) -> Sequence[float]:
    """Seconds of processor time an event: of reading, of planning, and of the whole command with these flags."""
    inputs = [Input(path, number) for number, path in enumerate(expand(paths)[0])]
    command = [*dry_run(*paths), "--jobs", "1", *flags]
    best = [float("inf")] * 3
    for _ in range(rounds):
        spent = _timed(_read, inputs, events), _timed(_plan, inputs, events), cost_of(command, {}).processor_s
        best = [min(pair) for pair in zip(best, spent, strict=True)]
    return [seconds / events for seconds in best]


def _timed(run: Callable[[Sequence[Input]], int], inputs: Sequence[Input], events: int) -> float:
    began = time.process_time()
    if (count := run(inputs)) != events:
        raise RuntimeError(f"{count} of {events} events were read")
    return time.process_time() - began


def _read(inputs: Sequence[Input]) -> int:
    with no_cycles():
        return sum(1 for input in inputs for _ in read(input))


def _plan(inputs: Sequence[Input]) -> int:
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Store(Path(folder) / "plan.db")) as store,
        closing(LocalEngine(Path(folder), CATALOG, Rules(offline=True))) as engine,
        no_cycles(),
    ):
        collector = Collector(store, DedupeIndex())
        engine.read(inputs, collector, lambda count: None)
        write_records(store, collector, engine.fold(collector.size), CATALOG.edition, None)
        return collector.counts.read


def archive(sizes: Sequence[int]) -> str:
    """Peak memory of planning so many objects of a megabyte of gzip each."""
    rows = []
    for objects in sizes:
        with tempfile.TemporaryDirectory() as name:
            size = _fill(Path(name), objects)
            command = [sys.executable, "-m", "tests.bench.containers", name]
            found: dict[str, Any] = orjson.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        rows.append((f"{objects:,} objects", f"{size / 1e6:,.0f} MB", f"{found['peak_mb']:,.0f} MB"))
    return table("Planning an archive of gzip", ("", "packed", "peak memory"), rows)


def _fill(folder: Path, objects: int) -> int:
    """Objects of 40 events each, with text that gzip makes little of; the bytes of them all."""
    chance, size = random.Random(1), 0
    texts = [base64.b85encode(chance.randbytes(24_000)).decode() for _ in range(40)]
    for number in range(objects):
        events = [
            {
                "type": "identify", "userId": f"u-{at}", "messageId": f"m-{number}-{at}",
                "timestamp": f"2025-01-{number % 28 + 1:02d}T10:00:00.000Z", "context": {"text": text},
                "traits": {"email": f"p{at}@c0.example", "title": f"T{number}"},
            }
            for at, text in enumerate(texts)
        ]  # fmt: skip
        path = folder / f"{number:06d}.gz"
        path.write_bytes(gzip.compress(exports.jsonl(events), 1))
        size += path.stat().st_size
    return size


def measure(folder: str) -> dict[str, float]:
    """Plan what is in a folder; megabytes are 1,000,000 bytes."""
    _plan([Input(path, number) for number, path in enumerate(expand([folder])[0])])
    return {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6}


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(measure(sys.argv[1])))
