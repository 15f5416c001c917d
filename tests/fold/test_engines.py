"""However many processes read, the plan is the same: to the last row, count and line number."""

from __future__ import annotations

import gzip
import os
import random
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pyarrow
import pytest
from pyarrow import parquet

from fsseg.fold import group, partitions
from fsseg.fold.collect import Collector
from fsseg.fold.dedupe import DedupeIndex
from fsseg.fold.engines import FoldEngine, processes
from fsseg.fold.engines.local import LocalEngine
from fsseg.fold.engines.parts import grouped, parts_of
from fsseg.fold.engines.processes import PART, ProcessesEngine
from fsseg.fold.records import write_records
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.rules import Rules
from fsseg.processes import Processes
from fsseg.segment.open import Input
from fsseg.state.plan_store import Store
from tests.bench.generate import lines
from tests.segment import exports

CATALOG = Catalog.standard("classic")
RULES = Rules(offline=True, with_group=True, stitch_anonymous=True)


def message(number: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "identify",
        "userId": f"u{number % 17}",
        "anonymousId": f"a{number % 5}",
        "messageId": f"m{number}",
        "timestamp": f"2025-01-{number % 28 + 1:02d}T10:00:00.000Z",
        "traits": {
            "email": f"u{number % 11}@example.com",
            "firstName": f"N{number}",
            "company": {"name": f"C{number % 3}"},
        },
        **more,
    }


ODD = [
    rb'{"type":"identify","userId":"u%(n)d","messageId":"o%(n)d","timestamp":"2025-01-02T10:00:00.000Z",' + rest
    for rest in (
        rb'"traits":{"email":"u@example.com","firstName":"half \ud800 of a character","x\udc00":"\ud83d"}}',
        rb'"traits":{"email":"u@example.com","plan":98765432109876543210987,"amount":-1e400,"x":NaN}}',
        rb'"traits":{"email":"not an address","company":[1,{"name":"C"}],"phone":"4.9E+11","favoriteColor":{}}}',
        rb'"traits":"none"}',
        b'"traits":{"email":"u@example.com","deep":' + b"[" * 300 + b"]" * 300 + b"}}",
        rb'"type":"track","event":"half \udfff","properties":{"revenue":18446744073709551616}}',
    )
]
"""Lines with what JSON allows and hardly anything else can hold."""


