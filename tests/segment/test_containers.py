from __future__ import annotations

import gzip
import json
import tracemalloc
from itertools import chain
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsseg.segment import Event, Rejected
from fsseg.segment.documents import document_items
from fsseg.segment.open import Source
from tests.segment.messages import Write, drained, lines, message, outcomes, read_all, told, track

ONE, TWO, THREE = (message(messageId=f"m-{number}") for number in (1, 2, 3))
IDS = ["m-1", "m-2", "m-3"]


def pretty(value: Any, indent: int | None = 2) -> bytes:
    return json.dumps(value, indent=indent).encode()


@pytest.mark.parametrize(
    ("content", "container"),
    [
        (lines(ONE, TWO, THREE), "jsonl"),
        (lines([ONE, TWO, THREE]), "jsonl"),
        (lines([ONE, TWO]) + lines([THREE]), "jsonl"),
        (pretty([ONE, TWO, THREE]), "json"),
        (pretty([ONE, TWO, THREE], None), "jsonl"),
        (b"\n \n" + pretty([ONE, TWO, THREE]), "json"),
        (b"[\n" + b",\n".join(lines(each).strip() for each in (ONE, TWO, THREE)) + b"\n]\n", "json"),
        (b"[" + b",\n".join(lines(each).strip() for each in (ONE, TWO, THREE)) + b"]", "json"),
        (pretty(ONE) + b"\n" + pretty(TWO) + pretty(THREE), "json"),
        (pretty([ONE]) + b"\n" + pretty([TWO, THREE]), "json"),
        (pretty([ONE, TWO]) + b"\n" + lines(THREE), "json"),
        (lines({"batch": [ONE, TWO, THREE]}), "batch"),
        (lines({"batch": [ONE]}, {"batch": [TWO, THREE]}), "batch"),
        (pretty({"batch": [ONE, TWO, THREE], "sentAt": "2025-03-04T09:15:03Z"}), "batch"),
        (b'{"batch":[\n' + lines(ONE) + b"," + lines(TWO) + b"," + lines(THREE) + b"]}", "batch"),
        (lines({"items": [ONE, TWO, THREE], "count": 3}), "batch"),
        (pretty({"page": 1, "events": [ONE, TWO, THREE], "next": None}), "batch"),
        (gzip.compress(pretty([ONE, TWO, THREE]), mtime=0), "json.gz"),
        (gzip.compress(lines({"batch": [ONE, TWO, THREE]}), mtime=0), "batch.gz"),
        (b"\xef\xbb\xbf" + pretty([ONE, TWO, THREE]), "json"),
    ],
)
def test_messages_are_found_in_any_container(write: Write, content: bytes, container: str) -> None:
    path = write(content)
    assert outcomes(read_all(path)) == IDS
    reader = drained(path)
    assert (reader.container, reader.events) == (container, 3)


def test_one_pretty_printed_item_per_batch_is_no_line(write: Write) -> None:
    assert outcomes(read_all(write(b'{"batch":[\n' + lines(ONE) + b"]}\n"))) == ["m-1"]


def test_items_have_the_line_they_begin_in(write: Write) -> None:
    content = b"\n[\n" + pretty(ONE) + b",\n\n  " + pretty(TWO) + b", 7,\n" + pretty(THREE) + b"]"
    height = pretty(ONE).count(b"\n")
    items = read_all(write(content))
    assert outcomes(items) == ["m-1", "m-2", "not_an_object", "m-3"]
    second = 3 + height + 2
    assert [item.line for item in items] == [3, second, second + height, second + height + 1]


def test_a_batch_speaks_for_its_items_and_the_item_wins(write: Write) -> None:
    item = track(context={"ip": "1", "page": {}}, integrations={"All": True}, sentAt="2025-01-01T00:00:00.000Z")
    bare = {"type": "track", "user_id": "u", "event": "Signed Up", "properties": {}}
    body = {
        "batch": [item, bare],
        "context": {"ip": "2", "library": {"name": "x"}},
        "integrations": {"All": False, "Freshsales": True},
        "sentAt": "2025-03-04T09:15:03.000Z",
        "messageId": "batch-1",
        "writeKey": "secret",
    }
    first, second = read_all(write(lines(body)))
    assert isinstance(first, Event)
    assert isinstance(second, Event)
    assert told(first)["context"] == {"page": {}}
    assert first.message.integrations == {"All": True, "Freshsales": True}
    assert (first.original["sentAt"], first.message.message_id) == ("2025-01-01T00:00:00.000Z", "m-1")
    assert second.original["context"] == body["context"]
    assert second.message.integrations == body["integrations"]
    assert second.time == "2025-03-04T09:15:03.000"
    assert second.message.message_id.startswith("content:")
    assert second.original["integrations"] == body["integrations"]
    assert "secret" not in str(second)


def test_bad_items_of_a_batch_do_not_spoil_the_good_ones(write: Write) -> None:
    body = {"batch": [ONE, 7, {"type": "identify"}, None, TWO]}
    assert outcomes(read_all(write(lines(body)))) == ["m-1", "not_an_object", "no_user_anon_id", "not_an_object", "m-2"]


