from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsseg.segment import Event, Rejected
from fsseg.segment.envelope import NEVER, event_of
from fsseg.segment.file_time import file_time
from tests.segment.messages import Write, lines, message, read_all, told, track


def one(write: Write, sent: dict[str, Any]) -> Event | Rejected:
    (item,) = read_all(write(lines(sent)))
    return item


def event(write: Write, sent: dict[str, Any]) -> Event:
    item = one(write, sent)
    assert isinstance(item, Event), item
    return item


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (message(type=None), "missing_type"),
        (message(type=""), "missing_type"),
        ({}, "missing_type"),
        (message(type="identity"), "unknown_type"),
        (message(type=7), "unknown_type"),
        (message(type=["track"]), "unknown_type"),
        (message(userId=None, anonymousId=None), "no_user_anon_id"),
        (message(userId="", anonymousId="  "), "no_user_anon_id"),
        ({"type": "alias", "anonymousId": "a"}, "no_user_anon_id"),
        (message(userId=True), "id_not_string"),
        (message(userId={"id": 1}), "id_not_string"),
        (message(userId=["u"]), "id_not_string"),
        (message(userId=12.5), "id_not_string"),
        (message(userId=1.5e29), "id_not_string"),
        (message(anonymousId=[]), "id_not_string"),
        (message(type="group", groupId={}), "id_not_string"),
        (track(event=None), "event_not_defined"),
        (track(event=""), "event_not_defined"),
        (track(event=" "), "event_not_defined"),
        (track(event="\u3000\t"), "event_not_defined"),
        (track(event=5), "event_not_string"),
        (track(event={"name": "x"}), "event_not_string"),
        (message(traits="none"), "traits_not_object"),
        (message(traits=[{}]), "traits_not_object"),
        (message(type="group", traits=1), "traits_not_object"),
        (track(properties="none"), "properties_not_object"),
        (track(type="page", properties=[1]), "properties_not_object"),
        (track(type="screen", properties=False), "properties_not_object"),
        (message(timestamp="soon"), "bad_timestamp"),
        (message(timestamp="2025-13-45T99:99:99.000Z"), "bad_timestamp"),
        (message(timestamp="soon", sentAt="later", receivedAt={}), "bad_timestamp"),
    ],
)
def test_an_unusable_message_is_rejected_with_its_code(write: Write, sent: dict[str, Any], code: str) -> None:
    item = one(write, sent)
    assert isinstance(item, Rejected)
    assert (item.code, item.original, item.raw) == (code, sent, None)
    assert item.detail
    assert "{'" not in item.detail


@pytest.mark.parametrize("kind", ["identify", "track", "page", "screen", "group", "alias", "delete"])
def test_every_segment_type_is_known(write: Write, kind: str) -> None:
    assert event(write, message(type=kind, event="Signed Up")).type == kind


def test_a_canonical_message_is_passed_on_as_it_is(write: Write) -> None:
    for sent in (message(), track(), track(type="page", event=None, name=None)):
        got = event(write, sent)
        assert got.original == sent
        assert told(got).items() <= sent.items()
        assert told(got).keys() | {"timestamp", "context"} >= sent.keys()
        assert (got.type, got.time, got.line) == (sent["type"], "2025-03-04T09:15:02.598", 1)


def test_snake_case_envelopes_are_read_and_traits_left_alone(write: Write) -> None:
    sent = {
        "type": "track",
        "event": "Signed Up",
        "message_id": "m",
        "user_id": "u",
        "anonymous_id": "a",
        "original_timestamp": "2025-01-01",
        "sent_at": "2025-01-02",
        "received_at": "2025-01-03",
        "project_id": "p",
        "properties": {"user_id": 1, "options": {}},
    }
    got = event(write, sent)
    assert told(got) == {
        "type": "track",
        "event": "Signed Up",
        "messageId": "m",
        "userId": "u",
        "anonymousId": "a",
        "properties": {"user_id": 1, "options": {}},
    }
    assert got.original == sent
    assert got.time == "2025-01-01T00:00:00.000"


