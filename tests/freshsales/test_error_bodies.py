from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsseg.freshsales.error_bodies import MAX_LENGTH, clean, message_in, wrapped_status
from fsseg.freshsales.errors import Unavailable


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"errors": {"code": 400, "message": ["Name has already been taken"]}}, "Name has already been taken"),
        ({"errors": {"code": 400, "message": "Plain text"}}, "Plain text"),
        ({"errors": {"message": ["One", "Two", "One"]}}, "One; Two"),
        ({"errors": {"message": [{"message": "Email is not unique"}]}}, "Email is not unique"),
        ({"errors": {"message": ['{"message"=>"Email is not unique"}']}}, "Email is not unique"),
        ({"errors": {"amount": ["can't be blank"]}}, "amount can't be blank"),
        ({"errors": ["first", "second"]}, "first; second"),
        ({"errors": "flat"}, "flat"),
        ({"description": "Validation failed", "errors": []}, "Validation failed"),
        ({"message": "Je hebt geen toegang"}, "Je hebt geen toegang"),
        ({"login": "failed", "message": "bad key"}, "bad key"),
        ({"login": "failed"}, "failed"),
        (["list"], "list"),
        ("text", "text"),
        (True, ""),
        (None, ""),
        ({}, ""),
    ],
)
def test_json_errors_of_every_shape_are_understood(body: object, said: str) -> None:
    assert message_in(json.dumps(body).encode()) == said


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", ""),
        (b"  \n", ""),
        (b"Too many requests", "Too many requests"),
        (b"<!DOCTYPE html><html><head><title>502 Bad\nGateway</title></head><body>x</body>", "502 Bad Gateway"),
        (b"<html><style>p{}</style><body><p>We are <b>down</b></p></body></html>", "We are down"),
        (b"\xff\xfe broken", "\ufffd\ufffd broken"),
    ],
)
def test_bodies_that_are_not_json_give_their_text(body: bytes, said: str) -> None:
    assert clean(message_in(body)) == said


@given(st.text(max_size=2 * MAX_LENGTH))
@settings(max_examples=50)
def test_clean_text_is_one_short_printable_line(text: str) -> None:
    line = clean(text)
    assert len(line) <= MAX_LENGTH
    assert line == line.strip()
    assert line.isprintable()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"errors":{"code":429,"message":["x"]}}', 429),
        (b'{"errors":{"code":"503","message":["x"]}}', 503),
        (b'{"errors":{"code":400,"message":["UCR contact fetch failure :: response_code :: 429 :: x"]}}', 429),
        (b"UCR contact fetch failure :: response_code :: 502", 502),
        (b'{"errors":{"code":400,"message":["429 is not a valid number"]}}', 400),
        (b'{"errors":["x"]}', None),
        (b"[]", None),
        (b"", None),
        (b"<html>429</html>", None),
    ],
)
def test_a_wrapped_status_is_told_by_codes_not_by_text(body: bytes, status: int | None) -> None:
    assert wrapped_status(body) == status


def test_a_message_that_is_only_the_status_is_told_once() -> None:
    told = {message: str(Unavailable(message, method="POST", path="/x", status=500)) for message in ("500", "5001", "")}
    assert told == {"500": "POST /x: 500", "5001": "POST /x: 500 5001", "": "POST /x: 500"}
