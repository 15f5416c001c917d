"""All benchmarks: `python -m tests.bench`; `--full` plans ten million events of two million people as well.

Sections of it: `python -m tests.bench faults`, or any others by name.

What they print was measured now, on this machine; nothing is asserted.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence

from tests.bench.cluster import cluster
from tests.bench.containers import archive, containers
from tests.bench.faults import faults
from tests.bench.ledger import ledger
from tests.bench.memory import memory
from tests.bench.people import people
from tests.bench.requests import quota, requests, start_up
from tests.bench.rules import rules
from tests.bench.sequences import sequences
from tests.bench.shapes import shapes
from tests.bench.shares import shares
from tests.bench.stages import stages
from tests.bench.whole import against_an_account, whole
from tests.faults.ways import WAYS

FULL = (10_000_000, 2_000_000)
LARGE = [(1_000_000, 100_000), (3_000_000, 600_000)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run and print."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what people run is compiled once, and not at each start
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    names = [
        "whole",
        "shares",
        "shapes",
        "cluster",
        "account",
        "stages",
        "rules",
        "containers",
        "archive",
        "memory",
        "requests",
        "quota",
        "start",
        "ledger",
        "people",
        "faults",
        "sequences",
    ]
    parser.add_argument("sections", nargs="*", default=names, metavar="|".join(names))
    parser.add_argument(
        "--full",
        action="store_true",
        help="plan 10,000,000 events of 2,000,000 people, about half an hour; far more kills, faults and sequences, two hours more",
    )
    parser.add_argument("--scale", type=float, default=1.0, help="make everything smaller or larger")
    given = parser.parse_args(arguments)

    def scaled(number: int) -> int:
        return max(20, int(number * given.scale))

    sizes = [(scaled(5 * people), scaled(people)) for people in (20_000, 100_000, 500_000)]
    sections: dict[str, Callable[[], str]] = {
        "whole": lambda: whole(
            [(scaled(200_000), scaled(20_000)), *([*LARGE, FULL] if given.full else [])],
            rounds=9 if given.scale >= 1 else 1,
        ),
        "shares": lambda: shares(scaled(200_000), scaled(20_000)),
        "shapes": lambda: shapes(scaled(10_000)),
        "cluster": lambda: "\n".join(
            cluster(*size) for size in [(scaled(2_000_000), scaled(200_000)), *([FULL] if given.full else [])]
        ),
        "account": lambda: against_an_account(scaled(2_000), scaled(400)),
        "stages": lambda: stages(scaled(200_000), scaled(20_000), rounds=3 if given.scale >= 1 else 1),
        "rules": lambda: rules(scaled(50_000), scaled(5_000), rounds=9 if given.scale >= 1 else 1),
        "containers": lambda: containers(scaled(50_000), scaled(5_000), rounds=3 if given.scale >= 1 else 1),
        "archive": lambda: archive([scaled(100), scaled(1_000)]),
        "memory": lambda: memory([*sizes, *([FULL] if given.full else [])]),
        "ledger": lambda: ledger(scaled(10_000_000), scaled(1_000)),
        "people": lambda: people(scaled(2_000_000), scaled(1_000)),
        "requests": lambda: requests(scaled(1_000)),
        "quota": lambda: quota(scaled(1_000), 60, 5.0),
        "start": lambda: start_up(5 if given.scale >= 1 else 1),
        "faults": lambda: faults(400, 5) if given.full else faults(scaled(40), 1, {"import": WAYS["import"]}),
        "sequences": lambda: sequences(200 if given.full else max(2, int(10 * given.scale))),
    }
    for name in given.sections:
        print(sections[name](), flush=True)


if __name__ == "__main__":
    main()
