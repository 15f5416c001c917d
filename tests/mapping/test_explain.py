"""Where a trait goes is told as the mapper would send it, and why it goes nowhere."""

from __future__ import annotations

from typing import Any

import pytest

from fsseg.mapping.explain import Explainer
from fsseg.mapping.rules import Rules
from tests.mapping.accounts import catalog


def explainer(edition: Any = "classic", **mapping: Any) -> Explainer:
    return Explainer(catalog(edition), Rules(mapping=mapping))


def places(explain: Explainer, trait: str, member: str = "") -> list[tuple[str, str]]:
    return [(place.entity, place.name) for place in explain(trait, member).places]


@pytest.mark.parametrize(
    ("trait", "member", "told"),
    [
        ("title", "", [("lead", "job_title"), ("contact", "job_title")]),
        ("email", "", [("lead", "email"), ("contact", "email")]),
        ("cfSeats", "", [("lead", "cf_seats"), ("contact", "cf_seats")]),
        ("address", "street", [("lead", "address"), ("contact", "address")]),
        ("address", "postalCode", [("lead", "zipcode"), ("contact", "zipcode")]),
        ("company", "name", [("lead.company", "name"), ("account", "name")]),
        ("company", "", [("lead.company", "name"), ("account", "name")]),
        ("deal", "amount", [("lead.deal", "amount"), ("deal", "amount")]),
    ],
)
def test_documented_traits_reach_their_fields(trait: str, member: str, told: list[tuple[str, str]]) -> None:
    assert places(explainer(), trait, member) == told


def test_a_full_name_reaches_both_of_its_fields() -> None:
    told = places(explainer(), "name")
    assert {name for _, name in told} == {"first_name", "last_name"}


def test_a_suite_has_no_leads() -> None:
    assert {entity for entity, _ in places(explainer("suite"), "title")} == {"contact"}
    assert {entity for entity, _ in places(explainer("suite"), "company", "name")} == {"account"}


def test_a_trait_without_a_field_is_told_with_the_closest() -> None:
    found = explainer()("jobtitel")
    assert (found.places, "job_title" in found.hint) == ((), True)
    assert explainer()("company", "websiet").places == ()


def test_the_user_s_rules_win_and_what_they_leave_out_is_told_so() -> None:
    explain = explainer(person={"level": "cf_plan", "nickname": False}, lead={"level": "cf_region"})
    assert places(explain, "level") == [("lead", "cf_region"), ("contact", "cf_plan")]
    assert explain("nickname").hint == "left out by the mapping"
    assert explain("nickname").places == ()


def test_a_field_lists_the_traits_that_reach_it() -> None:
    explain = explainer(person={"level": "cf_plan"})
    assert explain.traits("lead")["cf_plan"] == ["level"]
    assert "title" in explain.traits("contact")["job_title"]
    assert "address.postalCode" in explain.traits("contact")["zipcode"]
    assert "employee_count" in explain.traits("account")["number_of_employees"]
