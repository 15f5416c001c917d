"""Which field a refusal speaks of, by its label or name, in any language; and never where another record is meant."""

from __future__ import annotations

from typing import Any

import pytest

from fsseg.mapping.catalog import Catalog
from fsseg.push.refused_field import means_another, missing_field, named_field, wanted_field, without
from fsseg.state.plan_store import Record

CATALOG = Catalog.standard("classic")


def record(entity: str = "lead") -> Record:
    values: list[Any] = [None] * len(Record.COLUMNS)
    values[Record.COLUMNS.index("entity")] = entity
    return Record(tuple(values))


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("Job title is too long", "job_title"),
        ("job_title mag niet zo lang zijn", "job_title"),
        ("Owner must exist in this account", None),
        ("Mobile number is invalid", "mobile_number"),
        ("mobile_number2 is invalid", None),
        ("Industry type can't be found", "company.industry_type_id"),
        ("cf_tier is not included in the list", "cf_tier"),
        ("Email is invalid", None),
        ("Something went wrong", None),
    ],
)
def test_the_field_that_a_refusal_names(message: str, name: str | None) -> None:
    attributes = {
        "email": "a@x.example",
        "job_title": "x",
        "owner_id": 1,
        "mobile_number": "1",
        "company": {"name": "Acme", "industry_type_id": 3},
        "custom_field": {"cf_tier": "A"},
    }
    assert named_field(CATALOG, record(), attributes, message) == name


def test_of_two_that_fit_the_longer_name_is_meant() -> None:
    attributes = {"custom_field": {"cf_city_of_birth": "z"}, "city": "y"}
    assert named_field(CATALOG, record(), attributes, "City of birth: cf_city_of_birth is wrong") == "cf_city_of_birth"


@pytest.mark.parametrize(
    "message",
    ["Mobile number has already been taken", "Mobile number must be UNIQUE", "Mobile number: bereits vergeben"],
)
def test_where_another_record_has_the_value_no_field_is_left_out(message: str) -> None:
    assert means_another(message)
    assert named_field(CATALOG, record(), {"mobile_number": "1"}, message) is None


def test_a_field_that_is_asked_for_is_one_that_was_not_sent() -> None:
    assert missing_field(CATALOG, record(), {"email": 1}, "Job title can't be blank") == "job_title"
    assert missing_field(CATALOG, record(), {"job_title": 1}, "Job title can't be blank") is None
    assert wanted_field(CATALOG, "deal", "Amount can't be blank") == "amount"
    assert wanted_field(CATALOG, "deal", "Nonsense can't be blank") is None


def test_the_rest_goes_without_it_and_what_was_given_stays_as_it_is() -> None:
    given = {"city": "x", "custom_field": {"cf_a": 1, "cf_b": 2}, "company": {"name": "Acme", "city": "y"}}
    kept = {"city": "x", "custom_field": {"cf_a": 1, "cf_b": 2}, "company": {"name": "Acme", "city": "y"}}
    assert without(given, "city") == {name: value for name, value in kept.items() if name != "city"}
    assert without(given, "cf_a") == {**kept, "custom_field": {"cf_b": 2}}
    assert without(given, "company.city") == {**kept, "company": {"name": "Acme"}}
    assert without({"city": "x", "custom_field": {"cf_a": 1}}, "cf_a") == {"city": "x"}
    assert given == kept
