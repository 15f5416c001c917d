from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest

from fsseg.segment import Event, Rejected
from tests.segment.messages import Write, drained, lines, message, outcomes, read_all

MANY = [message(messageId=f"m-{number}", traits={"email": f"{number * 7919}@x.example"}) for number in range(2000)]
CONTENT = lines(*MANY)
ALL = [each["messageId"] for each in MANY]


@pytest.mark.parametrize("name", ["events.jsonl.gz", "events.jsonl", "events"])
def test_gzip_is_told_by_content_not_by_name(write: Write, name: str) -> None:
    path = write(gzip.compress(CONTENT), name)
    assert outcomes(read_all(path)) == ALL
    assert drained(path).container == "jsonl.gz"


def test_plain_content_under_a_gzip_name_is_read(write: Write) -> None:
    path = write(CONTENT, "events.jsonl.gz")
    assert outcomes(read_all(path)) == ALL
    assert drained(path).container == "jsonl"


def test_members_follow_each_other_wherever_they_are_cut(write: Write) -> None:
    halves = [gzip.compress(part) for part in (CONTENT[:70_001], b"", CONTENT[70_001:])]
    assert outcomes(read_all(write(b"".join(halves)))) == ALL
    assert outcomes(read_all(write((b"\0" * 512).join(halves) + b"\0" * 100_000))) == ALL


def test_gzip_twice_over_is_read(write: Write) -> None:
    assert outcomes(read_all(write(gzip.compress(gzip.compress(CONTENT))))) == ALL


def test_a_byte_order_mark_within_gzip_is_dropped(write: Write) -> None:
    assert outcomes(read_all(write(gzip.compress(b"\xef\xbb\xbf" + CONTENT)))) == ALL


@pytest.mark.parametrize("left", [0.1, 0.5, 0.9, 0.999])
def test_a_cut_file_keeps_what_came_before_and_adds_one_rejection(write: Write, left: float) -> None:
    packed = gzip.compress(CONTENT)
    path = write(packed[: int(len(packed) * left)])
    items = read_all(path)
    *before, last = items
    assert outcomes(before) == ALL[: len(before)]
    assert isinstance(last, Rejected)
    assert last.code == "truncated"
    assert drained(path).events == len(items)
    assert left < 0.5 or len(before) > 100


def test_a_cut_in_the_last_line_is_the_truncation_itself(write: Write) -> None:
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(CONTENT[:-40]) + packer.flush(zlib.Z_FULL_FLUSH)
    *before, last = read_all(write(packed))
    assert outcomes(before) == ALL[:-1]
    assert isinstance(last, Rejected)
    assert (last.code, last.line, (last.raw or "")[:8]) == ("truncated", len(MANY), '{"type":')


def test_a_whole_last_line_counts_though_the_file_is_cut(write: Write) -> None:
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(CONTENT[:-1]) + packer.flush(zlib.Z_FULL_FLUSH)
    assert outcomes(read_all(write(packed))) == [*ALL, "truncated"]


def test_damage_keeps_what_came_before(write: Write) -> None:
    packed = bytearray(gzip.compress(CONTENT))
    packed[-5] ^= 0xFF  # the checksum
    assert outcomes(read_all(write(bytes(packed)))) == [*ALL, "truncated"]
    whole = gzip.compress(CONTENT)
    for garbage in (b"\x1f\x8b\x08garbage", b"garbage", whole[:30]):
        assert outcomes(read_all(write(whole + garbage))) == [*ALL, "truncated"]


@pytest.mark.parametrize("size", [2, 5, 12])
def test_hardly_any_gzip_at_all_is_truncated(write: Write, size: int) -> None:
    assert outcomes(read_all(write(gzip.compress(CONTENT)[:size]))) == ["truncated"]


def test_a_bomb_is_read_in_bounded_memory(write: Write) -> None:
    packer = zlib.compressobj(9, wbits=31)
    packed = packer.compress(lines(message()))
    for _ in range(200):
        packed += packer.compress(b" " * (1 << 20))
    path = write(packed + packer.compress(b"\n" + lines(message())) + packer.flush())
    tracemalloc.start()
    try:
        items = read_all(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [type(item) for item in items] == [Event, Rejected, Event]
    assert peak < 16 << 20
