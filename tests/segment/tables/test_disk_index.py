from __future__ import annotations

import tracemalloc
from collections import defaultdict
from random import Random

from fsseg.segment.tables.disk_index import DiskIndex


def test_the_values_of_a_key_come_in_their_order_and_no_others() -> None:
    random, index, known = Random(5), DiskIndex(), defaultdict[str, list[list[str]]](list)
    for number in range(20_000):
        key = f"use_{random.randrange(7_000)}é"
        index.add(key, "email", f"p{number}@x.example")
        known[key].append(["email", f"p{number}@x.example"])
    assert all([*index.get(key)] == values for key, values in known.items())
    assert [*index.get("use_7001")] == []


def test_of_many_keys_little_is_in_memory() -> None:
    tracemalloc.start()
    index = DiskIndex()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(100_000):
        index.add(f"use_{number:027d}", "email", f"somebody.of.that.name.{number}@company.example")
    assert [*index.get(f"use_{99_999:027d}")] == [["email", "somebody.of.that.name.99999@company.example"]]
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert held < 100_000 * 16
