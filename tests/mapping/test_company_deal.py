from __future__ import annotations

from typing import Any

import pytest

from fsseg.mapping.intents import MISFIT, AccountIntent, Parts, PersonIntent, Refused
from fsseg.mapping.warning_counter import WarningCounter
from tests.mapping.accounts import catalog, event, identify, mapper


def parts_of(
    traits: dict[str, Any], edition: Any = "classic", warnings: WarningCounter | None = None, **rules: Any
) -> Parts:
    mapped = mapper(catalog(edition), warnings, **rules).map(identify(traits, userId="ada@acme.example"))
    assert isinstance(mapped, PersonIntent), mapped
    del mapped.parts[""]
    return mapped.parts


@pytest.mark.parametrize(
    "company",
    [
        {"name": " Acme  BV "},
        " Acme  BV ",
        [{"name": " Acme  BV "}, {"name": "Other"}],
        [" Acme  BV "],
        '{"name": " Acme  BV "}',
        ['{"name": " Acme  BV "}'],
    ],
)
def test_a_company_is_an_object_or_its_name_or_the_first_of_a_list(company: Any) -> None:
    assert parts_of({"company": company}) == {"company:acme bv": {"name": "Acme  BV"}}


@pytest.mark.parametrize(("text", "name"), [("{}", None), ("{Acme}", "{Acme}"), ('{"name": null}', None)])
def test_only_json_of_an_object_is_read(text: str, name: str | None) -> None:
    assert [cells["name"] for cells in parts_of({"company": text}).values()] == ([name] if name else [])


def test_segments_own_names_find_their_fields_in_lead_and_account() -> None:
    company = {"name": "Acme", "industry": "logistics", "employee_count": 48, "website": "acme.example", "id": "a-1"}
    warnings = WarningCounter()
    assert parts_of({"company": company}, warnings=warnings) == {
        "company:acme": {
            "name": "Acme",
            "industry_type_id": 31,
            "lead:number_of_employees": 48,
            "contact:number_of_employees": 11,
            "website": "acme.example",
        }
    }
    assert warnings.counts == {("ignored_trait", "company.id"): 1}


def test_a_headcount_that_is_warned_of_is_left_out_of_lead_and_account() -> None:
    warnings = WarningCounter()
    (cells,) = parts_of({"company": {"name": "Acme", "employees": 0}}, warnings=warnings).values()
    assert cells.keys() == {"name", MISFIT + "company.employees"}
    assert warnings.counts == {("bad_value", "company.employees"): 1}


def test_on_suite_a_company_is_an_account_only() -> None:
    company = {"name": "Acme", "employees": "201-500", "tier": "gold", "address": {"city": "Utrecht"}}
    assert parts_of({"company": company}, "suite") == {
        "company:acme": {"name": "Acme", "number_of_employees": 201, "cf_tier": "gold", "city": "Utrecht"}
        | dict.fromkeys(("address", "state", "zipcode", "country"))
    }


def test_a_field_that_only_accounts_have_is_prefixed() -> None:
    assert parts_of({"company": {"name": "Acme", "cfTier": "gold"}}) == {
        "company:acme": {"name": "Acme", "contact:cf_tier": "gold"}
    }


def test_null_clears_a_companys_field() -> None:
    company = {"name": "Acme", "website": None}
    assert parts_of({"company": company}) == {"company:acme": {"name": "Acme", "website": None}}
    assert parts_of({"company": company}, nulls="ignore") == {"company:acme": {"name": "Acme"}}


@pytest.mark.parametrize("company", [None, "", "  ", {}, [], {"name": ""}, {"name": None}])
def test_a_blank_company_is_none(company: Any) -> None:
    warnings = WarningCounter()
    assert parts_of({"company": company}, warnings=warnings) == {}
    assert not warnings


@pytest.mark.parametrize("kind", ["company", "deal"])
def test_members_without_a_name_are_incomplete(kind: str) -> None:
    warnings = WarningCounter()
    assert parts_of({kind: {"website": "acme.example", "amount": 5, "name": " "}}, warnings=warnings) == {}
    assert ("incomplete", f"{kind}.name") in warnings.counts


@pytest.mark.parametrize("company", [5, True])
def test_a_company_that_is_neither_is_a_bad_value(company: Any) -> None:
    warnings = WarningCounter()
    assert parts_of({"company": company}, warnings=warnings) == {}
    assert warnings.counts == {("bad_value", "company"): 1}


def test_what_is_said_of_a_company_is_said_for_every_event() -> None:
    warnings = WarningCounter()
    it = mapper(warnings=warnings)
    for _ in range(3):
        it.map(identify({"company": {"name": "Acme", "industry": "Magic", "plan": "pro"}}, userId="a@b.example"))
    assert warnings.counts == {("bad_value", "company.industry"): 3, ("ignored_trait", "company.plan"): 3}


def test_the_cells_of_one_event_are_not_those_of_the_next() -> None:
    it = mapper()
    first, second = (it.map(identify({"company": "Acme"}, userId="a@b.example")) for _ in range(2))
    assert isinstance(first, PersonIntent)
    assert isinstance(second, PersonIntent)
    first.parts["company:acme"]["website"] = "changed"
    assert second.parts["company:acme"] == {"name": "Acme"}


def test_a_deal_differs_between_lead_and_contact() -> None:
    deal = {"name": "Pilot", "amount": "4200.50", "expectedClose": "2025-06-30T10:00:00Z", "probability": 40}
    assert parts_of({"deal": deal}) == {
        "deal:pilot": {
            "name": "Pilot",
            "amount": 4200.5,
            "expected_close": "2025-06-30",
            "contact:probability": 40,
        }
    }


def test_links_of_a_deal_are_not_taken_from_traits() -> None:
    deal = {"name": "Pilot", "salesAccountId": 7, "contacts": [1]}
    assert parts_of({"deal": deal}) == {"deal:pilot": {"name": "Pilot"}}


def test_two_spellings_of_company_are_one_company() -> None:
    traits = {"Company": "Other", "company": "Acme"}
    assert parts_of(traits) == parts_of(dict(reversed(traits.items()))) == {"company:acme": {"name": "Acme"}}


class TestGroup:
    def test_a_group_call_is_an_account_and_its_member(self) -> None:
        group = event(
            "group", userId="Ada@acme.example", groupId="g-1", traits={"name": "Acme", "employees": 48, "plan": "pro"}
        )
        warnings = WarningCounter()
        mapped = mapper(catalog("suite"), warnings, with_group=True).map(group)
        assert isinstance(mapped, AccountIntent)
        assert mapped.parts == {"company:acme": {"name": "Acme", "number_of_employees": 11}}
        assert mapped.person_key == "@ada@acme.example"
        assert warnings.counts == {("ignored_trait", "group.plan"): 1}

    def test_a_group_call_without_a_user_is_an_account_alone(self) -> None:
        group = event("group", anonymousId="a-1", groupId="g-1", traits={"name": "Acme"})
        assert mapper(with_group=True).map(group) == AccountIntent({"company:acme": {"name": "Acme"}}, None)

    def test_an_account_needs_a_name(self) -> None:
        mapped = mapper(with_group=True).map(event("group", userId="u-1", groupId="g-1", traits={"plan": "pro"}))
        assert isinstance(mapped, Refused)
