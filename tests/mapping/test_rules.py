from __future__ import annotations

import pickle
from typing import Any

import pytest

from fsseg.mapping.catalog import Catalog
from fsseg.mapping.intents import PersonIntent
from fsseg.mapping.mistakes import MappingError
from fsseg.mapping.rules import Rules
from fsseg.mapping.warning_counter import WarningCounter
from tests.mapping.accounts import catalog, cells_of, custom, identify, mapper


def with_person(**traits: Any) -> dict[str, Any]:
    return {"mapping": {"person": traits}}


def test_the_users_mapping_comes_before_everything() -> None:
    rules = with_person(title="cf_region", favoriteColor="job_title", phone="mobile_number")
    traits = {"title": "CEO", "favoriteColor": "blue", "phone": "1", "jobTitle": "CTO"}
    assert cells_of(traits, **rules) == {"cf_region": "CEO", "job_title": "blue", "mobile_number": "1"}


def test_a_rule_can_replace_values() -> None:
    rules = with_person(tier={"field": "cf_plan", "values": {"gold": "Enterprise", "1": "Free", "true": "Pro"}})
    for given, plan in (("gold", "Enterprise"), (1, "Free"), (True, "Pro"), ("pro", "Pro")):
        assert cells_of({"tier": given}, **rules) == {"cf_plan": plan}


@pytest.mark.parametrize("rule", [False, {"ignore": True}])
def test_a_silenced_trait_is_neither_mapped_nor_counted(rule: Any) -> None:
    warnings = WarningCounter()
    assert cells_of({"title": "CEO", "plan": "pro"}, warnings=warnings, **with_person(title=rule, plan=rule)) == {}
    assert not warnings


def test_members_of_objects_have_dotted_names() -> None:
    rules: dict[str, Any] = {
        "mapping": {"person": {"usage.seats": "cf_seats", "company.tier": "cf_region", "address.line1": "address"}}
    }
    traits = {
        "usage": {"seats": 5, "days": 3},
        "company": {"name": "Acme", "tier": "gold"},
        "address": {"line1": "Kade 1", "city": "Utrecht"},
    }
    warnings = WarningCounter()
    mapped = mapper(warnings=warnings, **rules).map(identify(traits, userId="ada@acme.example"))
    assert isinstance(mapped, PersonIntent)
    assert mapped.parts == {
        "": {"email": "ada@acme.example", "cf_seats": 5, "cf_region": "gold", "address": "Kade 1", "city": "Utrecht"}
        | dict.fromkeys(("state", "zipcode", "country")),
        "company:acme": {"name": "Acme"},
    }
    assert warnings.counts == {("ignored_trait", "usage.days"): 1}


def test_another_trait_can_be_the_email() -> None:
    mapped = mapper(**with_person(workMail="email")).map(
        identify({"workMail": "work@acme.example", "email": "home@acme.example"})
    )
    assert isinstance(mapped, PersonIntent)
    assert mapped.parts[""] == {"email": "work@acme.example"}


def test_lead_and_contact_rules_win_over_person_and_keep_the_cells_apart() -> None:
    mapping = {"person": {"role": "job_title"}, "lead": {"role": "cf_region"}, "contact": {"nick": "first_name"}}
    assert cells_of({"role": "CEO"}, mapping=mapping) == {"lead:cf_region": "CEO", "contact:job_title": "CEO"}
    assert cells_of({"title": "CTO", "cfRegion": "EMEA"}, mapping=mapping) == {
        "lead:job_title": "CTO",
        "contact:job_title": "CTO",
        "lead:cf_region": "EMEA",
        "contact:cf_region": "EMEA",
    }
    assert cells_of({"nick": "Ada"}, mapping=mapping) == {"contact:first_name": "Ada"}


def test_account_and_deal_rules_reach_inside_company_and_deal() -> None:
    mapping = {"account": {"domain": "website", "plan": "cf_tier"}, "deal": {"value": "amount"}}
    traits = {"company": {"name": "A", "domain": "a.example", "plan": "pro"}, "deal": {"name": "D", "value": 5}}
    mapped = mapper(mapping=mapping).map(identify(traits, userId="ada@acme.example"))
    assert isinstance(mapped, PersonIntent)
    assert mapped.parts["company:a"] == {"name": "A", "website": "a.example", "contact:cf_tier": "pro"}
    assert mapped.parts["deal:d"] == {"name": "D", "amount": 5, "$account": "company:a"}


