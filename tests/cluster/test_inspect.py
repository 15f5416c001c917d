"""`inspect` on a cluster says what it says in one process: counts, first places, suggestions."""

from __future__ import annotations

import gzip
import random
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import asdict

from fsseg.cluster import Cluster
from fsseg.fold.engines import cluster as engine
from fsseg.fold.engines.cluster_inspection import inspected
from fsseg.mapping.counts import Distinct
from fsseg.mapping.explain import Explainer
from fsseg.mapping.inspection import Inspection
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.profiles import Profiles
from fsseg.mapping.rules import Rules
from fsseg.segment.open import Input
from fsseg.segment.read import read
from tests.e2e.harness import Machine
from tests.fold.test_engines import CATALOG, mixed

RULES = Rules(offline=True)


def fresh() -> Inspection:
    return Inspection(lambda warnings: Mapper(CATALOG, RULES, warnings), Explainer(CATALOG, RULES), Profiles())


def told(inspection: Inspection) -> dict[str, Any]:
    """All that can be asked of it."""
    stats, profiles = inspection.stats, inspection.profiles
    assert profiles is not None
    counts = [len(one) for one in (stats.emails, stats.database_ids, stats.visitors, stats.messages)]
    return {
        "files": [asdict(file) for file in stats.files], "types": stats.by_type, "first": stats.first,
        "reasons": stats.reasons.most_common(), "times": (stats.earliest, stats.latest), "counts": counts,
        "names": stats.names.most_common(), "passed": stats.passed, "traits": inspection.traits(),
        "warnings": inspection.other_warnings(), "calls": profiles.calls, "profiles": profiles.of,
    }  # fmt: skip


def test_parts_add_up_to_the_whole(tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    big, packed, other, missing = (tmp_path / name for name in ("big.jsonl", "packed.gz", "other.jsonl", "missing"))
    big.write_bytes(b"\n".join(mixed(1, 3_000)))
    packed.write_bytes(gzip.compress(b"\n".join(mixed(2, 300))))
    other.write_bytes(b"\n".join(mixed(3, 300)))
    inputs = [Input(str(path), number) for number, path in enumerate((big, packed, missing, other))]
    whole = fresh()
    for input in inputs:
        whole.take(input, read(input), lambda count: None)
    monkeypatch.setattr(engine, "PARTS", (big.stat().st_size // 7,) * 2)
    added, ticks, notes = fresh(), list[int](), list[str]()
    for taken, lines in inspected(cluster, inputs, CATALOG, RULES, ticks.append, notes.append, suggest=True):
        added.add_all(taken, lines)
    assert told(added) == told(whole)
    assert sum(ticks) == whole.stats.read
    assert len(notes) > 7


def test_the_command_says_the_same(classic: Machine, address: str) -> None:
    classic.write("e.jsonl", b"\n".join(mixed(5, 500)))
    one = classic.spawn("inspect", "--offline", "--suggest", "e.jsonl")
    spread = classic.spawn("inspect", "--offline", "--suggest", "--cluster", address, "e.jsonl")
    assert one.out == spread.out
    assert (one.code, spread.code) == (1, 1)


@pytest.mark.parametrize("count", [1_000, 300_000])
def test_different_keys_are_as_many_in_whatever_order_and_halves_they_come(count: int) -> None:
    chance = random.Random(count)
    keys = [chance.getrandbits(64) for _ in range(count)]
    whole, first, second = Distinct(), Distinct(), Distinct()
    for key in keys:
        whole.add(key)
    for key in reversed(keys):
        (first if key % 3 else second).add(key)
    second.add_all(first)
    assert (len(second), second.exact) == (len(whole), whole.exact)
    assert abs(len(whole) - count) < count / 50
