from __future__ import annotations

import subprocess
import sys
from typing import Any

import orjson

from fsseg.segment import Event, event_key
from fsseg.segment.key import content_id
from tests.segment.messages import Write, lines, message, read_all, track

CONTENT = message(messageId=None)


def ids(write: Write, *sent: dict[str, Any]) -> list[str]:
    return [item.message.message_id for item in read_all(write(lines(*sent))) if isinstance(item, Event)]


def test_the_message_id_is_what_was_sent(write: Write) -> None:
    assert ids(write, message(), message(messageId=7), message(messageId="7")) == ["m-1", "7", "7"]
    assert event_key(b"m-1") != event_key(b"m-2")
    assert 0 <= event_key(b"m-1") < 2**64


def test_without_an_id_the_content_makes_it(write: Write) -> None:
    shuffled = dict(reversed(CONTENT.items()))
    delivered_again = CONTENT | {"receivedAt": "2026-01-01", "sentAt": "2026-01-01", "_metadata": {"bundled": []}}
    blank, odd, null = (CONTENT | {"messageId": value} for value in ("", ["m"], None))
    same = ids(write, CONTENT, shuffled, delivered_again, blank, odd, null)
    assert len(same) == 6
    assert set(same) == {content_id(CONTENT)}
    others = ids(
        write,
        CONTENT | {"timestamp": "2025-03-04T09:15:02.599Z"},
        CONTENT | {"traits": {"email": "kim@acme.example"}},
        track(messageId=None),
    )
    assert len({*same, *others}) == 4


def test_any_nesting_has_an_id() -> None:
    ids = {content_id(orjson.loads(b'{"traits":' + b"[" * depth + b"]" * depth + b"}")) for depth in (1, 300, 1000)}
    assert len(ids) == 3


def test_keys_are_the_same_in_every_process() -> None:
    code = "from fsseg.segment.key import content_id, event_key; print(event_key(b'm-1'), event_key(content_id({'a': 1}).encode()))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    assert printed.split() == [str(event_key(b"m-1")), str(event_key(content_id({"a": 1}).encode()))]
