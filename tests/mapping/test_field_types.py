"""Every type of field is whole: it makes values fit, tells equal ones, says what it takes, and writes back what it read."""

from __future__ import annotations

import ast
from typing import Any, NamedTuple

import pytest
from msgspec.structs import fields

from fsseg.mapping.coerce import BAD
from fsseg.mapping.field_types import FIELD_TYPES, TEXT, FieldType, coercer, equal, expectation, rounded, wire
from fsseg.mapping.fields import Choice, Field
from tests.readme import ROOT

EVERY_TYPE = [pytest.param(kind, id=kind.name) for kind in FIELD_TYPES]
CHOICES = (Choice(1, "Free"), Choice(2, "Pro"))


class Sample(NamedTuple):
    """A value of a type as events have it and as it is written; as it may be read back; and another one."""

    given: Any
    written: Any
    read: Any
    other: Any
    written_back: Any = None
    """What is written of `read`, where that is not `read` itself."""


SAMPLES = {
    "text": Sample(5, "5", " 5 ", "6"),
    "unknown": Sample(5, 5, "5", 6),
    "number": Sample(" 42 ", 42, "42.00", 43, 42.0),
    "decimal": Sample("19.90", 19.9, "19.9", 19, 19.9),
    "checkbox": Sample("True", True, "1", False),
    "date": Sample("2025-3-4", "2025-03-04", "2025-03-04T00:00:00Z", "2025-03-05"),
    "date_time": Sample("2025-03-04T10:15:00+01:00", "2025-03-04T09:15:00.000Z", "2025-03-04T11:15:00+02:00", "2025"),
    "date_time_split": Sample("2025-03-04 09:15", "2025-03-04T09:15:00.000Z", "2025-03-04T09:15:00Z", "2025-03-05"),
    "dropdown": Sample("pro", "Pro", "Pro ", "Free"),
    "radio": Sample("pro", "Pro", "Pro ", "Free"),
    "multi_select_dropdown": Sample(["pro", "free"], "Pro;Free", ["Free", "Pro"], "Pro"),
    "auto_complete": Sample("a; b", ["a", "b"], ["b", "a"], ["a"]),
    "group_field": Sample("a", "a", "a ", "b"),
}


def of(kind: FieldType) -> Field:
    return Field("cf_x", "X", kind.name, custom=True, choices=CHOICES if kind.has_choices else None)


def test_every_type_has_a_name_of_its_own_and_a_sample_here() -> None:
    assert sorted(SAMPLES) == sorted(kind.name for kind in FIELD_TYPES)


@pytest.mark.parametrize("kind", EVERY_TYPE)
def test_a_type_leaves_nothing_open(kind: FieldType) -> None:
    assert all(getattr(kind, one.name) is not None for one in fields(kind))
    assert kind.expectation.strip()


@pytest.mark.parametrize("kind", EVERY_TYPE)
def test_what_fits_is_written_in_one_way(kind: FieldType) -> None:
    sample, coerce = SAMPLES[kind.name], coercer(of(kind))
    assert coerce(sample.given) == sample.written
    assert type(coerce(sample.given)) is type(sample.written)
    assert coerce(sample.written) == sample.written
    assert coerce({"a": 1}) is BAD


@pytest.mark.parametrize("kind", EVERY_TYPE)
def test_what_was_written_is_known_again_however_it_is_read(kind: FieldType) -> None:
    sample, field = SAMPLES[kind.name], of(kind)
    for before in (sample.written, sample.read):
        assert equal(field, before, sample.written)
        assert equal(field, sample.written, before)
        for other in (sample.other, None, ""):
            assert not equal(field, before, other)
            assert not equal(field, other, before)
    assert equal(field, None, "")


@pytest.mark.parametrize("kind", EVERY_TYPE)
def test_what_was_read_is_written_back_as_the_same(kind: FieldType) -> None:
    sample, field = SAMPLES[kind.name], of(kind)
    back = wire(field, sample.read)
    assert back == (sample.read if sample.written_back is None else sample.written_back)
    assert equal(field, back, sample.written)
    assert wire(field, sample.written) == sample.written
    assert wire(field, None) is None


@pytest.mark.parametrize("kind", EVERY_TYPE)
def test_only_numbers_are_rounded(kind: FieldType) -> None:
    assert rounded(of(kind), "20", 19.99) == (kind.name in ("number", "decimal"))


@pytest.mark.parametrize("kind", EVERY_TYPE)
def test_what_a_field_takes_is_said_by_its_choices_or_by_its_type(kind: FieldType) -> None:
    assert expectation(of(kind)) == ("one of: Free, Pro" if kind.has_choices else kind.expectation)


def test_a_type_that_nobody_knows_is_text() -> None:
    strange, text = (Field("cf_x", "X", type, custom=True) for type in ("hologram", TEXT.name))
    for value in (5, "a", True, ["a", 1], {"a": 1}, 1.5):
        assert coercer(strange)(value) == coercer(text)(value)
    assert expectation(strange) == expectation(text) == "text"
    for field in (strange, text, None):
        assert equal(field, " 5", 5)
        assert not equal(field, "5.0", 5)
        assert not rounded(field, "20", 19.99)
        assert wire(field, "5.0") == "5.0"


def test_no_other_module_knows_types_by_name() -> None:
    """The standard fields are data of Freshsales, and the sandbox shares nothing."""
    names = {kind.name for kind in FIELD_TYPES} - {"text", "unknown", "number", "date"}  # words of other things too
    knowing = {
        str(path.relative_to(ROOT / "fsseg"))
        for path in (ROOT / "fsseg").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and node.value in names
    }
    assert {path for path in knowing if not path.startswith("sandbox")} == {
        "mapping/field_types.py",
        "mapping/standard.py",
    }
