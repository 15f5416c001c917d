"""What a ledger of many people takes: space for each, and time for a small import against it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import orjson

from fsseg.state.fingerprint import fingerprint, fingerprint_keys
from fsseg.state.ledger import Ledger
from tests.bench.table import table

FIELDS = ("email", "first_name", "last_name", "job_title", "work_number", "cf_plan", "cf_signup_date", "city")
PAGE = 5_000
ROUNDS = 5

Person = tuple[str, str, int, str]
Record = tuple[int, dict[str, int], int]


def people(count: int, few: int) -> str:
    """The table of ledgers of `count` people with the times of eight fields each, and of an import of a `few` events."""
    rows = []
    for name, share in (("known by an e-mail", 0.0), ("known by a database id", 1.0), ("half of each", 0.5)):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "acme.freshsales.io" / "ledger.db"
            path.parent.mkdir()
            fill(path, count, share)
            bare, full = (_seconds(Path(folder), few, host) for host in ("other.freshsales.io", "acme.freshsales.io"))
            rows.append((name, f"{path.stat().st_size / count:.0f}", f"{bare:.2f} s", f"{full:.2f} s"))
    title = f"A ledger of {count:,} people, eight fields each with three times, and one event"
    return table(title, ("", "bytes each", f"{few:,} events, empty ledger", "against it"), rows)


def fill(path: Path, count: int, share: float) -> None:
    """Deliver `count` people, a `share` of them known by a database id."""
    random = Random(1)
    with closing(Ledger(path)) as ledger:
        with ledger.changing() as change:
            for first in range(0, count, PAGE):
                made = list(_people(random, range(first, min(first + PAGE, count)), share))
                change.people(person for person, _ in made)
                change.records(record for _, record in made)
            change.events(random.getrandbits(64) for _ in range(count))
        ledger.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _people(random: Random, numbers: range, share: float) -> Iterator[tuple[Person, Record]]:
    for number in numbers:
        email, id = f"first.last{number}@company{number % 5_000}.example", 70_000_000_000 + number
        key = f"#{number}" if random.random() < share else f"@{email}"
        began = 63_870_000_000_000_000 + random.randrange(10**13)
        times = dict.fromkeys(FIELDS, began) | {"job_title": began + 10**9, "cf_plan": began + 10**12}
        (name, _) = fingerprint_keys("person", "contact", id, email, None)
        yield (key, "contact", id, email), (name, times, fingerprint("person", {"number": number}, ()))


def _seconds(state: Path, events: int, host: str) -> float:
    """The median time that planning so many new people takes, from start to end."""
    path = state / "few.jsonl"
    lines = ({"type": "identify", "userId": f"new{n}@x.example", "traits": {"title": "CEO"}} for n in range(events))
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    command = [sys.executable, "-m", "fsseg", "dry-run", "--offline", "--quiet", "--domain", host, str(path)]
    taken = []
    rounds = ROUNDS if events >= 1_000 else 1
    for _ in range(rounds):
        began = time.perf_counter()
        subprocess.run([*command, "--state-dir", str(state)], check=True, env=_environment(), cwd=state)
        taken.append(time.perf_counter() - began)
    return sorted(taken)[rounds // 2]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("FSSEG_")}
