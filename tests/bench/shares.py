"""Which part of a dry run's processor time each of its stages takes.

`python -m tests.bench.shares FILE` is the run itself, in a process of its own, that tells it as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from tests.bench.table import table
from tests.bench.whole import written

STARTED = time.process_time()


class Shares:
    """Processor seconds by stage; what a stage spends inside another one counts there."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = STARTED
        self._open = ["start"]

    def enter(self, stage: str) -> None:
        self._count()
        self._open.append(stage)

    def leave(self) -> None:
        self._count()
        self._open.pop()

    def _count(self) -> None:
        now, stage = time.process_time(), self._open[-1]
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._since
        self._since = now

    def watch(self, owner: Any, name: str, stage: str) -> None:
        """Count whatever this function does as that stage."""
        function: Callable[..., Any] = getattr(owner, name)

        @wraps(function)
        def watched(*args: Any, **more: Any) -> Any:
            self.enter(stage)
            try:
                return function(*args, **more)
            finally:
                self.leave()

        setattr(owner, name, watched)


def shares(events: int, people: int) -> str:
    """The table of the shares, of a dry run offline."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "tests.bench.shares", str(written(Path(name), events, people)), name]
        told = subprocess.run(command, check=True, capture_output=True)
    seconds: dict[str, float] = json.loads(told.stderr.splitlines()[-1])
    whole = sum(seconds.values())
    rows = [(stage, f"{took:.2f} s", f"{took / whole:.0%}") for stage, took in seconds.items()]
    title = f"Where dry-run --offline spends its processor time, {events:,} events of {people:,} people"
    return table(title, ("", "processor", "share"), rows)


def _run(path: str, state: str) -> None:
    from fsseg import pipeline
    from fsseg.__main__ import main
    from fsseg.cli import import_run
    from fsseg.fold import fold_inputs
    from fsseg.fold.engines.local import LocalEngine
    from fsseg.fold.fold_partition import PartitionFold
    from fsseg.report import changes_file
    from fsseg.report.formats import html

    found = Shares()
    found.watch(import_run, "drive", "everything else")
    found.watch(LocalEngine, "read", "read, map, dedupe, partition")
    found.watch(PartitionFold, "fold", "fold")
    found.watch(fold_inputs, "write_records", "write people and entries")
    for name in ("match_people", "fold_companies", "match_accounts", "match_deals"):
        found.watch(pipeline, name, "match")
    found.watch(pipeline, "decide", "decide")
    found.watch(pipeline, "count_outcomes", "count outcomes")
    found.watch(changes_file.ChangesFile, "finish", "changes.jsonl")
    found.watch(html, "write_html", "report.html")
    sys.argv = ["fsseg", "dry-run", path, "--offline", "--no-progress", "--domain", "bench", "--state-dir", state]
    try:
        main()
    finally:
        found.leave()
        print(json.dumps(found.seconds), file=sys.stderr)


if __name__ == "__main__":
    _run(*sys.argv[1:])
