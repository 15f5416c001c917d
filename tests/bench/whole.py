"""The whole command, from its start to the last file of the run, as the user waits for it.

Times are processor time of the command's process and of its own; the medians of rounds in which all take their turn.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

from fsseg.sandbox import Options, running
from tests.bench.generate import lines
from tests.bench.table import table

TOKEN = "bench"
BARE = "bare orjson.loads"
AT_ONCE = 200_000
"""Events up to which all rounds are run; more of them even out what else the machine does."""
LOADS = "import orjson, sys\nfor line in open(sys.argv[1], 'rb'): orjson.loads(line)"
TWICE = "bare orjson.loads, two processes at once"
"""What two cores gain here at best: they share memory and caches, and a machine with others."""
LOADS_TWICE = f"""import subprocess, sys
for process in [subprocess.Popen([sys.executable, "-c", {LOADS!r}, sys.argv[1]]) for _ in range(2)]: process.wait()"""


class Cost(NamedTuple):
    """What one process took, and those that it waited for."""

    processor_s: float
    elapsed_s: float
    peak_mb: float


def whole(sizes: Sequence[tuple[int, int]], rounds: int) -> str:
    """The table of dry runs offline for some (events, people), beside bare `orjson.loads` of the same lines."""
    rows = []
    for events, people in sizes:
        with tempfile.TemporaryDirectory() as name:
            path = written(Path(name), events, people)
            commands = {
                BARE: [sys.executable, "-c", LOADS, str(path)],
                TWICE: [sys.executable, "-c", LOADS_TWICE, str(path)],
                "dry-run --offline": dry_run(path),
                "the same, --jobs 2": [*dry_run(path), "--jobs", "2"],
            }
            found = _rounds(commands, rounds if events <= AT_ONCE else 1)
            bare = found[BARE]
            for row, cost in found.items():
                what, times = f"{row}, {events:,} of {people:,} people", 2 if row == TWICE else 1
                rows.append((what, f"{times * events / cost.processor_s:,.0f}",
                             f"{times * bare.processor_s / cost.processor_s:.2f}",
                             f"{times * events / cost.elapsed_s:,.0f}", f"{cost.elapsed_s:.1f} s",
                             f"{cost.peak_mb:,.0f} MB"))  # fmt: skip
    head = ("", "lines/s, processor", "share of bare", "lines/s, elapsed", "elapsed", "peak memory")
    return table("The whole command, events of how many people", head, rows)


def against_an_account(events: int, people: int) -> str:
    """The table of dry runs and imports, with the account empty, or with half of the people in it."""
    rows = []
    for edition in ("classic", "suite"):
        for part, command in ((0.0, "dry-run"), (0.0, "import"), (0.5, "dry-run"), (0.5, "import")):
            cost = _against(edition, command, events, people, round(people * part))
            holds = f"{part:.0%} of the people there" if part else "empty account"
            rows.append((f"{command}, {edition}, {holds}", f"{events / cost.processor_s:,.0f}",
                         f"{cost.processor_s:.1f} s", f"{cost.elapsed_s:.1f} s", f"{cost.peak_mb:,.0f} MB"))  # fmt: skip
    head = ("", "lines/s, processor", "processor", "elapsed", "peak memory")
    return table(f"The whole command against the sandbox: {events:,} events of {people:,} people", head, rows)


def _against(edition: str, command: str, events: int, people: int, known: int) -> Cost:
    options = Options(quota=100_000_000, job_seconds=0.0)
    with (
        tempfile.TemporaryDirectory() as name,
        running(Path(name) / "db", edition=edition, options=options, token=TOKEN) as crm,
    ):
        environment = {"FSSEG_BASE_URL": crm.base_url, "FSSEG_EDITION": edition, "FSSEG_API_TOKEN": TOKEN}
        flags = ("--no-progress", "--quiet", "--yes")
        if known:
            first = written(Path(name), known, known, "known.jsonl")
            cost_of([*_fsseg("import"), str(first), *flags], environment)
        path = written(Path(name), events, people)
        return cost_of([*_fsseg(command), str(path), *flags[: 2 if command == "dry-run" else 3]], environment)


def written(folder: Path, events: int, people: int, name: str = "events.jsonl") -> Path:
    path = folder / name
    with path.open("wb") as file:
        file.writelines(lines(1, events, people, max(1, people // 10)))
    return path


def _fsseg(command: str) -> list[str]:
    return [sys.executable, "-m", "fsseg", command]


def dry_run(*paths: Path | str) -> list[str]:
    return [*_fsseg("dry-run"), *map(str, paths), "--offline", "--no-progress", "--domain", "bench"]


def _rounds(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, Cost]:
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            costs[name].append(cost_of(command, {}))
    return {name: Cost(*(median(some) for some in zip(*found, strict=True))) for name, found in costs.items()}


def cost_of(command: Iterable[str], environment: Mapping[str, str]) -> Cost:
    """Run it in a fresh state folder; 0 and 1 are ends of an import."""
    with ExitStack() as stack:
        state = environment.get("FSSEG_STATE_DIR") or stack.enter_context(tempfile.TemporaryDirectory())
        env = {**os.environ, "FSSEG_STATE_DIR": state, **environment}
        began = time.perf_counter()
        process = subprocess.Popen(list(command), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env)
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        elapsed = time.perf_counter() - began
        process.stderr.close()
    if process.returncode not in (0, 1):
        raise RuntimeError(said.decode())
    return Cost(used.ru_utime + used.ru_stime, elapsed, used.ru_maxrss * 1024 / 1e6)
