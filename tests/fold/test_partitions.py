from __future__ import annotations

import resource
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsseg.fold.partitions import HEAPS, Row, Spool

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["", "#u-1", "@ada@acme.example", "#ü", "?anonymous"]),
        st.integers(0, 2**50),
        st.just("2025-01-01T00:00:00.000"),
        st.integers(0, 2**64 - 1),
        st.none() | st.text(max_size=3) | st.binary(max_size=3),
        st.binary(max_size=40),
    ),
    max_size=20,
)


@settings(max_examples=100, deadline=None)
@given(st.lists(ROWS, max_size=6), st.sampled_from([1, 200, 1 << 20]))
def test_what_is_added_comes_back_by_key_in_the_order_it_came(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Row]], most: int
) -> None:
    with closing(Spool(tmp_path_factory.mktemp("run"), most)) as spool:
        for rows in batches:
            spool.add(rows)
        heaps = [[row for block in spool.blocks([heap]) for row in block] for heap in range(HEAPS)]
    added = [row for rows in batches for row in rows]
    for key in {row[0] for row in added}:
        (heap,) = (heap for heap in heaps if any(row[0] == key for row in heap))
        assert [row for row in heap if row[0] == key] == [row for row in added if row[0] == key]
    assert sum(map(len, heaps)) == len(added)


def test_a_disk_that_fills_up_in_the_middle_of_a_spill_is_told(tmp_path: Path) -> None:
    was = resource.getrlimit(resource.RLIMIT_FSIZE)
    with closing(Spool(tmp_path, 1 << 20)) as spool:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, was[1]))
        try:
            with pytest.raises(OSError, match="too large"):
                spool.add([(f"#{n}", n, "", n, "", bytes(1_000)) for n in range(2_000)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, was)
