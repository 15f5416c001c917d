"""`python -m tests.faults`: as many kills and faults as you like, and what came of them.

Also the ledger at scale, with `--keys 10000000`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

from fsseg.freshsales import pacer
from fsseg.plan.ledger import Ledger
from fsseg.plan.seen import Seen
from fsseg.sandbox.options import FAULTS
from tests.e2e.harness import Machine
from tests.faults.clock import FastClock
from tests.faults.faulty import suffer
from tests.faults.kills import Ends, kill
from tests.faults.process import here
from tests.faults.server import account, stop
from tests.faults.story import Difference, before, mixed

EDITIONS = ("classic", "suite")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="over both editions")
    parser.add_argument("--rounds", type=int, default=3, help="of every kind of fault, for each edition")
    parser.add_argument("--keys", type=int, default=0, help="delivered events in a ledger, to see how it scales")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    pacer.SystemClock = FastClock  # type: ignore[misc]
    differences: list[Difference] = []
    kills = hits = again = 0
    for edition in EDITIONS if given.kills else ():
        ends = _killed(edition, given.kills // len(EDITIONS), given.seed)
        kills, again = kills + ends.kills, again + ends.written_again
        differences += ends.differences
    for edition in EDITIONS if given.rounds else ():
        for hit, written, difference in _faulted(edition, given.rounds, given.seed):
            hits, again = hits + hit, again + written
            differences.append(difference)
    print(f"kills survived    {kills}")
    print(f"faults survived   {hits}")
    print(f"records lost      {sum(len(one.lost) for one in differences)}")
    print(f"records doubled   {sum(len(one.doubled) for one in differences)}")
    print(f"written again     {again}")
    if given.keys:
        _ledger(given.keys)


@contextmanager
def _machine(edition: str) -> Iterator[Machine]:
    with tempfile.TemporaryDirectory() as folder:
        host = account(Path(folder) / "s.db", edition)
        try:
            yield Machine(host, Path(folder))
        finally:
            stop(host)


def _killed(edition: str, kills: int, seed: int) -> Ends:
    with _machine(edition) as machine:
        return kill(machine, kills, seed)


def _faulted(edition: str, rounds: int, seed: int) -> Iterator[tuple[int, int, Difference]]:
    """Faults, write requests of a second import, and what is wrong in the end, of each round of each kind."""
    with _machine(edition) as machine:
        before(machine.account)
        assert here(machine, "import", machine.write("events.jsonl", mixed())).code == 0
        wanted = machine.account.state()
        for number in range(rounds):
            for kind in FAULTS:
                machine.environment["FSSEG_STATE_DIR"] = str(machine.home / f"{kind}-{number}")
                came_to = suffer(machine, kind, wanted, seed + number)
                yield came_to.hits, came_to.written_again, came_to.final


def _ledger(keys: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, random = Path(folder) / "ledger.db", Random(1)
        began = time.perf_counter()
        with closing(Ledger(path)) as ledger:
            ledger.remember((), (random.getrandbits(64) for _ in range(keys)))
            wrote = time.perf_counter() - began
        size, seen, began = path.stat().st_size, Seen(), time.perf_counter()
        with closing(Ledger(path)) as ledger:
            seen.update(ledger.delivered())
        took = time.perf_counter() - began
        print(
            f"ledger            {keys:,} keys: {size / keys:.1f} bytes each, written in {wrote:.0f} s, read in {took:.1f} s"
        )
        assert len(seen) == keys


if __name__ == "__main__":
    main()
