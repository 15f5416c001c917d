"""JSON as it comes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import floats
from orjson import JSONDecodeError

from fsseg.segment.json_codec import dumps, loads


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1.5", 1.5),
        ("-0.0", 0.0),
        ("0e5", 0.0),
        ("1E5", 1e5),
        ("94107.0000000000000000000", 94107.0),
        ("0.1000000000000000000000", 0.1),
        ("0.10000000000000001", 0.1),
        ("0.1000000000000000055511", 0.1),
        ("0.1234567890123456789", "0.1234567890123456789"),
        ("-123456789.123456789", "-123456789.123456789"),
        ("9007199254740992.0", 2.0**53),
        ("9007199254740993.0", 2**53 + 1),
        ("12345678901234567890123.0", 12345678901234567890123),
        ("12345678901234567890123", 12345678901234567890123),
        ("1234567890123456789012e3", "1234567890123456789012e3"),
        ("1e400", "1e400"),
        ("-1e-400", "-1e-400"),
        ("1e99999999999999999999", "1e99999999999999999999"),
        ("1.2345e-320", "1.2345e-320"),
        ("Infinity", "Infinity"),
        ("-Infinity", "-Infinity"),
        (f"0.{'1' * 5000}", f"0.{'1' * 5000}"),
    ],
)
@pytest.mark.parametrize("deep", [0, 500])
def test_no_number_is_rounded(written: str, number: Any, deep: int) -> None:
    value = loads(b"[" * deep + b'{"n":%b}' % written.encode() + b"]" * deep)
    for _ in range(deep):
        (value,) = value
    assert value == {"n": number}
    assert type(value["n"]) is type(number)


def test_what_python_writes_for_no_number_is_left_out() -> None:
    assert loads(b'{"a":NaN,"b":[1,NaN,{"c":NaN}],"d":"NaN","e":0.1234567890123456789}') == {
        "b": [1, {}], "d": "NaN", "e": "0.1234567890123456789",
    }  # fmt: skip


@pytest.mark.parametrize("text", [b"NaN", b"[NaNs]", b"{NaN:1}", b"[nan]", b"[1,NaN", b"[--Infinity]", b""])
def test_what_is_no_json_stays_none(text: bytes) -> None:
    with pytest.raises(JSONDecodeError):
        loads(text)


@given(floats(allow_nan=False, allow_infinity=False))
def test_what_was_a_float_stays_one(number: float) -> None:
    for written in (dumps(number), b"%.17e" % number, b"%r" % number):
        assert loads(written) == number
