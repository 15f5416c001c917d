from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsseg.mapping.coerce import BAD
from fsseg.mapping.field_types import coercer
from fsseg.mapping.fields import Choice, Field

CHOICES = (Choice(1, "Free"), Choice(2, "Pro"), Choice(3, "2"))
PEOPLE = (Choice(11, "Robin Doe", "robin@acme.example"), Choice(12, "Sam Poe", "sam@acme.example"))
RANGES = tuple(Choice(n, t) for n, t in ((1, "1-10"), (11, "11-50"), (51, "51-200"), (10001, "10001+")))


def made(type: str, choices: tuple[Choice, ...] | None = None, name: str = "cf_x", custom: bool = True) -> Field:
    return Field(name, "X", type, custom=custom, choices=choices)


TEXT, NUMBER, FLAG = made("text"), made("number"), made("checkbox")
UNTYPED = made("unknown")
DATE, TIME = made("date"), made("date_time")
PLAN, MANY = made("dropdown", CHOICES), made("multi_select_dropdown", CHOICES)
OWNER = made("dropdown", PEOPLE, "owner_id", custom=False)
SIZE = made("dropdown", RANGES, "number_of_employees", custom=False)
HEADS = made("number", None, "number_of_employees", custom=False)
TYPES = made(
    "multi_select_dropdown", (Choice(2, "Newsletter"), Choice(5, "Events")), "subscription_types", custom=False
)
PHONE = made("text", None, "work_number", custom=False)
TAGS = made("auto_complete", None, "tags", custom=False)
NONE_TO_CHOOSE = made("dropdown", (), "campaign_id", custom=False)
UNKNOWN_CHOICES = made("dropdown", None, "campaign_id", custom=False)


