from __future__ import annotations

from typing import Any

import pytest

from fsseg.mapping.catalog import Catalog, Edition, describe
from fsseg.mapping.fields import Choice
from tests.mapping.accounts import catalog


def rows(*given: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "text", "default": True, **row} for row in given]


def test_fields_nested_in_leads_are_told_apart_by_their_base_model() -> None:
    lead = rows(
        {"name": "first_name", "base_model": "Lead"},
        {"name": "name", "base_model": "LeadCompany", "label": "Company name"},
        {"name": "number_of_employees", "base_model": "LeadCompany", "type": "dropdown", "choices": []},
        {"name": "amount", "base_model": "LeadDeal", "type": "number"},
    )
    it = Catalog.from_api("classic", {"lead": lead}, {})
    assert list(it.fields("lead")) == ["first_name"]
    assert list(it.fields("lead.company")) == ["name", "number_of_employees"]
    assert it.fields("lead.company")["number_of_employees"].type == "number"
    assert list(it.fields("lead.deal")) == ["amount"]


def test_lead_metadata_without_nested_fields_is_completed_as_documented() -> None:
    industries = [{"id": 31, "value": "Logistics"}]
    account = rows({"name": "industry_type_id", "type": "dropdown", "choices": industries})
    it = Catalog.from_api("classic", {"lead": rows({"name": "first_name"}), "account": account}, {})
    assert it.fields("lead.company")["industry_type_id"].choices == (Choice(31, "Logistics"),)
    assert {"name", "amount", "expected_close", "deal_product_id"} == set(it.fields("lead.deal"))


def test_an_entity_that_was_not_read_has_its_standard_fields() -> None:
    assert "amount" in Catalog.from_api("suite", {"contact": rows({"name": "first_name"})}, {}).fields("deal")


def test_suite_has_no_leads() -> None:
    it = catalog("suite")
    assert it.people == ("contact",)
    assert not it.fields("lead")
    assert not it.fields("lead.company")


@pytest.mark.parametrize(
    "name",
    ["last_contacted_mode", "lead_score", "open_deals_amount", "active_sales_sequences", "first_seen_chat",
     "creater_id", "web_form_ids", "created_at", "recent_note", "expected_deal_value"],
)  # fmt: skip
def test_computed_and_system_fields_are_not_writable(name: str) -> None:
    it = Catalog.from_api("suite", {"contact": rows({"name": name})}, {})
    assert not it.fields("contact")[name].writable


def test_a_custom_field_may_be_called_anything() -> None:
    it = Catalog.from_api("suite", {"contact": rows({"name": "cf_age", "default": False}, {"name": "cf_x"})}, {})
    assert it.fields("contact")["cf_age"].writable


def test_required_fields_are_those_the_account_demands() -> None:
    assert [field.name for field in catalog().required("deal")] == ["name", "amount"]


def test_choices_are_found_by_text_in_any_case_and_owners_by_email() -> None:
    it = catalog("suite")
    assert it.choice_id("contact", "lifecycle_stage_id", "lead") == 41
    assert it.choice_id("contact", "owner_id", "Robin@acme.example") == 11
    assert it.choice_id("contact", "owner_id", "nobody") is None
    assert it.choice_id("contact", "no_such_field", "Lead") is None
    assert Catalog.standard("suite").choice_id("contact", "lifecycle_stage_id", "Lead") is None


def test_of_choices_that_share_a_text_the_active_one_counts() -> None:
    choices = [{"id": 1, "value": "Old", "is_active": False}, {"id": "2", "value": "old", "is_active": True}]
    contact = rows({"name": "campaign_id", "type": "dropdown", "choices": choices})
    assert Catalog.from_api("suite", {"contact": contact}, {}).choice_id("contact", "campaign_id", "OLD") == 2


@pytest.mark.parametrize("edition", ["classic", "suite"])
def test_a_catalog_survives_its_json(edition: Edition) -> None:
    for it in (catalog(edition), Catalog.standard(edition)):
        back = Catalog.from_json(it.to_json())
        for entity in ("lead", "contact", "account", "deal", "lead.company", "lead.deal"):
            assert back.fields(entity) == it.fields(entity)
        assert (back.edition, back.assumed, back.activity_types) == (it.edition, it.assumed, it.activity_types)


def test_describe_shows_the_trait_that_reaches_a_field() -> None:
    shown = {row.name: row for row in describe(catalog(), "contact")}
    assert shown["cf_alternate_number"][:4] == (
        "cfAlternateNumber",
        "cf_alternate_number",
        "cf_alternate_number",
        "text",
    )
    assert shown["emails"].trait == "email"
    assert shown["emails"].writable
    assert not shown["last_seen"].writable


def test_rows_that_are_not_fields_are_passed_over() -> None:
    it = Catalog.from_api("suite", {"contact": [{"label": "nameless"}, *rows({"name": "city", "choices": None})]}, {})
    assert list(it.fields("contact")) == ["city"]