@pytest.mark.parametrize(
    ("sent", "key", "value"),
    [
        (message(context=None, options={"page": {"path": "/"}}), "context", {"page": {"path": "/"}}),
        (message(anonymousId=None, sessionId="s"), "anonymousId", "s"),
        (message(anonymousId=None, session_id="s"), "anonymousId", "s"),
        (message(anonymousId="a", session_id="s"), "anonymousId", "a"),
        (message(userId=None, UserID="u"), "userId", "u"),
        (message(userId="u", user_id="v"), "userId", "u"),
        (message(userId="", user_id="v"), "userId", "v"),
        (message(type=None, action="Identify"), "type", "identify"),
        (message(type=" Identify "), "type", "identify"),
        (track(type=None), "type", "track"),
        (track(type=None, action="click"), "type", "track"),
        (message(userId=12), "userId", "12"),
        (message(userId=12.0), "userId", "12"),
        (message(userId=70), "userId", "70"),
        (message(messageId=7), "messageId", "7"),
        (message(context=[]), "context", None),
        (message(integrations=[]), "integrations", {}),
        (message(traits=None), "traits", {}),
        (message(traits=[]), "traits", {}),
        (track(properties=[]), "properties", {}),
        (track(properties=None), "properties", {}),
        (track(properties=None, traits={"audience_key": "vip"}), "properties", {"audience_key": "vip"}),
        (track(type="page", name=None, category=None), "properties", {"plan": "pro"}),
    ],
)
def test_older_and_odd_envelopes_are_normalised(write: Write, sent: dict[str, Any], key: str, value: Any) -> None:
    got = event(write, sent)
    assert told(got).get(key) == value
    assert got.original == sent


@pytest.mark.parametrize("empty", [None, []])
@pytest.mark.parametrize("body", ["traits", "properties"])
def test_null_and_an_empty_list_count_as_an_empty_object(write: Write, body: str, empty: object) -> None:
    kind = "identify" if body == "traits" else "page"
    sent = {"type": kind, "userId": "u", "context": empty, "integrations": empty, body: empty}
    assert told(event(write, sent)) == {"type": kind, "userId": "u", "integrations": {}, body: {}}


def test_empty_ids_are_absent(write: Write) -> None:
    got = event(write, message(userId="", messageId=""))
    assert (got.message.user_id, got.message.anonymous_id) == (None, "a-1")
    assert got.message.message_id.startswith("content:")


def test_a_null_user_id_stays_canonical(write: Write) -> None:
    (got,) = read_all(write(b'{"type":"page","userId":null,"anonymousId":"a","properties":{},"timestamp":null}'))
    assert isinstance(got, Event)
    assert got.message.user_id is None


def test_an_unreadable_timestamp_falls_back_to_the_other_times(write: Write) -> None:
    sent = message(timestamp="soon", originalTimestamp="also soon", sentAt="2025-03-04T09:15:02Z")
    assert event(write, sent).time == "2025-03-04T09:15:02.000"


def test_what_an_earlier_run_noted_is_no_part_of_the_event(write: Write) -> None:
    note = {"file": "x", "line": 3, "stage": "map", "code": "missing_email"}
    got = event(write, message() | {"_fsseg": note})
    assert got.original == message()
    assert not got.message.noted
    unread = one(write, {"_fsseg": note | {"code": "not_json", "raw": '{"type'}})
    assert isinstance(unread, Rejected)
    assert (unread.code, unread.raw) == ("not_json", '{"type')


ODDITIES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from(["", " ", "x", "2025-01-02", "Zoë", "NULL ", "0-0", "1970-01-01T00:00:00.000Z"]), st.just([]),
    st.just({}), st.just({"email": "a@b.example", "name": "n"}),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["identify", "track", "page", "screen", "group", "alias"]),
    st.dictionaries(
        st.sampled_from(
            ["type", "userId", "user_id", "anonymousId", "messageId", "timestamp", "sentAt", "event", "name", "context",
             "options", "integrations", "traits", "properties", "extra"]
        ),
        ODDITIES, max_size=4,
    ),
    st.sets(st.sampled_from(["userId", "anonymousId", "messageId", "context", "integrations", "traits", "timestamp"])),
)  # fmt: skip
def test_the_quick_way_and_the_closer_look_agree(
    tmp_path_factory: pytest.TempPathFactory, kind: str, odd: dict[str, Any], left_out: set[str]
) -> None:
    sent = message(type=kind, event="Signed Up", properties={"plan": "pro"}) | odd
    sent = {key: value for key, value in sent.items() if key not in left_out or key in odd}
    path = tmp_path_factory.mktemp("read") / "events.jsonl"
    path.write_bytes(lines(sent))
    (read_one,) = read_all(path)
    looked = event_of(orjson.loads(orjson.dumps(sent)), 1, 0, file_time=lambda: file_time(str(path), NEVER))
    if isinstance(read_one, Rejected) or isinstance(looked, Rejected):
        assert read_one == looked
    else:
        assert (read_one.position, read_one.line, read_one.time) == (looked.position, looked.line, looked.time)
        assert told(read_one) == told(looked)
        assert read_one.message.message_id == looked.message.message_id
        assert (read_one.original, read_one.notes) == (looked.original, looked.notes)