def mixed(seed: int, count: int) -> list[bytes]:
    """Every kind of line: repetitions far apart and of other people, shared e-mails, bad lines, blank ones."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        match chance.randrange(12):
            case 0:
                made.append(b"{broken")
            case 1:
                made.append(b"")
            case 2:
                made.append(orjson.dumps(message(number, messageId=f"m{chance.randrange(count)}")))
            case 3:
                made.append(orjson.dumps(message(number, traits={"firstName": "no e-mail"})))
            case 4:
                made.append(orjson.dumps(message(number, type="track", event="Signed In", userId=None, properties={})))
            case 5:
                made.append(orjson.dumps(message(number, type="track", event="Signed In", properties={"n": number})))
            case 6:
                made.append(orjson.dumps(message(number, type="group", groupId="g", traits={"name": f"C{number % 4}"})))
            case 7:
                made.append(orjson.dumps(message(number, type="alias", previousId="p")))
            case 8:
                made.append(
                    orjson.dumps(message(number, userId=f"U{number % 11}@example.com", traits={"favoriteColor": 1}))
                )
            case 9:
                made.append(
                    chance.choice(ODD) % {b"n": number} if chance.random() < 0.5 else b"\xff" + chance.choice(ODD)
                )
            case _:
                made.append(orjson.dumps(message(number)))
    return made


def planned(folder: Path, paths: Sequence[Path | str], jobs: int, limit: int | None = None) -> dict[str, Any]:
    """Everything that reading has put into the store, and everything counted."""
    folder.mkdir(mode=0o700)
    with closing(Processes(jobs, folder)) as pool:
        engine = LocalEngine(folder, CATALOG, RULES, limit) if jobs == 1 else ProcessesEngine(pool, CATALOG, RULES)
        return planned_by(engine, folder, paths)


def planned_by(
    engine: FoldEngine, folder: Path, paths: Sequence[Path | str], delivered: Sequence[int] = ()
) -> dict[str, Any]:
    """The same with any engine, where events of these keys were delivered before."""
    inputs = [Input(str(path), number) for number, path in enumerate(paths)]
    ticks: list[int] = []
    with closing(Store(folder / "plan.db")) as store, closing(engine):
        collector = Collector(store, DedupeIndex(lambda keys: [key for key in keys if key in delivered]))
        for input in inputs:
            store.db.execute("INSERT INTO input (number, path, shown) VALUES (?, ?, ?)", (input.number, "", input.path))
        engine.read(inputs, collector, ticks.append)
        write_records(store, collector, engine.fold(collector.size), CATALOG.edition, None)
        tables = ("input", "record", "folded", "entry", "reject", "fragment")
        found: dict[str, Any] = {table: store.db.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
        assert sum(ticks) == collector.counts.read
        return found | {"counts": collector.counts, "warnings": collector.warnings.rows()}


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    big, packed, small, missing = (tmp_path / name for name in ("big.jsonl", "packed.gz", "small.json", "missing"))
    big.write_bytes(b"\n".join(mixed(1, 3_000)))
    packed.write_bytes(gzip.compress(b"\n".join(mixed(2, 500))))
    small.write_bytes(b"[" + orjson.dumps(message(7)) + b",\n" + orjson.dumps(message(3_001)) + b"]")
    return [big, packed, missing, small]


def test_small_files_are_read_together_and_give_the_same_plan(tmp_path: Path) -> None:
    some = mixed(1, 1_500)
    paths = [tmp_path / f"{number:02d}.jsonl" for number in range(50)]
    for number, path in enumerate(paths):
        path.write_bytes(b"\n".join(some[number * 20 : number * 20 + 40]))  # a half of each is in the next, too
    paths = [tmp_path / "nothing", *paths]
    paths[0].touch()
    one = planned(tmp_path / "one", paths, 1)
    assert one["counts"].reasons["skipped", "duplicate"] > 500
    assert planned(tmp_path / "several", paths, 2) == one
    sizes = [path.stat().st_size for path in paths]
    parts = [parts_of(Input(str(path), number), PART) for number, path in enumerate(paths)]
    groups = grouped(parts, sizes, sum(sizes) // 8)
    assert 8 <= len(groups) <= 12


@pytest.mark.parametrize("largest", [None, partitions.LARGEST, 800])
def test_more_processes_give_the_same_plan(
    tmp_path: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch, largest: int | None
) -> None:
    spill(monkeypatch, largest)
    monkeypatch.setattr(processes, "PART", files[0].stat().st_size // 7)
    one, two = planned(tmp_path / "one", files, 1), planned(tmp_path / "two", files, 2)
    assert one["counts"].reasons["skipped", "duplicate"] > 100
    assert len(one["counts"].unreadable) == 1
    assert two == one
    assert [name for name in os.listdir(tmp_path / "two") if not name.startswith("plan.db")] == []


def spill(patch: pytest.MonkeyPatch, largest: int | None) -> None:
    """Let rows be folded in partitions, or pieces of them, of so many bytes at most."""
    if largest is not None:
        patch.setattr(partitions, "SPILL", 30_000)
        patch.setattr(partitions, "LARGEST", largest)


@pytest.mark.parametrize("largest", [partitions.LARGEST, 800])
def test_rows_that_do_not_fit_into_memory_give_the_same_people(
    tmp_path: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch, largest: int
) -> None:
    held = planned(tmp_path / "held", files, 1)
    spill(monkeypatch, largest)
    monkeypatch.setattr(group, "AT_ONCE", 3)
    spilled = planned(tmp_path / "spilled", files, 1)
    assert spilled["counts"] == held["counts"]
    assert people(spilled) == people(held)
    assert people_of_entries(spilled) == people_of_entries(held)


def people(found: dict[str, Any]) -> dict[tuple[str, str, str | None], Any]:
    """Records and deals by their match keys, without ids, with the states of people."""
    states = {id: orjson.loads(state) for id, state in found["folded"]}  # whose parts are in any order
    names = {row[0]: row[4] for row in found["record"]}
    return {(row[1], row[4], names.get(row[7])): (*row[3:7], *row[8:], states.get(row[0])) for row in found["record"]}


def people_of_entries(found: dict[str, Any]) -> dict[int, str | None]:
    names = {row[0]: row[4] for row in found["record"]}
    return {row[3]: names.get(row[2]) for row in found["entry"]}


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_bench_lines_give_the_same_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "bench.jsonl"
    path.write_bytes(pack(b"".join(lines(3, 4_000, 600, 40, duplicates=0.05))))
    monkeypatch.setattr(processes, "PART", path.stat().st_size // 5)
    assert planned(tmp_path / "three", [path], 3) == planned(tmp_path / "one", [path], 1)


def test_the_groups_of_rows_of_a_large_parquet_file_give_the_same_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {
            "id": f"m-{number % 900}", "user_id": f"u-{number % 70}" if number % 50 else None, "anonymous_id": None,
            "received_at": "2025-01-01T10:00:00Z", "timestamp": f"2025-01-{number % 28 + 1:02d}T10:00:00.000Z",
            "email": f"p{number % 70}@x.example", "title": f"T{number}",
        }
        for number in range(1_000)
    ]  # fmt: skip
    path = tmp_path / "identifies.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(rows), path, row_group_size=90)
    monkeypatch.setattr(processes, "PART", path.stat().st_size // 5)
    one, three = planned(tmp_path / "one", [path], 1), planned(tmp_path / "three", [path], 3)
    assert one["counts"].reasons["rejected", "no_user_anon_id"] == 20
    assert three == one


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_the_rows_of_a_large_csv_file_give_the_same_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]
) -> None:
    rows = [
        (f"u-{number % 70}", f"p{number % 70}@x.example", f"T{number}", "a\nb" * (number % 3)) for number in range(900)
    ]
    path = tmp_path / "people.csv"
    content = exports.table(["user_id", "email", "title", "note"], [*rows[:500], ["u-1", "caf"], *rows[500:]])
    path.write_bytes(pack(content))
    monkeypatch.setattr(processes, "PART", path.stat().st_size // 5)
    one, three = planned(tmp_path / "one", [path], 1), planned(tmp_path / "three", [path], 3)
    assert one["counts"].reasons["rejected", "bad_row"] == 1
    assert three == one


def test_a_limit_counts_what_passes_the_filters_and_reads_no_further(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    kept, skipped = orjson.dumps(message(1)), orjson.dumps(message(2, type="alias", previousId="p"))
    path.write_bytes(b"\n".join([skipped, kept, kept, orjson.dumps(message(3)), b"{broken"]))
    found = planned(tmp_path / "run", [path, path], 1, limit=3)
    assert found["counts"].read == 4
    assert dict(found["counts"].reasons) == {("skipped", "unsupported_type"): 1, ("skipped", "duplicate"): 1}
    assert [row[4] for row in found["input"]] == [4, None]


def test_a_repetition_that_could_not_be_mapped_is_a_repetition(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    bare = orjson.dumps(message(1, traits={"favoriteColor": "blue"}))
    path.write_bytes(b"\n".join([bare, bare]))
    counts = planned(tmp_path / "run", [path], 1)["counts"]
    assert dict(counts.reasons) == {("rejected", "missing_email"): 1, ("skipped", "duplicate"): 1}


def test_warnings_of_a_repetition_are_not_counted(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    odd = orjson.dumps(message(1, traits={"email": "a@example.com", "lifecycleMood": {"a": 1}, "lead_score": 5}))
    path.write_bytes(b"\n".join([odd, odd]))
    assert {row["count"] for row in planned(tmp_path / "run", [path], 1)["warnings"]} == {1}


def test_what_is_nested_deeper_than_can_be_written_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(
        b'{"type":"track","event":"Deep","userId":"u@example.com","messageId":"m","timestamp":"2025-01-01T00:00:00.000Z",'
        b'"properties":' + b'{"a":' * 1_000 + b"1" + b"}" * 1_000 + b"}"
    )
    assert len(planned(tmp_path / "run", [path], 1)["entry"]) == 1
