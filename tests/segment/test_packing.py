"""Packed content is what it holds, however it is packed, and as far as it can be unpacked."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from fsseg.segment.packing import CHUNK, packing_of, unpacked
from tests.segment.exports import PACKINGS, gz
from tests.segment.messages import Write, drained, lines, message, outcomes, read_all

MESSAGES = [message(messageId=f"m-{number}") for number in range(2_000)]
IDS = [f"m-{number}" for number in range(2_000)]
KINDS = list(PACKINGS)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_unpacked_whatever_its_name(write: Write, kind: str) -> None:
    path = write(PACKINGS[kind](lines(*MESSAGES)), "events.jsonl")
    assert outcomes(read_all(path)) == IDS
    assert drained(path).container == f"jsonl.{kind}"


@pytest.mark.parametrize("kind", KINDS)
def test_streams_may_follow_each_other(write: Write, kind: str) -> None:
    pack = PACKINGS[kind]
    assert outcomes(read_all(write(pack(lines(*MESSAGES[:900])) + pack(lines(*MESSAGES[900:]))))) == IDS


@pytest.mark.parametrize("kind", KINDS)
def test_layers_are_taken_off(write: Write, kind: str) -> None:
    path = write(gz(PACKINGS[kind](lines(*MESSAGES[:3]))))
    assert outcomes(read_all(path)) == IDS[:3]
    assert drained(path).container == {"gz": "jsonl.gz"}.get(kind, f"jsonl.{kind}.gz")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: data[:-1]], ids=["half", "byte"])
def test_what_ends_too_early_is_told_after_what_there_was(
    write: Write, kind: str, damage: Callable[[bytes], bytes]
) -> None:
    found = outcomes(read_all(write(damage(PACKINGS[kind](lines(*MESSAGES))))))
    assert found[-1] == "truncated"
    assert found[:-1] == IDS[: len(found) - 1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_byte_is_told_after_what_there_was(write: Write, kind: str) -> None:
    data = bytearray(PACKINGS[kind](lines(*MESSAGES)))
    data[len(data) // 2] ^= 0xFF
    found = outcomes(read_all(write(bytes(data))))
    assert "truncated" in found


@pytest.mark.parametrize("kind", KINDS)
def test_memory_is_bounded_however_well_it_is_packed(kind: str) -> None:
    packed = PACKINGS[kind](b"\n" * (64 << 20))
    assert packing_of(packed) == kind
    faults: list[str] = []
    tracemalloc.start()
    size = sum(
        map(len, unpacked(kind, (packed[at : at + CHUNK] for at in range(0, len(packed), CHUNK)), faults.append))
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (size, faults) == (64 << 20, [])
    assert peak < 48 << 20
