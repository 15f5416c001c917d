from __future__ import annotations

import gzip
import io
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fsseg.segment import (
    POSITION_BITS,
    Event,
    Input,
    Rejected,
    UnreadableInput,
    count_lines,
    read,
    split,
)
from tests.segment.messages import Write, drained, lines, message, outcomes, read_all, told, track

MIB = 1 << 20
GOOD = message()


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b"not json", "not_json"),
        (b'{"type":"identify"', "not_json"),
        (b"{'type': 'identify'}", "not_json"),
        (b'{"userId":nan}', "not_json"),
        (b"NaN", "not_json"),
        (b'{"a":"\x00"}', "not_json"),
        (b"\x00\x00", "not_json"),
        (b"[" * 100_000 + b"]" * 100_000, "not_json"),
        (b'{"type":"\xe9"}', "not_utf8"),
        (b"\xff\xfe\xfd", "not_utf8"),
        (b"7", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"null", "not_an_object"),
        (b"true", "not_an_object"),
        (b"[]", "not_an_object"),
        (b"[7]", "not_an_object"),
        (b"[" * 500 + b"]" * 500, "not_an_object"),
    ],
)
def test_a_bad_line_is_told_and_the_others_are_read(write: Write, bad: bytes, code: str) -> None:
    for content in (lines(GOOD) + bad + b"\n" + lines(track()), lines(GOOD, track()) + bad):
        items = read_all(write(content))
        (rejected,) = (item for item in items if isinstance(item, Rejected))
        assert (len(items), rejected.code, rejected.original) == (3, code, None)
        assert rejected.raw == bad.decode("utf-8", "replace")[:1000]


@pytest.mark.parametrize(
    "bad",
    [b"not json", b'{"type":"identify","userId":"u', b'{"a":{"b":1}', b'{"a":[{"b":1},', b"\xff", b"\0", b"[oops"],
)
def test_a_bad_first_line_does_not_hide_the_others(write: Write, bad: bytes) -> None:
    items = read_all(write(bad + b"\n" + lines(GOOD, GOOD)))
    assert [type(item) for item in items[:3]] == [Rejected, Event, Event]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
@pytest.mark.parametrize(
    "cut", [b'{"type":"track","event":"Sig', b'{"type":"track",', b'{"type":', b'{"userId":"\xc3\xa9']
)
def test_a_line_that_was_cut_off_is_told_to_be_one(write: Write, cut: bytes, end: bytes) -> None:
    """Not as the odd character that a line end is within a text."""
    (rejected,) = (item for item in read_all(write(lines(GOOD) + cut + end)) if isinstance(item, Rejected))
    assert rejected.detail == "the line is cut off"


def test_blank_lines_and_line_ends_of_any_kind_count_for_nothing(write: Write) -> None:
    content = b"\r\n\n  \t \r\n" + lines(GOOD).replace(b"\n", b"\r\n") + b"\n\n" + lines(track()).strip()
    items = read_all(write(content))
    assert [item.line for item in items] == [4, 7]
    assert [item.position for item in items] == [0, 1]
    assert drained(write(content)).events == 2


def test_an_empty_file_holds_nothing(write: Write) -> None:
    for content in (b"", b"\n\n", b"\xef\xbb\xbf"):
        assert read_all(write(content)) == []


def test_the_byte_order_mark_is_no_part_of_the_first_line(write: Write) -> None:
    assert outcomes(read_all(write(b"\xef\xbb\xbf" + lines(GOOD)))) == ["m-1"]


def test_the_last_of_duplicate_keys_wins(write: Write) -> None:
    (item,) = read_all(write(b'{"type":"track","type":"identify","userId":"a","userId":"b","traits":{}}'))
    assert isinstance(item, Event)
    assert (item.type, item.message.user_id) == ("identify", "b")


def test_numbers_beyond_64_bits_do_no_harm(write: Write) -> None:
    (item,) = read_all(write(b'{"type":"identify","userId":"a","traits":{"n":123456789012345678901234567890}}'))
    assert isinstance(item, Event)


