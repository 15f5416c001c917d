"""Lines that were events once, each changed by a few accidents, and what a dry run makes of very many of them.

    python -m tests.faults.mutations --lines 1000000 [FILE-OF-EVENTS…]

prints what became of them, and ends with an error where a run ends otherwise than it should, or loses count.
"""

from __future__ import annotations

import argparse
import gzip
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import orjson

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"
AT_ONCE = 50_000
LONGEST_S = 900

HOSTILE: Sequence[Any] = [
    None, True, False, 0, -1, 1, 2**53 + 1, 2**63, 1e308, -0.0, 0.1, 1e18, 20250304, 76204800000, "", " ", "\t", "null",
    "undefined", "0", "-1", "true", "NaN", "007", "+31 20", "1,250.00", "$ 12", "a" * 2_000, "é", "ſ", "İ", "\u202e",
    "\u200b", "\x00", "\x1b[31m", "\x85", "\ufeff", "\U0001f600", "=cmd()", "<b>", "ada@case.example",
    "Ada <ada@case.example>", "mailto:ada@case.example", "ada@", "@", "ada@bücher.example", "2024-13-45", "2024-02-29",
    "2024-W05-1", "0001-01-01T00:00:00Z", "1970-01-01", "9999-12-31T23:59:59Z", "2025-03-04T09:15:02+25:00",
    "2025-03-04T09:15:60Z", [], {}, [None], [[]], {"": ""}, {"a": {"b": {"c": 1}}}, ["x", 1, None, {}],
    "Order Completed", "Completed Order", "Audience Entered", "Trait Computed", "identify", "track", "page", "group",
    "screen", "alias", "delete", "Identify",
]  # fmt: skip
NAMES = (
    "type", "userId", "anonymousId", "messageId", "event", "name", "traits", "properties", "context", "integrations",
    "timestamp", "originalTimestamp", "receivedAt", "sentAt", "groupId", "previousId", "email", "company", "deal",
    "address", "fsContact", "title", "phone", "user_id", "Type", "TRAITS", "options", "_fsseg", "batch", "data", "",
    "a.b", "$contact", "lead:email", "$event", "audience_key", "trait_key", "products", "total", "revenue", "currency",
)  # fmt: skip
PIECES = (
    b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\", b"\\u", b"\\ud800", b"\\u0000", b"\x00", b"\x1e", b"\xff", b"\xc3",
    b"\xef\xbb\xbf", b"1e999", b"-", b"." , b"null", b"NaN", b"}{", b"}, {", b" ", b"'", b'""', b"9" * 400, b"[" * 300,
)  # fmt: skip


