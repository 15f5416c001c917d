"""Defaults fill what no event says of a new record, and are refused where no record could take them."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from fsseg.mapping.catalog import Catalog
from fsseg.mapping.mistakes import MappingError
from fsseg.mapping.rules import Rules
from fsseg.plan.converted import Left
from fsseg.plan.defaults import Defaults, check_settings
from tests.mapping.accounts import catalog

MAPPING: dict[str, dict[str, Any]] = {
    "person": {
        "full": {"template": "{foo} of {bar}", "field": "city"},
        "origin": {"value": "web", "field": "state"},
        "quiet": False,
    },
    "deal": {"label": {"template": "{sort} {size}", "field": "name"}},
}
COMPOSED = '"$city" is what the rule full puts together'
PLAIN = 'say under [mapping.person] which field takes it, as in {0} = "cf_region"'


def defaults(
    tables: dict[str, dict[str, Any]], edition: Literal["classic", "suite"] = "classic", **rules: Any
) -> Defaults:
    return Defaults(catalog(edition), tables, Rules(**rules))


def mistakes(tables: dict[str, dict[str, Any]], **rules: Any) -> dict[str, tuple[str, str]]:
    with pytest.raises(MappingError) as raised:
        defaults(tables, **rules)
    return {".".join(mistake.path): (mistake.text, mistake.hint) for mistake in raised.value.mistakes}


def test_a_value_stands_where_nothing_is_wanted_and_never_over_what_is() -> None:
    filling = defaults({"lead": {"city": "Oslo", "cf_seats": "5", "lead_source_id": "Web"}})
    assert filling.fill("lead", {"city": "Rome"}) == {"city": "Rome", "cf_seats": 5, "lead_source_id": 21}
    assert filling.fill("contact", {}) == {}
    assert (bool(filling), bool(defaults({}))) == (True, False)


def test_in_a_suite_those_of_leads_are_for_contacts_that_stand_for_them() -> None:
    filling = defaults({"lead": {"city": "Oslo"}, "contact": {"city": "Rome", "state": "RM"}}, "suite")
    assert filling.fill("contact", {}, is_lead=True) == {"city": "Oslo", "state": "RM"}
    assert filling.fill("contact", {}) == {"city": "Rome", "state": "RM"}


def test_another_trait_can_stand_in() -> None:
    filling = defaults({"contact": {"last_name": "$firstName"}})
    assert filling.fill("contact", {"first_name": "Ada"}) == {"first_name": "Ada", "last_name": "Ada"}
    assert filling.fill("contact", {"first_name": None}) == {"first_name": None}
    assert filling.fill("contact", {"first_name": "Ada", "last_name": "L"})["last_name"] == "L"


def test_one_that_fits_no_field_is_left_rather_than_written() -> None:
    filling = defaults({"lead": {"cf_seats": "$city"}})
    assert filling.fill("lead", {"city": "7"}) == {"city": "7", "cf_seats": 7}
    assert filling.fill("lead", {"city": "Oslo"}) == {"city": "Oslo"}


def test_each_that_cannot_be_used_is_named_with_what_would_do() -> None:
    found = mistakes(
        {
            "lead": {"citty": "Oslo", "cf_plan": "Enterprize", "cf_seats": "many", "last_name": "$favoriteColor"},
            "deal": {"created_at": "2024-01-01"},
        }
    )
    assert found["defaults.lead.citty"] == ("leads have no field citty that can be written", "did you mean city?")
    assert found["defaults.lead.cf_plan"] == ("'Enterprize' doesn't fit cf_plan", "did you mean Enterprise?")
    assert found["defaults.lead.cf_seats"][1].startswith("it takes ")
    assert "trait favoriteColor reaches no field of leads" in found["defaults.lead.last_name"][0]
    assert "deals have no field created_at" in found["defaults.deal.created_at"][0]


def test_offline_a_custom_field_is_taken_to_be_there() -> None:
    filling = Defaults(Catalog.standard("classic"), {"lead": {"cf_anything": 1}}, Rules())
    assert filling.fill("lead", {}) == {"cf_anything": 1}


def test_mistakes_of_rules_and_defaults_are_told_together() -> None:
    rules = Rules(mapping={"person": {"level": "cf_plam"}})
    with pytest.raises(MappingError) as raised:
        check_settings(catalog(), rules, {"lead": {"citty": "Oslo"}})
    assert [".".join(mistake.path) for mistake in raised.value.mistakes] == [
        "mapping.person.level",
        "defaults.lead.citty",
    ]
    check_settings(catalog(), Rules(), {"lead": {"city": "Oslo"}})


def test_what_a_converted_lead_held_of_its_company_and_deal_is_not_lost() -> None:
    left = Left(catalog())
    left.add(1, {"company.name": "Acme  BV", "company.city": "Oslo", "company.nonsense": 1, "deal.name": "Pilot",
                 "deal.amount": "5.0"})  # fmt: skip
    left.add(2, {"company.name": "ACME BV", "company.city": None, "company.website": "acme.example"})
    wanted = {"city": "Rome"}
    assert left.complete("account", None, "acme bv", wanted) == {
        "name": "Acme  BV", "city": "Rome", "website": "acme.example",
    }  # fmt: skip
    assert left.complete("deal", 1, "pilot", {}) == {"name": "Pilot", "amount": 5}
    assert left.complete("deal", 2, "pilot", {}) == {}


@pytest.mark.parametrize(
    ("entity", "default", "hint"),
    [
        ("lead", "$full", COMPOSED),
        ("contact", "$origin", '"$state" is what the rule origin puts together'),
        ("lead", "$foo", f"{COMPOSED}; for foo alone {PLAIN.format('foo')}"),
        ("lead", "$quiet", PLAIN.format("quiet")),
        ("contact", "$nope", PLAIN.format("nope")),
        ("deal", "$size", '"$name" is what the rule label puts together; for size alone say under [mapping.deal]'),
    ],
)
def test_a_trait_that_reaches_no_field_is_told_with_what_to_write(entity: str, default: str, hint: str) -> None:
    with pytest.raises(MappingError) as raised:
        Defaults(
            catalog(),
            {entity: {"zipcode" if entity != "deal" else "forecast_category": default}},
            Rules(mapping=MAPPING),
        )
    (mistake,) = raised.value.mistakes
    assert f"trait {default[1:]} reaches no field" in mistake.text
    assert mistake.hint.startswith(hint)


def test_a_field_is_named_whatever_fills_it() -> None:
    defaults = Defaults(catalog(), {"lead": {"zipcode": "$city"}}, Rules(mapping=MAPPING))
    assert defaults.fill("lead", {"city": "A of B"}) == {"city": "A of B", "zipcode": "A of B"}