@pytest.mark.parametrize(
    ("field", "value", "written"),
    [
        (TEXT, "007", "007"),
        (TEXT, "+31201234567", "+31201234567"),
        (TEXT, " kept as given ", " kept as given "),
        (TEXT, "", ""),
        (TEXT, 5, "5"),
        (TEXT, "4.9E+11", "4.9E+11"),
        (PHONE, "4.9E+11", BAD),
        (PHONE, " 4,90152E+11", BAD),
        (PHONE, "5e11", BAD),
        (PHONE, 4.9e11, "490000000000"),
        (PHONE, "+49 151 5550000", "+49 151 5550000"),
        (PHONE, "", ""),
        (PHONE, "12e", "12e"),
        (TEXT, 4.5, "4.5"),
        (TEXT, 94107.0, "94107"),
        (TEXT, -0.0, "0"),
        (TEXT, 1e25, "1e+25"),
        (TEXT, 123456789012345678901, "123456789012345678901"),
        (TEXT, [94107.0, 2], "94107, 2"),
        (TEXT, [], BAD),
        (TEXT, [None], BAD),
        (NUMBER, 123456789012345678901, BAD),
        (NUMBER, "123456789012345678901", BAD),
        (NUMBER, "12345678901234567.25", BAD),
        (NUMBER, "0.1234567890123456789", BAD),
        (NUMBER, "1e-400", BAD),
        (NUMBER, "0.10000000000000001", 0.1),
        (NUMBER, "-0.00", 0.0),
        (NUMBER, "0.1", 0.1),
        (NUMBER, "129.50", 129.5),
        (UNTYPED, 94107.0, 94107),
        (UNTYPED, 1.5, 1.5),
        (UNTYPED, True, True),
        (UNTYPED, 123456789012345678901, "123456789012345678901"),
        (TEXT, True, "true"),
        (TEXT, ["a", 1, None, False], "a, 1, false"),
        (TEXT, {"a": 1}, BAD),
        (TEXT, ["a", ["b"]], BAD),
        (NUMBER, 5, 5),
        (NUMBER, 5.5, 5.5),
        (NUMBER, " 42 ", 42),
        (NUMBER, "007", 7),
        (NUMBER, "-3.50", -3.5),
        (NUMBER, "1e3", 1000.0),
        (NUMBER, "", BAD),
        (NUMBER, "1,200", BAD),
        (NUMBER, "€5", BAD),
        (NUMBER, "1_000", BAD),
        (NUMBER, "nan", BAD),
        (NUMBER, "1e999", BAD),
        (NUMBER, "9" * 5000, BAD),
        (NUMBER, 2**64 - 1, BAD),
        (NUMBER, True, BAD),
        (NUMBER, [1], BAD),
        (FLAG, True, True),
        (FLAG, "False", False),
        (FLAG, "1", True),
        (FLAG, 0, False),
        (FLAG, "yes", BAD),
        (FLAG, "t", True),
        (FLAG, "F", False),
        (FLAG, 2, BAD),
        (FLAG, "", BAD),
        (DATE, "2024-06-30", "2024-06-30"),
        (DATE, "2024-6-3", "2024-06-03"),
        (DATE, "2024-06-30T23:30:00-05:00", "2024-06-30"),
        (DATE, "2024-06-30 10:00:00", "2024-06-30"),
        (DATE, "Sun Jun 30 2024 00:30:00 GMT+0200 (CEST)", "2024-06-30"),
        (DATE, "Sun Jun 30 2024", BAD),
        (TIME, "Sun, 30 Jun 2024 00:30:00 +0200", "2024-06-29T22:30:00.000Z"),
        (DATE, 1719705600000, "2024-06-30"),
        (DATE, 76204800000, "1972-06-01"),
        (DATE, "76204800000", "1972-06-01"),
        (DATE, 76204800, "1972-06-01"),
        (DATE, -631152000, BAD),
        (DATE, 20240630, BAD),
        (DATE, "20240630", "2024-06-30"),
        (DATE, 0, BAD),
        (TIME, 76204800000, "1972-06-01T00:00:00.000Z"),
        (DATE, "2024-02-30", BAD),
        (DATE, "30/06/2024", BAD),
        (DATE, 42, BAD),
        (DATE, True, BAD),
        (DATE, "", BAD),
        (TIME, "2024-06-30T23:30:00-05:00", "2024-07-01T04:30:00.000Z"),
        (TIME, "2024-06-30", "2024-06-30T00:00:00.000Z"),
        (TIME, "soon", BAD),
        (PLAN, "pro", "Pro"),
        (PLAN, " FREE ", "Free"),
        (PLAN, 1, "Free"),
        (PLAN, 1.0, "Free"),
        (PLAN, "2", "2"),
        (PLAN, "gold", BAD),
        (PLAN, "", BAD),
        (PLAN, True, BAD),
        (PLAN, ["Pro"], BAD),
        (OWNER, "robin doe", 11),
        (OWNER, "Sam@Acme.example", 12),
        (OWNER, 12, 12),
        (OWNER, "12", 12),
        (OWNER, 13, BAD),
        (OWNER, "Nobody", BAD),
        (NONE_TO_CHOOSE, "Spring", BAD),
        (NONE_TO_CHOOSE, "77", 77),
        (UNKNOWN_CHOICES, "Spring", "Spring"),
        (UNKNOWN_CHOICES, 77, 77),
        (MANY, ["free", "PRO", "free"], "Free;Pro"),
        (MANY, "pro; free", "Pro;Free"),
        (MANY, [2, None], "2"),
        (MANY, [], None),
        (MANY, "", BAD),
        (MANY, ["free", "gold"], BAD),
        (MANY, {"free": True}, BAD),
        (TYPES, ["newsletter", 5], "2;5"),
        (SIZE, 48, 11),
        (SIZE, 1, 1),
        (SIZE, "200", 51),
        (SIZE, 123456, 10001),
        (SIZE, "11-50", 11),
        (SIZE, "51 – 200", 51),
        (SIZE, "10,001+", 10001),
        (SIZE, 0, BAD),
        (SIZE, "a few", BAD),
        (HEADS, 48, 48),
        (HEADS, "48", 48),
        (HEADS, 48.0, 48),
        (HEADS, "11-50", 11),
        (HEADS, 4.5, BAD),
        (HEADS, -1, BAD),
        (HEADS, 0, BAD),
        (HEADS, "0", BAD),
        (HEADS, 1e19, BAD),
        (HEADS, "9" + ",999" * 7, BAD),
        (TAGS, ["a", 1, "a", ""], ["a", "1"]),
        (TAGS, "a; b", ["a", "b"]),
        (TAGS, [], []),
        (TAGS, "", BAD),
        (TAGS, [{}], BAD),
    ],
)
def test_a_value_becomes_what_its_field_takes(field: Field, value: Any, written: Any) -> None:
    coerce = coercer(field)
    for result in (coerce(value), coerce(value)):  # the second comes from memory
        assert result == written
        assert type(result) is type(written)


def test_a_flag_is_not_mistaken_for_the_number_it_equals() -> None:
    coerce = coercer(PLAN)
    assert (coerce(1), coerce(True), coerce(1)) == ("Free", BAD, "Free")


NUMBERS = st.integers() | st.floats() | st.integers(min_value=2**62)
DIGITS = st.integers(min_value=0).map(str) | st.integers(min_value=0).map("{:,}".format) | NUMBERS.map(str)
EVERY = (
    TEXT, NUMBER, FLAG, UNTYPED, DATE, TIME, PLAN, MANY, OWNER, SIZE, HEADS, TYPES, PHONE, TAGS, NONE_TO_CHOOSE,
    UNKNOWN_CHOICES,
)  # fmt: skip


@given(st.sampled_from(EVERY), NUMBERS | DIGITS | st.lists(NUMBERS | DIGITS, max_size=2))
def test_no_number_becomes_one_that_json_readers_do_not_know(field: Field, value: Any) -> None:
    written = coercer(field)(value)
    if written is not BAD:
        assert orjson.loads(orjson.dumps(written)) == written
        assert not isinstance(written, int) or -(2**63) <= written < 2**63


def test_a_deeply_nested_list_is_just_a_bad_value() -> None:
    deep: list[Any] = []
    for _ in range(1500):
        deep = [deep]
    for field in (TEXT, NUMBER, FLAG, DATE, PLAN, MANY, TAGS, SIZE):
        assert coercer(field)(deep) is BAD
