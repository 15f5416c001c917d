from __future__ import annotations

import resource
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsseg.fold import partitions
from fsseg.fold.partitions import HASHES, LARGEST, PARTITIONS, PartitionedBuffer, Row, together

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
@given(st.lists(ROWS, max_size=6), st.sampled_from([1, 200, 1 << 20]), st.sampled_from([1, 2, 8]))
def test_what_is_added_comes_back_by_key_in_the_order_it_came(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Row]], most: int, pieces: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partitions, "SPILL", most)
        with closing(PartitionedBuffer.nameless(tmp_path_factory.mktemp("run"))) as buffer:
            for rows in batches:
                buffer.add(rows)
            held = [[row for block in buffer.blocks(hashes) for row in block] for hashes in shares(pieces)]
    added = [row for rows in batches for row in rows]
    for key in {row[0] for row in added}:
        (partition,) = (rows for rows in held if any(row[0] == key for row in rows))
        assert [row for row in partition if row[0] == key] == [row for row in added if row[0] == key]
    assert sum(map(len, held)) == len(added)


def shares(pieces: int) -> list[range]:
    """What is folded one after another where partitions are in so many pieces."""
    return together((pieces - 1) * LARGEST * PARTITIONS + 2 * partitions.SPILL)


@pytest.mark.parametrize("size", [0, 2 << 30, 100 << 30, 300 << 30, 10 << 40])
def test_what_is_folded_at_a_time_stays_small_however_much_there_is(size: int) -> None:
    found = together(size)
    assert size / len(found) < LARGEST
    assert [hash for hashes in found for hash in (hashes.start, hashes.stop)] == [
        0, *(begin for hashes in found[1:] for begin in (hashes.start, hashes.start)), HASHES,
    ]  # fmt: skip


def test_a_disk_that_fills_up_in_the_middle_of_a_spill_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    was = resource.getrlimit(resource.RLIMIT_FSIZE)
    monkeypatch.setattr(partitions, "SPILL", 1 << 20)
    with closing(PartitionedBuffer.nameless(tmp_path)) as buffer:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, was[1]))
        try:
            with pytest.raises(OSError, match="too large"):
                buffer.add([(f"#{n}", n, "", n, "", bytes(1_000)) for n in range(2_000)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, was)
