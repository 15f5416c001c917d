"""The types of fields, each whole in one entry: what fits, what is equal, what to say of it, how it is written back.

A new type is one more entry of `FIELD_TYPES`. One that isn't listed there counts as text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from fsseg.mapping.coerce import (
    BAD,
    Coercer,
    anything,
    as_boolean,
    as_day,
    as_instant,
    as_number,
    as_phone,
    as_tags,
    as_text,
    headcount,
    one_choice,
    remembering,
    some_choices,
)
from fsseg.mapping.equality import (
    is_empty,
    never_rounded,
    rounded_number,
    same_items,
    same_number,
    same_text,
    same_time,
    same_truth,
)
from fsseg.mapping.fields import Field

Comparison = Callable[[Any, Any], bool]

_HINTED_CHOICES = 6
_PHONES = frozenset({"mobile_number", "work_number", "phone"})
"""Text fields of Freshsales' own that hold a phone number."""


class FieldType(Struct, frozen=True, kw_only=True):
    """What there is to know of a type; `name` is that of the field metadata."""

    name: str
    coerce: Callable[[Field], Coercer]
    """Makes the coercer of a field: from a trait's value to the one to write, or `BAD`."""
    equal: Comparison
    """`equal(before, after)`: whether a field that reads `before` holds `after`; neither is null."""
    expectation: str
    """What a field takes, for a hint, where its choices don't tell."""
    wire: Callable[[Field, Any], Any]
    """`wire(field, value)`: a value that was read, as it is to be written again."""
    rounded: Comparison = never_rounded
    """`rounded(before, after)`: whether `before` may be what Freshsales has made of `after`."""
    has_choices: bool = False
    """Whether there are choices to be looked for in the metadata."""
    takes_numbers: bool = False
    """Whether numbers stay numbers, so that they can be added up."""
    structured: bool = False
    """Whether a field holds more than a value; of these only `tags` can be written."""


def _alike(coerce: Coercer) -> Callable[[Field], Coercer]:
    """The maker of coercers where all fields of a type take the same."""
    return lambda field: coerce


def _as_read(field: Field, value: Any) -> Any:
    return value


def _as_coerced(field: Field, value: Any) -> Any:
    """Money and numbers are read as text, but written as numbers."""
    written = coercer(field)(value)
    return value if written is BAD else written


TEXT = FieldType(name="text", coerce=_alike(as_text), equal=same_text, expectation="text", wire=_as_read)
UNKNOWN = FieldType(
    name="unknown", coerce=_alike(anything), equal=same_text, expectation="text", wire=_as_read, takes_numbers=True
)
"""The type of a custom field that is only assumed to exist."""
NUMBER = FieldType(
    name="number",
    coerce=_alike(as_number),
    equal=same_number,
    expectation="a number",
    wire=_as_coerced,
    rounded=rounded_number,
    takes_numbers=True,
)
DATE_TIME = FieldType(
    name="date_time",
    coerce=_alike(as_instant),
    equal=same_time,
    expectation="a time such as 2025-03-04T09:15:00Z",
    wire=_as_read,
)
DROPDOWN = FieldType(
    name="dropdown",
    coerce=one_choice,
    equal=same_text,
    expectation="the id of a choice",
    wire=_as_read,
    has_choices=True,
)

FIELD_TYPES = (
    TEXT,
    UNKNOWN,
    NUMBER,
    replace(NUMBER, name="decimal"),
    FieldType(
        name="checkbox",
        coerce=_alike(as_boolean),
        equal=same_truth,
        expectation="true or false",
        wire=_as_read,
    ),
    FieldType(
        name="date",
        coerce=_alike(as_day),
        equal=same_time,
        expectation="a date such as 2025-03-04",
        wire=_as_read,
    ),
    DATE_TIME,
    replace(DATE_TIME, name="date_time_split"),
    DROPDOWN,
    replace(DROPDOWN, name="radio", expectation="text"),
    FieldType(
        name="multi_select_dropdown",
        coerce=some_choices,
        equal=same_items,
        expectation="choices of the field",
        wire=_as_read,
        has_choices=True,
    ),
    FieldType(
        name="auto_complete",
        coerce=_alike(as_tags),
        equal=same_items,
        expectation="a list of text",
        wire=_as_read,
        structured=True,
    ),
    replace(TEXT, name="group_field", structured=True),
)
"""All types that are told from text, and text itself."""

_BY_NAME = {kind.name: kind for kind in FIELD_TYPES}


def type_named(name: str) -> FieldType:
    """The type of that name in the metadata; that of text where it is a strange one."""
    return _BY_NAME.get(name, TEXT)


def _counts_people(field: Field) -> bool:
    return field.name == "number_of_employees" and not field.custom


def _is_phone(field: Field) -> bool:
    return field.name in _PHONES and not field.custom


def coercer(field: Field) -> Coercer:
    """The coercer of a field. It is worth keeping: making it looks through all the choices."""
    if _is_phone(field):
        return as_phone
    counts_people = _counts_people(field)
    coerce = headcount(field) if counts_people else type_named(field.type).coerce(field)
    # The few values that choices and ranges take come again and again; texts, numbers and times don't.
    return remembering(coerce) if field.choices is not None or counts_people else coerce


def expectation(field: Field) -> str:
    """What the field takes, for a hint: `a number`, `one of: Free, Pro`."""
    if field.choices:
        # The metadata and the selector of a field both list its choices.
        texts = list(dict.fromkeys(choice.text for choice in field.choices))
        return f"one of: {', '.join(texts[:_HINTED_CHOICES])}{', …' if len(texts) > _HINTED_CHOICES else ''}"
    if _is_phone(field):
        return "a phone number with all its digits"
    return "a number from 1 on" if _counts_people(field) else type_named(field.type).expectation


def equal(field: Field | None, before: Any, after: Any) -> bool:
    """Whether a field that reads `before` already holds `after`; one without metadata is compared as text."""
    if before == after:
        return True
    if before is None or after is None:
        return is_empty(before) and is_empty(after)
    return (type_named(field.type) if field else TEXT).equal(before, after)


def rounded(field: Field | None, before: Any, after: Any) -> bool:
    """Whether a field that reads `before` may hold `after`, rounded by Freshsales."""
    return field is not None and type_named(field.type).rounded(before, after)


def wire(field: Field | None, value: Any) -> Any:
    """A value that was read of a field, as it is to be written again; null stays null."""
    return value if field is None or value is None else type_named(field.type).wire(field, value)
