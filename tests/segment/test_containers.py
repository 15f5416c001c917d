from __future__ import annotations

import gzip
import json
import tracemalloc
from itertools import chain
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsseg.report.reasons import REASONS
from fsseg.segment import Event, Input, Rejected, UnreadableInput, documents, read
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


@pytest.mark.parametrize("indent", [0, orjson.OPT_INDENT_2])
def test_an_array_may_hold_batches(write: Write, indent: int) -> None:
    content = orjson.dumps([{"batch": [ONE, TWO]}, THREE], option=indent)
    assert outcomes(read_all(write(content))) == IDS


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


TABLE = b"name,city\n" + b"Kim,Oslo\n" * 1000


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PAR1\x15\x04", "damaged Parquet"),
        (b"Obj\x01\x04", "Avro"),
        (b"PK\x03\x04" + b"\0" * 99, "unpack"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image"),
        (b"%PDF-1.7\n", "PDF"),
        (TABLE, "table"),
        (gzip.compress(TABLE, mtime=0), "table"),
        (b"Dear all,\n\nthe export will come later.\n" * 100, "text"),
        (b"<!DOCTYPE html>\n<html><body>Not found</body></html>", "web page"),
        (b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>', "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2\nsize 12345\n", "LFS"),
        (b"events.jsonl".ljust(257, b"\0") + b"ustar\0" + b"00".ljust(249, b"\0") + lines(ONE, TWO), "tar"),
        (gzip.compress(b"e".ljust(257, b"\0") + b"ustar  \0".ljust(255, b"\0") + lines(ONE), mtime=0), "tar"),
        ('{"type":"identify"}'.encode("utf-16"), "UTF-16"),
        ('{"type":"identify"}\n'.encode("utf-16-le"), "UTF-16"),
        ('{"type":"identify"}\n'.encode("utf-16-be"), "UTF-16"),
        (b"\xfe\xff\0{", "UTF-16"),
        (b"\0\1\2\3" * 20, "neither JSON nor text"),
        (b"\0" * 5_000, "neither JSON nor text"),
    ],
)
def test_what_is_no_export_is_told_by_what_it_is(write: Write, content: bytes, what: str) -> None:
    path = write(content)
    with pytest.raises(UnreadableInput) as told:
        read_all(path)
    assert what in told.value.reason
    reader = read(Input(str(path), 0))
    with pytest.raises(UnreadableInput):
        list(reader)
    assert (reader.container.removesuffix(".gz"), reader.events) == ("unknown", 0)


@pytest.mark.parametrize(
    "content",
    [
        lines(ONE).strip() + lines(TWO).strip() + lines(THREE).strip(),
        lines(ONE).strip() + lines(TWO) + lines(THREE).strip(),
        lines(ONE) + lines(TWO).strip() + lines(THREE),
        b"\r".join(lines(each).strip() for each in (ONE, TWO, THREE)),
        b"\r\r".join(lines(each).strip() for each in (ONE, TWO, THREE)) + b"\r",
        b",".join(lines(each).strip() for each in (ONE, TWO, THREE)),
        b",\n".join(lines(each).strip() for each in (ONE, TWO, THREE)) + b",\n",
        b"".join(b"\x1e" + lines(each) for each in (ONE, TWO, THREE)),
        b"\x1e".join(lines(each).strip() for each in (ONE, TWO, THREE)),
        b"".join(b"\xef\xbb\xbf" + lines(each) for each in (ONE, TWO, THREE)),
        b"\xef\xbb\xbf".join(lines(each).strip() for each in (ONE, TWO, THREE)),
        b"".join(gzip.compress(lines(each).strip(), mtime=0) for each in (ONE, TWO, THREE)),
        lines(ONE).strip() + lines([TWO, THREE]).strip(),
        lines(ONE).strip() + lines({"batch": [TWO, THREE]}).strip(),
    ],
)
def test_several_objects_share_a_line(write: Write, content: bytes) -> None:
    assert outcomes(read_all(write(content))) == IDS


