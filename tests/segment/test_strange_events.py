"""Ids that name nobody, times that no event can have, and JSON that few readers take."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from fsseg.segment import Event, Input, Reader, Rejected, read
from fsseg.segment.placeholders import PlaceholderIds
from tests.segment.messages import Write, lines, message, read_all, track

RECEIVED = "2025-03-04T10:00:00.000Z"


def event(write: Write, sent: dict[str, Any] | bytes) -> Event:
    (item,) = read_all(write(sent if isinstance(sent, bytes) else lines(sent)))
    assert isinstance(item, Event), item
    return item


def notes(event: Event) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for code, name in event.notes:
        found.setdefault(code, []).append(name)
    return found


@pytest.mark.parametrize(
    "id",
    ["undefined", "null", "NULL", "Nil", "none", "NaN", "unknown", "Anonymous", "guest", "-1", -1, 0, "0", "0000", "-",
     "--", "00000000-0000-0000-0000-000000000000", " undefined ", "null  ", "[object Object]", "(null)",
     "False", "N/A", "#N/A", "''", '""', "[]", "{}", "not set"],
)  # fmt: skip
def test_a_placeholder_names_nobody(write: Write, id: str | int) -> None:
    got = event(write, message(userId=id, anonymousId=id, messageId=id))
    assert (got.message.user_id, got.message.anonymous_id) == (None, None)
    assert got.message.message_id.startswith("content:")
    assert notes(got) == {"placeholder_id": ["userId", "anonymousId"]}
    assert got.original == message(userId=id, anonymousId=id, messageId=id)


@pytest.mark.parametrize(
    "id", ["nullable", "u-0", "01", "0a", "-10", "1", "guest-7", "undefined@acme.example", "-x-", "00000000-5a1e-4c0d"]
)
def test_what_only_looks_like_a_placeholder_is_an_id(write: Write, id: str) -> None:
    got = event(write, message(userId=id, anonymousId=id, messageId=id))
    assert (got.message.user_id, got.message.anonymous_id, got.message.message_id, got.notes) == (id, id, id, ())


@pytest.mark.parametrize("blank", ["\x85", "\xa0", "\u2003", "\u3000" * 40, "\u2028 \t", "\x1f"])
def test_blanks_of_any_kind_are_no_id(write: Write, blank: str) -> None:
    both = read_all(write(lines(message(userId=blank, anonymousId=blank))))
    assert [item.code for item in both if isinstance(item, Rejected)] == ["no_user_anon_id"]
    got = event(write, message(userId=blank, anonymousId="anon-1", messageId=blank))
    assert (got.message.user_id, got.message.anonymous_id) == (None, "anon-1")
    assert got.message.message_id.startswith("content:")


def test_more_placeholders_may_be_named(write: Write) -> None:
    path = write(lines(message(userId="Test-User-Of-A-Long-Name "), message(userId="u-1")))
    reader = Reader(Input(str(path), 0), placeholder_ids=PlaceholderIds(["test-user-of-a-long-name"]))
    users = [item.message.user_id for item in reader if isinstance(item, Event)]
    assert users == [None, "u-1"]


def test_two_events_of_one_placeholder_message_id_are_two(write: Write) -> None:
    keys = {event(write, message(messageId="undefined", userId=user)).message.message_id for user in ("a", "b")}
    assert len(keys) == 2


@pytest.mark.parametrize(
    "time",
    ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z", "1989-12-31T23:59:59.999Z", 0, "2025-03-04T09:15:02+99:00", "soon",
     "in two days", "2999-01-01T00:00:00.000Z"],
)  # fmt: skip
def test_a_time_that_no_event_can_have_gives_way_to_another(write: Write, time: Any) -> None:
    if time == "in two days":
        time = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    got = event(write, message(timestamp=time, receivedAt=RECEIVED, sentAt="2025-03-04T11:00:00Z"))
    assert (got.time, notes(got)) == (RECEIVED[:-1], {"no_time": ["receivedAt"]})


@pytest.mark.parametrize("time", ["1990-01-01T00:00:00.000Z", "2025-03-04T09:15:02+05:45", "2025-03-04T09:15:02-03:30"])
def test_a_time_that_an_event_can_have_is_taken(write: Write, time: str) -> None:
    assert event(write, message(timestamp=time, receivedAt=RECEIVED)).notes == ()


def test_without_any_time_the_archive_tells_it(tmp_path: Path) -> None:
    sent = lines(track(timestamp=None), track(timestamp="", sentAt=None))
    for folder, time in (
        ("segment-logs/9sJr2mKqZs/1701561600000", "2023-12-03T00:00:00.000"),
        ("data/9sJr/segment_type=identify/day=2025-03-04/hr=09", "2025-03-04T09:00:00.000"),
        ("2025/03/04", "2025-03-04T00:00:00.000"),
    ):
        path = tmp_path / folder / "events.jsonl"
        path.parent.mkdir(parents=True)
        path.write_bytes(sent)
        for item in read_all(path):
            assert isinstance(item, Event)
            assert (item.time, notes(item)) == (time, {"no_time": ["folder"]})


def test_without_any_time_the_file_tells_it(write: Write) -> None:
    path = write(lines(track(timestamp=None)))
    os.utime(path, (1717200000, 1717200000))
    for stamp, name in ((1717200000, "file"), (0, "now")):
        os.utime(path, (stamp, stamp))
        (item,) = read_all(path)
        assert isinstance(item, Event)
        assert notes(item) == {"no_time": [name]}
        assert item.time == "2024-06-01T00:00:00.000" or item.time > "2026"


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        (rb"Sale \ud83d", "Sale \ufffd"),
        (rb"\udE00 sale", "\ufffd sale"),
        (rb"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        (rb"\\ud83d \ud1ab", "\\ud83d \ud1ab"),
    ],
)
def test_half_a_character_becomes_a_replacement_character(write: Write, escaped: bytes, text: str) -> None:
    line = orjson.dumps(message(traits={"firstName": "X"}, context={"page": {"title": "X"}})).replace(
        b'"X"', b'"%b"' % escaped
    )
    got = event(write, line)
    assert orjson.loads(bytes(got.message.traits)) == {"firstName": text}
    assert got.original["context"]["page"]["title"] == text


def test_whole_numbers_stay_exact_and_no_number_becomes_null(write: Write) -> None:
    line = orjson.dumps(message(traits={"a": 1})).replace(b'{"a":1}', b'{"a":123456789012345678901,"b":1e999,"c":1.5}')
    for changed in (line, line.replace(b'"timestamp"', b'"Timestamp"')):
        assert event(write, changed).original["traits"] == {"a": 123456789012345678901, "b": "1e999", "c": 1.5}


def test_blank_lines_count_for_nothing(write: Write) -> None:
    reader = read(Input(str(write(b"\n \t\r\n" + lines(message()) + b"\n\n")), 0))
    assert [item.line for item in reader] == [3]
    assert not any(isinstance(item, Rejected) for item in reader)
