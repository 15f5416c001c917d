"""What holds for any JSON."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fsseg.mapping.catalog import Catalog
from fsseg.mapping.coerce import BAD
from fsseg.mapping.field_types import coercer
from fsseg.mapping.fields import Field
from fsseg.mapping.intents import AccountIntent, EntryIntent, PersonIntent, Refused
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.rules import Rules
from fsseg.mapping.warning_counter import WarningCounter
from tests.mapping.accounts import catalog, event, identify, mapper

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(["", "true", "5", "pro", "Pro;Free", "2024-06-30", "ada@acme.example", "11-50", "Robin Doe"]),
)
TRAITS_IN_USE = [
    "email", "Email", "name", "firstName", "first_name", "title", "Title", "jobTitle", "job_title", "phone",
    "company", "Company", "deal", "address", "city", "fsContact", "fs_contact", "cfPlan", "cf_plan", "plan",
    "cfSeats", "seats", "cfInterests", "cfBirthday", "powerUser", "tags", "ownerId", "owner_id", "leadStageId",
    "lastSeen", "amount", "industry", "employee_count", "usage", "company.tier",
]  # fmt: skip
NAMES = st.one_of(
    st.sampled_from(TRAITS_IN_USE),
    st.text(max_size=8),
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
TRAITS = st.dictionaries(NAMES, JSON, max_size=8)
USERS = st.sampled_from(["u-1", "ada@acme.example", "@", "ada@acme"])

MAPPING = {
    "person": {"usage.seats": "cf_seats", "plan": {"field": "cf_plan", "values": {"gold": "Pro"}}},
    "lead": {"title": "cf_region"},
}
RULES: list[dict[str, Any]] = [{}, {"nulls": "ignore", "strict": True}]
MAPPERS = [
    mapper(catalog(edition), mapping=MAPPING, **rules) for edition in ("classic", "suite") for rules in RULES
] + [Mapper(Catalog.standard("classic"), Rules(offline=True), WarningCounter())]


@settings(max_examples=50, deadline=None)
@given(TRAITS, USERS, JSON, JSON)
def test_mapping_never_raises_and_gives_what_can_be_written_as_json(
    traits: dict[str, Any], user: str, context: Any, integrations: Any
) -> None:
    around = {"context": context, "integrations": integrations}
    around = {key: value for key, value in around.items() if isinstance(value, dict)}
    for it in MAPPERS:
        for message in (
            identify(traits, userId=user, **around),
            event("group", userId=user, groupId="g", traits=traits, **around),
            event("track", userId=user, event="x", properties=traits, **around),
            event("page", userId=user, properties=traits, **around),
        ):
            it.event_filter(message)
            mapped = it.map(message)
            assert isinstance(mapped, PersonIntent | EntryIntent | AccountIntent | Refused)
            if isinstance(mapped, PersonIntent | AccountIntent):
                orjson.dumps(mapped.parts)
                assert all(part.get("name") for key, part in mapped.parts.items() if key)


@settings(max_examples=50, deadline=None)
@given(TRAITS, USERS, st.randoms(use_true_random=False))
def test_the_order_of_traits_means_nothing(traits: dict[str, Any], user: str, random: Any) -> None:
    items = list(traits.items())
    random.shuffle(items)
    for it in MAPPERS:
        one, other = it.map(identify(dict(items), userId=user)), it.map(identify(traits, userId=user))
        if isinstance(one, PersonIntent) and isinstance(other, PersonIntent):
            one, other = (replace(intent, warnings=sorted(intent.warnings)) for intent in (one, other))
        assert one == other


@settings(max_examples=50, deadline=None)
@given(TRAITS, USERS)
def test_mapping_twice_is_mapping_once_and_leaves_the_event_alone(traits: dict[str, Any], user: str) -> None:
    before = orjson.dumps(traits)
    for it in MAPPERS:
        assert it.map(identify(traits, userId=user)) == it.map(identify(traits, userId=user))
    assert orjson.dumps(traits) == before


FIELDS = [
    field
    for edition in ("classic", "suite")
    for entity in ("lead", "contact", "account", "deal", "lead.company")
    for field in catalog(edition).fields(entity).values()
    if field.writable
]


def fits(field: Field, value: Any) -> bool:
    ids = {choice.id for choice in field.choices or ()}
    texts = {choice.text for choice in field.choices or ()}
    allowed = ids if field.by_id else texts
    match field.type:
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "checkbox":
            return isinstance(value, bool)
        case "date":
            return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
        case "date_time":
            return isinstance(value, str) and value.endswith("Z")
        case "dropdown" if field.choices:
            return value in allowed
        case "multi_select_dropdown" if field.choices:
            return value is None or set(value.split(";")) <= {str(choice) for choice in allowed}
        case "auto_complete":
            return isinstance(value, list) and all(isinstance(tag, str) for tag in value)
    return isinstance(value, str | int)


@settings(max_examples=50, deadline=None)
@given(JSON.filter(lambda value: value is not None))
def test_a_coerced_value_always_fits_its_field(value: Any) -> None:
    for field in FIELDS:
        written = coercer(field)(value)
        assert written is BAD or fits(field, written), (field, written)


@pytest.mark.parametrize("size", [100, 20_000])
def test_hostile_names_and_sizes_are_survived(size: int) -> None:
    traits = {"x" * size: "y" * size, "\x00\x1b[31m": 1, "__proto__": {}, "cf_": 1, "": "empty", "name": " " * size}
    mapped = mapper().map(identify(traits, userId="ada@acme.example"))
    assert isinstance(mapped, PersonIntent)
    assert mapped.parts == {"": {"email": "ada@acme.example"}}