def test_damage_at_the_beginning_swallows_nothing(write: Write) -> None:
    cut = lines(ONE)[:40] + b"\n"
    content = cut + cut + lines(ONE) + cut + lines(TWO, THREE)
    assert outcomes(read_all(write(content))) == ["not_json", "not_json", "m-1", "not_json", "m-2", "m-3"]


def test_what_is_bad_in_a_line_of_several_spoils_no_other(write: Write) -> None:
    one, two, three = (lines(each).strip() for each in (ONE, TWO, THREE))
    assert outcomes(read_all(write(one + b'{"a":oops}' + two + b"\n" + three))) == ["m-1", "not_json", "m-2", "m-3"]
    assert outcomes(read_all(write(one + b" 7 " + two + b"\n" + three))) == ["m-1", "not_an_object", "m-2", "m-3"]
    assert outcomes(read_all(write(one + two[:30] + b"\n" + three))) == ["m-1", "not_json", "m-3"]


@pytest.mark.parametrize("between", [b"", b",", b"\r", b"\x1e", b"\xef\xbb\xbf", b" "])
def test_thousands_of_objects_in_one_long_line(write: Write, between: bytes) -> None:
    content = between.join(lines(message(messageId=f"m-{n}", traits={"x": "y" * 99})).strip() for n in range(12_000))
    for packed in (content, gzip.compress(content, 1, mtime=0)):
        items = read_all(write(packed))
        assert len(items) == 12_000
        assert all(isinstance(item, Event) for item in items)
        assert {item.line for item in items} == ({1} if between != b"\r" else set(range(1, 12_001)))


@pytest.mark.parametrize(
    "others",
    [
        {"sentAt": "2025-03-04T09:15:03.000Z", "context": {"ip": "1", "list": [[], [{}]]}, "writeKey": 'a"{[\\'},
        {"numbers": [1, 2], "empty": [], "context": {}},
        {},
    ],
)
@pytest.mark.parametrize("name", ["batch", "events"])
def test_a_long_wrapper_of_any_key_order(write: Write, others: dict[str, Any], name: str) -> None:
    items = [message(messageId=f"m-{n}", traits={"x": "y" * 1000}) for n in range(2000)]
    for body in ({**others, name: items}, {name: items, **others}):
        for content in (pretty(body, None), pretty(body, None) + b"\n", pretty(body)):
            reader = drained(write(content))
            assert (reader.events, reader.container) == (2000, "batch")


def test_a_long_message_is_no_wrapper(write: Write) -> None:
    sent = message(context={"ip": "1"}, traits={"x": "y" * (2 << 20)}) | {"products": [{"sku": "a"}]}
    for first in (sent, {"products": [{"a": 1}], **sent}, {"context": {"list": [{"type": "x"}]}, **sent}):
        assert outcomes(read_all(write(pretty(first, None) + b"\n" + lines(ONE)))) == ["too_large", "m-1"]


def test_a_batch_beyond_the_limit_is_one_reject_and_what_follows_is_read(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "DOCUMENT_LIMIT", 2 << 20)
    body = {"batch": [message(traits={"x": "y" * 1000})] * 3000}
    assert outcomes(read_all(write(pretty(body, None) + b"\n" + lines(ONE)))) == ["too_large", "m-1"]
    assert outcomes(read_all(write(lines(TWO, body, ONE)))) == ["m-2", "too_large", "m-1"]
    assert "jq -c '.batch[]? // .'" in REASONS["too_large"].hint


@pytest.mark.parametrize("blank", [b"\n", b"\r\n", b" \n", b"\t \n", b"\r"])
def test_so_many_blank_lines_are_no_work(write: Write, blank: bytes) -> None:
    assert outcomes(read_all(write(blank * 200_000 + lines(ONE)))) == ["m-1"]


def test_words_with_commas_are_a_bad_line_not_a_table(write: Write) -> None:
    assert outcomes(read_all(write(b"hello, world\n" + lines(ONE)))) == ["not_json", "m-1"]
