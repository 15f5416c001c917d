from __future__ import annotations

import subprocess
import sys

import orjson

from fsseg.segment import event_key
from tests.segment.messages import message

CONTENT = message(messageId=None)


def test_the_message_id_alone_makes_the_key() -> None:
    assert event_key(message()) == event_key({"messageId": "m-1"})
    assert event_key(message()) != event_key(message(messageId="m-2"))
    assert event_key({"messageId": 7}) == event_key({"messageId": "7"})
    assert 0 <= event_key(message()) < 2**64


def test_without_an_id_the_content_makes_the_key() -> None:
    shuffled = dict(reversed(CONTENT.items()))
    delivered_again = CONTENT | {"receivedAt": "2026-01-01", "sentAt": "2026-01-01", "_metadata": {"bundled": []}}
    for same in (shuffled, delivered_again, CONTENT | {"messageId": ""}, CONTENT | {"messageId": ["m"]}):
        assert event_key(same) == event_key(CONTENT)
    assert event_key(CONTENT | {"timestamp": "2025-03-04T09:15:02.599Z"}) != event_key(CONTENT)
    assert event_key(CONTENT | {"traits": {"email": "kim@acme.example"}}) != event_key(CONTENT)


def test_no_message_id_meets_a_content_key() -> None:
    content = orjson.dumps(CONTENT, option=orjson.OPT_SORT_KEYS).decode()
    assert event_key({"messageId": content}) != event_key(CONTENT)


def test_any_nesting_has_a_key() -> None:
    keys = {event_key(orjson.loads(b'{"traits":' + b"[" * depth + b"]" * depth + b"}")) for depth in (1, 300, 1000)}
    assert len(keys) == 3


def test_keys_are_the_same_in_every_process() -> None:
    code = "from fsseg.segment import event_key; print(event_key({'messageId': 'm-1'}), event_key({'type': 'page'}))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    assert printed.split() == [str(event_key({"messageId": "m-1"})), str(event_key({"type": "page"}))]
