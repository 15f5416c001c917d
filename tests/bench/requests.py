"""What the real command sends to a Freshsales of its own: requests, and how well it uses a quota."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from typing import Any

import orjson

from fsseg.sandbox import Options, Sandbox, running
from tests.bench.generate import MIX, lines
from tests.bench.table import table
from tests.forked import forked

TOKEN = "bench"
EDITIONS = ("classic", "suite")


KINDLY = {
    "quota": 100_000_000, "per_minute": None, "job_seconds": 0.0, "lookup_lag": 0.0, "custom_fields": "merge",
    "deal_links_in_bulk": "keep", "filtered_emails": True,
}  # fmt: skip
"""An account that merges, keeps links, and has a quota that nobody waits for."""


HARSHLY = KINDLY | {"custom_fields": "replace", "deal_links_in_bulk": "lose", "filtered_emails": False}
"""One that replaces custom fields, and loses the contacts of deals that are made in bulk."""

Files = tuple[tuple[int, int, Mapping[str, float], int], ...]
"""Of each file to import: events, people, the kinds of events, and the seed of their values."""


def imports(size: int) -> dict[str, tuple[Files, Mapping[str, Any]]]:
    """What the rows of the table import, for `size` events or people, and how the account behaves."""
    many = max(1, size // 5)
    identify, track = {"identify": 1.0}, {"track": 1.0}
    return {
        f"{size:,} identify calls of {many:,} people": (((size, many, identify, 1),), KINDLY),
        f"{size:,} people": (((size, size, identify, 1),), KINDLY),
        f"{20 * size:,} identify calls of {size:,} people": (((20 * size, size, identify, 1),), KINDLY),
        f"{size:,} track calls of known people": (((many, many, identify, 1), (size, many, track, 1)), KINDLY),
        "the same identify calls again": (((size, many, identify, 1),) * 2, KINDLY),
        f"{size:,} identify calls of {many:,} people, for the first time into an account that replaces custom fields"
        " and loses the contacts of deals": (((size, many, identify, 1),), HARSHLY),
        "other values of the same people, into an account that replaces custom fields": (
            ((size, many, identify, 1), (size, many, identify, 2)), HARSHLY
        ),
    }  # fmt: skip


def requests(size: int) -> str:
    """The table of requests, each number for `size` events or people; there are five events a person."""
    rows = [
        (name, *(shown(*sent(edition, files, how)) for edition in EDITIONS))
        for name, (files, how) in imports(size).items()
    ]
    return table("Requests of an import (of these, writes)", ("", *EDITIONS), rows)


def shown(total: int, writes: int) -> str:
    """As the tables have them."""
    return f"{total:,} ({writes:,})"


def quota(events: int, per_window: int, window: float) -> str:
    """The table of imports that need many windows of a small quota; a window stands for the account's hour.

    The first window begins before there is anything to send and the last ends after it: the share is that of the others.
    """
    rows = []
    for edition in EDITIONS:
        options = Options(quota=per_window, window=window, per_minute=None, retry_after="seconds", job_seconds=0.0)
        with (
            tempfile.TemporaryDirectory() as name,
            running(Path(name) / "db", edition=edition, options=options, token=TOKEN) as crm,
            _watching(crm, window) as served,
        ):
            path = _written(Path(name), 0, events, max(1, events // 5), MIX)
            found = imported(crm, edition, path, Path(name))["requests"]
            refused = crm.stats()["statuses"].get("429", 0)
        full = [after - before for before, after in pairwise(served)]
        share = sum(full) / (per_window * len(full)) if full else 0.0
        cells = f"{found['total']:,}", f"{len(full) + 2}", f"{share:.0%}", f"{refused}", f"{found['waited_s']:.0f} s"
        rows.append((edition, *cells))
    head = ("", "requests", "windows", "share of the quota used", "answered 429", "waited")
    return table(f"{events:,} events with {per_window:,} requests in each {window:g} s", head, rows)


@contextmanager
def _watching(crm: Sandbox, window: float) -> Iterator[list[int]]:
    """How many requests had been served at the end of each window since the first one that had any."""
    served: list[int] = []
    over = Event()

    def watch() -> None:
        while not over.wait(window - time.time() % window):
            stats = crm.stats()
            if stats["total"]:
                served.append(stats["total"] - stats["statuses"].get("429", 0))

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        over.set()
        thread.join()


def start_up(rounds: int) -> str:
    """The table of how long `fsseg --help` takes."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "fsseg", "--help"], check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return table(
        "Start-up",
        ("", "best", "median"),
        [("fsseg --help", f"{min(times):.2f} s", f"{sorted(times)[rounds // 2]:.2f} s")],
    )


def imported(crm: Sandbox, edition: str, path: Path, home: Path) -> dict[str, Any]:
    """The summary of one import with the real command."""
    environment = {
        **os.environ, "HOME": str(home), "FSSEG_STATE_DIR": str(home / "state"), "FSSEG_BASE_URL": crm.base_url,
        "FSSEG_EDITION": edition, "FSSEG_API_TOKEN": TOKEN,
    }  # fmt: skip
    command = ["fsseg", "import", str(path), "--json", "--yes", "--allow-mass-changes"]
    pipe = subprocess.PIPE
    with forked(command, env=environment, cwd=home, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe) as process:
        out, err = process.communicate()
    if process.returncode not in (0, 1):
        raise RuntimeError(err.decode()[-1_000:])
    return dict(orjson.loads(out))


def sent(edition: str, files: Files, behaviour: Mapping[str, Any]) -> tuple[int, int]:
    """The requests that the last of several files took, and the writes among them."""
    found: dict[str, Any] = {}
    options = Options().changed(behaviour)
    with (
        tempfile.TemporaryDirectory() as name,
        running(Path(name) / "db", edition=edition, options=options, token=TOKEN) as crm,
    ):
        for number, (events, people, mix, seed) in enumerate(files):
            path = _written(Path(name), number, events, people, mix, seed)
            found = imported(crm, edition, path, Path(name))["requests"]
    return found["total"], found["write"]


def _written(folder: Path, number: int, events: int, people: int, mix: Mapping[str, float], seed: int = 1) -> Path:
    path = folder / f"events-{number}.jsonl"
    path.write_bytes(b"".join(lines(seed, events, people, max(1, people // 10), mix, duplicates=0.0)))
    return path
