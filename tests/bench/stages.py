"""Lines a second of reading, mapping and folding, next to bare `orjson.loads` of the same lines in the same run.

Times are processor time of this one process, the best of several rounds in which all take their turn: what else the
machine is doing then matters least.
"""

from __future__ import annotations

import gzip
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from fsseg.fold.collect import Collector
from fsseg.fold.dedupe import DedupeIndex
from fsseg.fold.engines.local import LocalEngine
from fsseg.fold.fold_partition import PartitionFold
from fsseg.fold.partitions import together
from fsseg.fold.records import write_records
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.rules import Rules
from fsseg.mapping.warning_counter import WarningCounter
from fsseg.processes import no_cycles
from fsseg.segment.event import Event
from fsseg.segment.open import Input
from fsseg.segment.read import read
from fsseg.state.plan_store import Store
from tests.bench.generate import Shares, lines
from tests.bench.table import table

BARE = "bare orjson.loads"


CATALOG = Catalog.standard("classic")
RULES = Rules(offline=True)


def plan(path: Path, folder: Path, rules: Rules = RULES) -> int:
    """Read, map and fold a file, and write what comes of it into a new store; how many events there were."""
    with collected(path, folder, rules) as (store, collector, engine):
        write_records(store, collector, engine.fold(collector.size), CATALOG.edition, None)
        return collector.counts.read


@contextmanager
def collected(path: Path, folder: Path, rules: Rules = RULES) -> Iterator[tuple[Store, Collector, LocalEngine]]:
    """A file's events, in partitions by person."""
    with (
        closing(Store(folder / "plan.db")) as store,
        closing(LocalEngine(folder, CATALOG, rules)) as engine,
        no_cycles(),
    ):
        collector = Collector(store, DedupeIndex())
        engine.read([Input(str(path), 0)], collector, _silent)
        yield store, collector, engine


def stages(events: int, people: int, rounds: int) -> str:
    """The table of the stages."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain, packed, restless = folder / "events.jsonl", folder / "events.jsonl.gz", folder / "restless.jsonl"
        content = b"".join(lines(1, events, people, max(1, people // 10)))
        size = len(content) / events
        plain.write_bytes(content)
        packed.write_bytes(gzip.compress(content, 6))
        del content
        restless.write_bytes(b"".join(lines(1, events, people, max(1, people // 10), shares=Shares(changes=1.0))))
        todo: dict[str, Callable[[], Any]] = {
            BARE: lambda: _bare(plain),
            "read": lambda: _read(plain),
            "read, gzip": lambda: _read(packed),
            "read, map": lambda: _map(plain),
            "read, dedupe, partition by person": lambda: _collect(plain, folder),
            "read, map, fold": lambda: _merge(plain, folder),
            "the same, each call with new traits": lambda: _merge(restless, folder),
            "read, map, fold, what records should hold": lambda: _fold(plain, folder),
            "all of that, into plan.db": lambda: planned(plain, folder),
        }
        if find_spec("isal"):
            todo["gzip alone: zlib"] = lambda: _unzip(packed, "zlib")
            todo["gzip alone: isal"] = lambda: _unzip(packed, "isal.isal_zlib")
        best = _best(todo, rounds)
    rows = [
        (name, f"{seconds / events * 1e6:.2f}", f"{events / seconds:,.0f}", f"{best[BARE] / seconds:.2f}")
        for name, seconds in best.items()
    ]
    title = f"{events:,} lines of {size:,.0f} bytes, {people:,} people; processor time of one core"
    return table(title, ("", "µs a line", "lines/s", "of bare orjson"), rows)


def _best(todo: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, run in todo.items():
            began = time.process_time()
            run()
            best[name] = min(best.get(name, float("inf")), time.process_time() - began)
    return best


def _bare(path: Path) -> None:
    loads = orjson.loads
    with path.open("rb", buffering=1 << 20) as file:
        for line in file:
            loads(line)


def _read(path: Path) -> None:
    for _ in read(Input(str(path), 0)):
        pass


def _map(path: Path) -> None:
    mapper = Mapper(CATALOG, RULES, WarningCounter())
    for event in read(Input(str(path), 0)):
        if isinstance(event, Event) and mapper.event_filter(event) is None:
            mapper.map(event)


def _collect(path: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as name, collected(path, Path(name)):
        pass


def _merge(path: Path, folder: Path) -> None:
    """Up to the state of each person; see `fsseg.fold.merge`."""
    merged = PartitionFold(CATALOG, Mapper(CATALOG, RULES, WarningCounter())).merged
    with tempfile.TemporaryDirectory(dir=folder) as name, collected(path, Path(name)) as (_, collector, engine):
        for hashes in together(collector.size):
            merged(engine.people(hashes))


def _fold(path: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as name, collected(path, Path(name)) as (_, collector, engine):
        for _ in engine.fold(collector.size):
            pass


def planned(path: Path, folder: Path, rules: Rules = RULES) -> None:
    """Plan into a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        plan(path, Path(name), rules)


def _unzip(path: Path, module: str) -> None:
    from importlib import import_module

    unpack = import_module(module).decompressobj(31)
    with path.open("rb") as file:
        while block := file.read(1 << 18):
            unpack.decompress(block)


def _silent(count: int) -> None:
    """Nobody is watching."""