def events_of(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """The events that stand in these files, one a line, or as items of an array or a batch."""
    found: list[dict[str, Any]] = []
    for path in paths:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for text in [data] if path.suffix == ".json" else data.splitlines():
            try:
                whole = orjson.loads(text)
            except orjson.JSONDecodeError:
                continue
            items = whole.get("batch", [whole]) if isinstance(whole, dict) else whole
            found += [item for item in items if isinstance(item, dict)]
    return found


def sample_events() -> list[dict[str, Any]]:
    """Those of the samples."""
    return events_of(sorted(path for end in ("*.jsonl", "*.json", "*.jsonl.gz") for path in SAMPLES.rglob(end)))


def mutated(seed: int, events: Sequence[dict[str, Any]]) -> Iterator[bytes]:
    """Lines without end, the same for the same seed. None of them is blank or holds a line's end."""
    random = Random(seed)
    while True:
        event = orjson.loads(orjson.dumps(random.choice(events)))
        for _ in range(random.choice((0, 1, 1, 2, 3))):
            random.choice(CHANGES)(event, random)
        if random.random() < 0.8:  # else nearly all would repeat others
            event.pop("messageId", None)
        line = orjson.dumps(event)
        if random.random() < 0.3:
            line = random.choice(DAMAGES)(line, random)
        yield line.replace(b"\n", b" ").replace(b"\r", b" ").strip() or b"-"


def _object(event: dict[str, Any], random: Random) -> dict[str, Any]:
    """The event, or one of the objects in it at any depth."""
    found = event
    while inner := [value for value in found.values() if isinstance(value, dict) and value]:
        if random.random() < 0.3:
            break
        found = random.choice(inner)
    return found


def _replace(event: dict[str, Any], random: Random) -> None:
    into = _object(event, random)
    if into:
        into[random.choice([*into])] = deepcopy(random.choice(HOSTILE))


def _add(event: dict[str, Any], random: Random) -> None:
    _object(event, random)[random.choice(NAMES)] = deepcopy(random.choice(HOSTILE))


def _drop(event: dict[str, Any], random: Random) -> None:
    into = _object(event, random)
    if into:
        del into[random.choice([*into])]


def _rename(event: dict[str, Any], random: Random) -> None:
    into = _object(event, random)
    if into:
        into[random.choice(NAMES)] = into.pop(random.choice([*into]))


def _wrap(event: dict[str, Any], random: Random) -> None:
    into = _object(event, random)
    if into:
        name = random.choice([*into])
        into[name] = random.choice(
            ([into[name]], {name: into[name]}, str(into[name]), [into[name], deepcopy(into[name])])
        )


def _shift(event: dict[str, Any], random: Random) -> None:
    event["timestamp"] = random.choice((random.randrange(-(10**13), 10**13), random.random() * 1e10, "2025-1-2 3:04"))


CHANGES: Sequence[Callable[[dict[str, Any], Random], None]] = (_replace, _replace, _add, _drop, _rename, _wrap, _shift)


def _cut(line: bytes, random: Random) -> bytes:
    return line[: random.randrange(1, len(line) + 1)]


def _insert(line: bytes, random: Random) -> bytes:
    at = random.randrange(len(line) + 1)
    return line[:at] + random.choice(PIECES) + line[at:]


def _flip(line: bytes, random: Random) -> bytes:
    at = random.randrange(len(line))
    return line[:at] + bytes([line[at] ^ 1 << random.randrange(8)]) + line[at + 1 :]


def _remove(line: bytes, random: Random) -> bytes:
    at = random.randrange(len(line))
    return line[:at] + line[at + random.randrange(1, 20) :]


def _repeat(line: bytes, random: Random) -> bytes:
    at, end = sorted((random.randrange(len(line) + 1), random.randrange(len(line) + 1)))
    return line[:end] + line[at:end] + line[end:]


def _join(line: bytes, random: Random) -> bytes:
    return random.choice((b"", b",", b" ", b"\x1e")).join([line] * random.randrange(2, 4))


def _enclose(line: bytes, random: Random) -> bytes:
    begin, end = random.choice(((b"[", b"]"), (b'{"batch":[', b"]}"), (b'{"x":', b"}"), (b'"', b'"'), (b"\x1e", b"")))
    return begin + line + end


DAMAGES: Sequence[Callable[[bytes, Random], bytes]] = (_cut, _insert, _flip, _flip, _remove, _repeat, _join, _enclose)

SETTINGS = """
[mapping.person]
plan = { field = "cf_plan", values = { pro = "Pro" } }
full = { field = "cf_region", template = "{first_name} {email}" }
seats = { field = "cf_seats", from = ["seats", "company.employees"], number = true }
"address.street" = "address"
companyName = "company.name"
born = { field = "cf_born", date = ["%d/%m/%Y", "%Y%m%d"] }
tags = { field = "cf_tags", split = ",", join = ";", case = "title", trim = true }

[mapping.event."*".fields]
cf_last_event = "$event"
cf_events = { take = "count" }

[mapping.event."Order Completed".fields]
cf_revenue = { take = "sum", of = ["total", "revenue"], number = true }
cf_first_order = { take = "first" }
"""
WAYS: Sequence[Sequence[str]] = (
    (),
    ("--stitch-anonymous", "--with", "group", "--create-missing"),
    ("--strict", "--jobs", "2"),
    ("--match", "email", "--edition", "suite", "--with", "group"),
)


def outcomes(lines: Sequence[bytes], way: Sequence[str], folder: Path) -> Counter[str]:
    """How an offline dry run of these lines ended for how many events. Raises `AssertionError` where it is wrong."""
    path, settings = folder / "mutated.jsonl", folder / "fsseg.toml"
    settings.write_text(SETTINGS)
    path.write_bytes(b'{"type":"page"}\n' + b"\n".join(lines) + b"\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FSSEG_")}
    command = [sys.executable, "-m", "fsseg", "dry-run", str(path), "--offline", "--domain", "acme", "--json",
               "--no-progress", "--config", str(settings), "--state-dir", str(folder / "state"), *way]  # fmt: skip
    done = subprocess.run(command, capture_output=True, check=False, env=kept, cwd=ROOT, timeout=LONGEST_S)
    said = done.stderr.decode("utf-8", "replace")
    assert done.returncode in (0, 1), said
    assert "Traceback" not in said, said
    events = orjson.loads(done.stdout)["events"]
    assert sum(events["outcomes"].values()) == events["read"] > len(lines), events
    return Counter(events["outcomes"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.mutations", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE-OF-EVENTS", help="besides the samples")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    lines = mutated(given.seed, [*sample_events(), *events_of(given.files)])
    found: Counter[str] = Counter()
    for number, begin in enumerate(range(0, given.lines, AT_ONCE)):
        some = [next(lines) for _ in range(min(AT_ONCE, given.lines - begin))]
        with tempfile.TemporaryDirectory() as name:
            found += outcomes(some, WAYS[number % len(WAYS)], Path(name))
        print(f"{begin + len(some):,} lines, {found.total():,} events: {dict(found)}", flush=True)


if __name__ == "__main__":
    main()
