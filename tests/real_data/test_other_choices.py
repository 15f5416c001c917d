"""A custom field that takes other values for leads than for contacts: what is told is about the record that a value is in."""

from __future__ import annotations

from typing import Any

import pytest
from orjson import loads

from tests.e2e.events import identify, track
from tests.e2e.harness import Machine, Result

KIM, ANN = "kim@case.example", "ann@case.example"
TIER = {"name": "cf_tier", "type": "dropdown"}


@pytest.fixture
def machine(classic: Machine) -> Machine:
    tiers = {"leads": ("Basic", "Both"), "contacts": ("Gold", "Both")}
    fields = {of: {"add": [{**TIER, "choices": names}]} for of, names in tiers.items()}
    fields["leads"]["add"].append({"name": "cf_size", "type": "number", "base_model": "LeadCompany"})
    classic.account.empty({"fields": fields | {"sales_accounts": {"add": [{"name": "cf_size", "type": "text"}]}}})
    return classic


def misfits(result: Result, entity: str, key: str) -> list[Any]:
    told = [warning for warning in result.change(entity, key)["warnings"] if isinstance(warning, dict)]
    return [(warning["name"], warning["value"], warning["line"]) for warning in told]


def test_new_people(machine: Machine) -> None:
    events = [
        identify(KIM, lastName="Vos", cfTier="Gold"),
        identify(ANN, lastName="Lee", cfTier="Gold", fsContact=True),
        identify("both@case.example", lastName="B", cfTier="Both"),
        identify("none@case.example", lastName="N", cfTier="None"),
    ]
    result = machine.imports(events=events)
    assert result.warnings == {"bad_value cfTier": 2}
    (warning,) = result.summary["warnings"]
    assert [sample["key"] for sample in warning["samples"]] == [KIM, "none@case.example"]
    assert misfits(result, "lead", KIM) == [("cfTier", "Gold", 1)]
    assert misfits(result, "contact", ANN) == []
    assert machine.account.one("contacts", ANN)["cf_tier"] == "Gold"


def test_only_one_kind_is_warned_of_with_its_choices(machine: Machine) -> None:
    (warning,) = machine.imports(events=[identify(KIM, lastName="Vos", cfTier="Gold")]).summary["warnings"]
    assert warning["hint"] == "cf_tier takes one of: Basic, Both"


def test_people_who_are_there_as_the_other_kind(machine: Machine) -> None:
    machine.account.make("contacts", email=KIM, last_name="Vos")
    machine.account.make("leads", email=ANN, last_name="Lee")
    events = [identify(KIM, cfTier="Gold"), identify(ANN, cfTier="Gold", fsContact=True), track(KIM, "Seen")]
    result = machine.imports(events=events)
    assert misfits(result, "contact", KIM) == []
    assert misfits(result, "lead", ANN) == [("cfTier", "Gold", 2)]
    assert result.warnings == {"bad_value cfTier": 1, "is_lead": 1}
    assert machine.account.one("contacts", KIM)["cf_tier"] == "Gold"
    assert machine.imports("--again", events=[identify(KIM, cfTier="Basic")]).warnings == {"bad_value cfTier": 1}


def test_companies_too(machine: Machine) -> None:
    company = {"name": "North", "cfSize": "large"}
    result = machine.imports(events=[identify(KIM, lastName="Vos", company=company, fsContact=True)])
    assert result.warnings == {}
    assert machine.account.one("sales_accounts", "North")["cf_size"] == "large"
    result = machine.imports(events=[identify(ANN, lastName="Lee", company=company)])
    assert misfits(result, "lead", ANN) == [("company.cfSize", "large", 1)]


def test_track_calls_too(machine: Machine) -> None:
    machine.account.make("contacts", email=KIM, last_name="Vos")
    config = '[mapping.event.Upgraded]\nfields = { cf_tier = { take = "last", of = "tier" } }\n'
    events = [track(who, "Upgraded", {"tier": "Gold"}) for who in (KIM, ANN)]
    result = machine.imports(events=[*events, identify(ANN, lastName="Lee")], config=config)
    assert result.warnings == {"bad_value tier": 1}
    assert misfits(result, "lead", ANN) == [("tier", "Gold", 2)]
    assert machine.account.one("contacts", KIM)["cf_tier"] == "Gold"


def test_where_nobody_can_tell_the_kind_it_is_told(machine: Machine) -> None:
    event = identify(ANN, lastName="Lee", cfTier="Gold", fsContact=True)
    assert machine.imports("--strict", events=[event]).reasons == {"bad_value": 1}
    traits = loads(machine.run("inspect", "--json", events=[event]).out)["traits"]
    assert [trait["misfits"] for trait in traits if trait["trait"] == "cfTier"] == [1]