def test_an_empty_batch_is_told(write: Write) -> None:
    assert outcomes(read_all(write(lines({"batch": []}, ONE)))) == ["missing_type", "m-1"]


def test_an_empty_array_is_an_empty_file(write: Write) -> None:
    for content in (b"[]", b"[\n]\n", b" [ ] "):
        assert read_all(write(content)) == []


def test_a_message_with_an_array_is_no_batch(write: Write) -> None:
    sent = message(items=[ONE], batch=[TWO])
    assert [item.original for item in read_all(write(lines(sent))) if isinstance(item, Event)] == [sent]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"[" + pretty(ONE) + pretty(TWO) + b"\n" + pretty(THREE) + b"]", IDS),
        (b"[\n" + lines(ONE) + b', {"a": nonsense},\n' + lines(TWO) + b"]", ["m-1", "not_json", "m-2"]),
        (b"[\n" + lines(ONE) + b', {"a": "\xe9"},\n' + lines(TWO) + b"]", ["m-1", "not_utf8", "m-2"]),
        (b'[\n"a{b", nonsense }, null,\n' + lines(TWO) + b"]", ["not_an_object", "not_json", "not_an_object", "m-2"]),
        (b"[" + lines(ONE) + b",\n" + lines(TWO), ["m-1", "m-2", "truncated"]),
        (b"[" + lines(ONE) + b",\n" + lines(TWO)[:50], ["m-1", "truncated"]),
        (pretty({"batch": [ONE, TWO]})[:-20], ["truncated"]),
        (pretty(ONE)[:-1] + b"]}", ["not_json"]),
        (gzip.compress(b"[" + lines(ONE) + b",\n" + lines(TWO) + b"]", mtime=0)[:-9], ["m-1", "truncated"]),
    ],
)
def test_damaged_arrays_give_what_they_hold(write: Write, content: bytes, found: list[str]) -> None:
    got = outcomes(read_all(write(content)))
    assert got == found or (content[:2] == b"\x1f\x8b" and got == ["m-1", "m-2", "truncated"])


def test_an_item_too_large_is_told_and_the_next_one_read(write: Write) -> None:
    huge = message(traits={"x": '{"\\' * (1 << 19)})
    items = read_all(write(pretty([ONE, huge, TWO])))
    assert outcomes(items) == ["m-1", "too_large", "m-2"]
    assert isinstance(items[1], Rejected)
    assert len(items[1].raw or "") == 1000


def test_an_array_in_one_long_line_streams(write: Write) -> None:
    path = write(pretty([message(traits={"x": "y" * 1000})] * 30_000, None))
    tracemalloc.start()
    try:
        reader = drained(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (reader.events, reader.container) == (30_000, "json")
    assert peak < 16 << 20


def test_a_batch_in_one_line_longer_than_a_message_may_be_is_read(write: Write) -> None:
    reader = drained(write(pretty({"items": [message(traits={"x": "y" * 1000})] * 2000}, None)))
    assert (reader.events, reader.container) == (2000, "batch")


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.dictionaries(st.text(max_size=4), st.text(alphabet='a"\\{}[],:é\n', max_size=8)), max_size=5), st.data()
)
def test_arrays_are_cut_at_the_same_places_whatever_the_blocks(
    write: Write, traits: list[Any], data: st.DataObject
) -> None:
    sent = [message(traits=each) for each in traits]
    content = pretty(sent, data.draw(st.sampled_from([None, 1])))
    size = data.draw(st.integers(1, 40))
    source = Source(iter([content]))
    source.blocks = chain(content[at : at + size] for at in range(0, len(content), size))
    assert [json.loads(piece) for piece, _ in document_items(source) if isinstance(piece, bytes)] == sent
    assert not source.fault


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"PAR1\x15\x04", "unknown_container"),
        (b"PK\x03\x04" + b"\0" * 99, "unknown_container"),
        (b"BZh91AY", "unknown_container"),
        (b"\x28\xb5\x2f\xfd\0", "unknown_container"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "unknown_container"),
        (b"type,userId,traits.email\nidentify,u,a@x.example\n", "unknown_container"),
        (b'"id","received_at","user_id"\n"a","b","c"\n', "unknown_container"),
        (b"id;received_at;uuid\n1;2;3\n", "unknown_container"),
        (gzip.compress(b"id\treceived_at\n1\t2\n", mtime=0), "unknown_container"),
        ('{"type":"identify"}'.encode("utf-16"), "not_utf8"),
        (b"\xfe\xff\0{", "not_utf8"),
    ],
)
def test_what_is_no_json_at_all_is_told_once(write: Write, content: bytes, code: str) -> None:
    path = write(content)
    (rejected,) = read_all(path)
    assert isinstance(rejected, Rejected)
    assert (rejected.code, rejected.line) == (code, 1)
    assert drained(path).container.startswith("unknown")
    assert drained(path).events == 1


def test_words_with_commas_are_a_bad_line_not_a_table(write: Write) -> None:
    assert outcomes(read_all(write(b"hello, world\n" + lines(ONE)))) == ["not_json", "m-1"]