def test_every_mistake_is_told_at_once_with_its_path() -> None:
    mapping = {
        "person": {"plan": "cf_plann", "seen": "last_seen", "x": {"feld": "cf_plan"}, "y": 5, "z": {"values": {}}},
        "lead": {"stage": "led_stage_id"},
        "accounts": {},
        "event": {"A": {"typ": "x"}, "B": "x", "C": {"ignore": "yes"}, "D": {"type": 5}},
    }
    with pytest.raises(MappingError) as raised:
        mapper(mapping=mapping, id_field="cf_uid", owner="Nobody")
    assert str(raised.value).splitlines() == [
        "mapping.person.plan: no field 'cf_plann' in this Freshsales; did you mean cf_plan?",
        "mapping.person.seen: last_seen is kept by Freshsales itself and cannot be written",
        "mapping.person.x.feld: there is no key 'feld' here; did you mean field?",
        'mapping.person.x: names no field; a rule reads like "cf_plan" or { field = "cf_plan" }',
        'mapping.person.y: names no field; a rule reads like "cf_plan" or { field = "cf_plan" }',
        'mapping.person.z: names no field; a rule reads like "cf_plan" or { field = "cf_plan" }',
        "mapping.lead.stage: no field 'led_stage_id' in this Freshsales; did you mean lead_stage_id?",
        "mapping.accounts: there is no such table; did you mean account?",
        "mapping.event.A.typ: there is no key 'typ' here; did you mean type?",
        "mapping.event.B: it is no table; keys: type, title, ignore, fields",
        "mapping.event.C.ignore: it can't be 'yes'; ignore is true or false",
        "mapping.event.D.type: it can't be 5; type is text",
        "identity.id_field: no field 'cf_uid' in this Freshsales",
        "timeline.owner: no user 'Nobody' in this Freshsales",
    ]


def test_lead_rules_mean_nothing_on_suite() -> None:
    assert cells_of({"stage": "x"}, catalog("suite"), mapping={"lead": {"stage": "lead_stage_id"}}) == {}


def test_a_field_of_leads_only_may_be_named_for_persons() -> None:
    account = catalog(lead=(custom("cf_lead_only"),))
    assert cells_of({"x": "1"}, account, **with_person(x="cf_lead_only")) == {"lead:cf_lead_only": "1"}


def test_offline_custom_fields_are_taken_as_existing() -> None:
    account = Catalog.standard("classic")
    cells = cells_of({"cfSeats": 5, "x": "1", "seats": 7}, account, **with_person(x="cf_whatever"))
    assert cells == {"cf_seats": 5, "cf_whatever": "1"}


@pytest.mark.parametrize("owner", ["robin doe", "ROBIN@acme.example", "11"])
def test_the_timelines_owner_by_name_email_or_id(owner: str) -> None:
    assert mapper(owner=owner).owner_id == 11
    assert mapper().owner_id is None


def test_catalog_rules_and_tally_travel_to_other_processes() -> None:
    warnings = WarningCounter()
    cells_of({"color": "blue"}, warnings=warnings)
    account, rules, counted = pickle.loads(pickle.dumps((catalog(), Rules(owner="11"), warnings)))
    assert cells_of({"title": "CEO"}, account) == {"job_title": "CEO"}
    assert rules == Rules(owner="11")
    assert counted.counts == warnings.counts


def test_a_flat_trait_can_go_into_the_company_or_the_deal() -> None:
    rules = with_person(
        company_name="company.name",
        seats="company.cf_tier",
        **{"org.title": "company.name", "value": "deal.amount", "pilot": "deal.name"},
    )
    traits = {"company_name": "Acme", "seats": "gold", "value": 5, "pilot": "P"}
    mapped = mapper(**rules).map(identify(traits, userId="ada@acme.example"))
    assert isinstance(mapped, PersonIntent)
    assert mapped.parts["company:acme"] == {"name": "Acme", "contact:cf_tier": "gold"}
    assert {name: mapped.parts["deal:p"][name] for name in ("name", "amount")} == {"name": "P", "amount": 5}
    for given in ("Other", {"name": "Other", "city": "Oslo"}, ["Other"], None):
        mapped = mapper(**rules).map(
            identify({"org": {"title": "Acme", "x": 1}, "company": given}, userId="ada@acme.example")
        )
        assert isinstance(mapped, PersonIntent)
        assert mapped.parts["company:acme"]["name"] == "Acme"
    unnamed = mapper(**rules).map(identify({"seats": "gold"}, userId="ada@acme.example"))
    assert isinstance(unnamed, PersonIntent)
    assert list(unnamed.parts) == [""]


@pytest.mark.parametrize("field", ["company.nope", "deal.nope", "company.", "firm.name"])
def test_what_is_no_field_of_the_company_or_deal_is_a_mistake(field: str) -> None:
    with pytest.raises(MappingError):
        mapper(**with_person(x=field))


def test_values_are_found_in_any_case_and_must_fit_the_field() -> None:
    rules = with_person(plan={"field": "cf_plan", "values": {"Gold": "Enterprise", "silver": "pro", "none": None}})
    for given, plan in (
        ("gold", "Enterprise"),
        (" GOLD ", "Enterprise"),
        ("Silver", "Pro"),
        ("NONE", None),
        ("free", "Free"),
    ):
        assert cells_of({"plan": given}, **rules)["cf_plan"] == plan
    with pytest.raises(
        MappingError, match="'Golden' does not fit cf_plan; cf_plan takes one of: Free, Pro, Enterprise"
    ):
        mapper(**with_person(plan={"field": "cf_plan", "values": {"gold": "Golden"}}))


def test_choices_are_hinted_once_each() -> None:
    warnings = WarningCounter()
    cells_of(
        {"leadStageId": "Nope"}, catalog(lead_stages=[{"id": 61, "name": "New"}, {"id": 62, "name": "Old"}]), warnings
    )
    (row,) = warnings.rows()
    assert str(row["hint"]).count("New") == 1