def test_a_line_too_large_is_told_by_its_beginning(write: Write) -> None:
    huge = orjson.dumps(message(traits={"x": "é" * MIB}))
    largest = b" " * (MIB - len(lines(GOOD)) + 1) + lines(GOOD)
    for content in (
        huge + b"\n" + lines(GOOD) + largest,
        lines(GOOD) + huge + b"\n" + largest,
        largest + lines(GOOD) + huge,
        lines(GOOD) + b" " + largest + lines(track()),
        lines(GOOD, GOOD) + b"  " + largest[:-1],
    ):
        items = read_all(write(content))
        assert sorted(outcomes(items)) == ["m-1", "m-1", "too_large"]
        (rejected,) = (item for item in items if isinstance(item, Rejected))
        assert len(rejected.raw or "") == 1000


class Endless(io.RawIOBase):
    """A stream made up as it is read."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self.parts = parts

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return next(self.parts, b"")


@pytest.mark.parametrize("start", [b"", b"{", b'{"type":"identify","traits":{"x":"', lines(GOOD), b"[", b'[{"x":"'])
def test_a_line_of_any_length_takes_no_memory(start: bytes) -> None:
    def parts() -> Iterator[bytes]:
        yield start or b"x"
        for _ in range(200):
            yield b"x" * (MIB // 4)

    tracemalloc.start()
    try:
        stream = Endless(parts())
        codes = outcomes(list(read(Input("-", 0), stream)))  # type: ignore[arg-type]  # it only has to be read from
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert {"too_large", "truncated", "not_json"} & set(codes)
    assert peak < 16 * MIB


def test_standard_input_is_read(write: Write) -> None:
    reader = read(Input("-", 3), io.BytesIO(lines(GOOD, track(messageId="m-2"))))
    assert outcomes(list(reader)) == ["m-1", "m-2"]
    assert (reader.container, reader.events) == ("jsonl", 2)


def test_an_input_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.jsonl", tmp_path):
        with pytest.raises(UnreadableInput, match=path.name) as raised:
            read_all(path)
        assert raised.value.reason


def test_positions_are_unique_and_in_the_order_of_the_text(write: Write) -> None:
    first = write(lines(GOOD, 7, {"batch": [GOOD, track(), 8]}, track()), "a")
    second = write(lines([GOOD, GOOD]), "b")
    positions = [
        item.position for number, path in enumerate((first, second)) for item in read(Input(str(path), number))
    ]
    assert positions == [*range(6), 1 << POSITION_BITS, (1 << POSITION_BITS) + 1]


JUNK = st.one_of(
    st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")),
    st.recursive(
        st.one_of(
            st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False), st.text(max_size=9)
        ),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(
                st.one_of(
                    st.sampled_from(["type", "userId", "user_id", "event", "timestamp", "batch", "context", "_fsseg"]),
                    st.text(max_size=5),
                ),
                inner,
                max_size=5,
            ),
        ),
        max_leaves=12,
    ).map(lambda value: orjson.dumps(value)),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["identify", "track", "page", "alias", "x", 1, None])},
        optional={
            key: st.one_of(st.none(), st.text(max_size=3), st.integers(0, 9), st.just({}), st.just([]))
            for key in ("userId", "anonymousId", "event", "traits", "properties", "timestamp", "messageId", "context")
        },
    ).map(lambda value: orjson.dumps(value)),
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(JUNK, max_size=8))
def test_every_line_that_is_not_blank_gives_something(write: Write, junk: list[bytes]) -> None:
    items = read_all(write(lines(GOOD) + b"\n".join(junk)))
    given = {number for number, line in enumerate(junk, 2) if line.strip()}
    assert {item.line for item in items} == given | {1}
    assert [item.position for item in items] == list(range(len(items)))
    for item in items:
        if isinstance(item, Event):
            assert item.message.user_id or item.message.anonymous_id or item.type == "alias"
            assert item.message.message_id


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_whatever_raise_anything(write: Write, content: bytes) -> None:
    try:
        items = read_all(write(content))
    except UnreadableInput as error:
        items = []
        told = error.reason
    else:
        told = "events"
    assert told
    assert [item.position for item in items] == list(range(len(items)))


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.one_of(st.just(lines(GOOD).strip()), JUNK), max_size=9), st.integers(1, 12), st.booleans())
def test_ranges_give_together_what_the_whole_gives(write: Write, body: list[bytes], parts: int, ended: bool) -> None:
    path = write(lines(GOOD) + b"\n".join(body) + b"\n" * ended)
    pieces = split(str(path), parts, 5)
    assert [piece.number for piece in pieces] == list(range(5, 5 + len(pieces)))
    found = [item for piece in pieces for item in read(piece)]
    located = [item.line + count_lines(piece) for piece in pieces for item in read(piece)]
    whole = read_all(path)
    assert [replace(item, position=0, line=0) for item in found] == [
        replace(item, position=0, line=0) for item in whole
    ]
    assert located == [item.line for item in whole]
    assert all(one.position < other.position for one, other in pairwise(found))


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.one_of(st.just(lines(GOOD).strip()), JUNK), max_size=9), st.integers(2, 7), st.booleans(),
    st.sampled_from([None, -1, -9]), st.sampled_from([lines(GOOD), b"user_id,email\n" + 20 * b"u-1,a@x.example\n"]),
)  # fmt: skip
def test_parts_of_what_is_packed_give_together_what_the_whole_gives(
    write: Write, body: list[bytes], jobs: int, ended: bool, cut: int | None, begin: bytes
) -> None:
    path = write(gzip.compress(begin + b"\n".join(body) + b"\n" * ended)[:cut], "people")
    try:
        whole = read_all(path)
    except UnreadableInput:
        return
    pieces = split(str(path), 9, 0, jobs)
    assert len(pieces) <= jobs
    found, before = [], 0
    for piece in pieces:
        reader = read(piece)
        found += [replace(item, position=0, line=item.line + before) for item in reader]
        before += reader.lines
    assert [told_of(item) for item in found] == [told_of(replace(item, position=0)) for item in whole]


def told_of(item: Event | Rejected) -> Any:
    """What can be compared of an item."""
    return (item.line, item.time, told(item)) if isinstance(item, Event) else item


def test_every_cut_of_a_packed_file_gives_each_line_and_its_end_once(write: Write) -> None:
    content = lines(GOOD) + b"\n" + lines(track(messageId="m-2")) + b"oops\n" + lines(track(messageId="m-3")) + b'{"a'
    path = write(gzip.compress(content)[:-1])
    for cut in range(len(content) + 2):
        found = outcomes(read_all(path, end=cut, is_packed=True)) + outcomes(read_all(path, start=cut, is_packed=True))
        assert found == ["m-1", "m-2", "not_json", "m-3", "truncated"], cut


def test_every_cut_of_a_file_gives_each_line_once(write: Write) -> None:
    content = lines(GOOD) + b"\n" + lines(track(messageId="m-2")) + b"oops\n" + lines(track(messageId="m-3")).strip()
    path = write(content)
    for cut in range(len(content) + 2):
        found = outcomes(read_all(path, end=cut)) + outcomes(read_all(path, start=cut))
        assert found == ["m-1", "m-2", "not_json", "m-3"], cut


def test_only_plain_files_of_lines_are_split(write: Write) -> None:
    assert len(split(str(write(lines(*[GOOD] * 50))), 4)) == 4
    for content in (b"", lines(GOOD), b"\x1f\x8b", b"[\n" + lines(GOOD) + b"]", b"type,userId\n"):
        assert split(str(write(content)), 1, 7) == [Input(str(write(content)), 7)]
    for content in (b"\x1f\x8b", b"[\n" + lines(GOOD) + b"]", b"type,userId\n"):
        assert split(str(write(content)), 4, 7) == [Input(str(write(content)), 7)]
    assert split("-", 4) == [Input("-", 0)]
