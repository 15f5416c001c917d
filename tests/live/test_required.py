"""Fields that an account wants of new records: defaults give them, and without them little is spent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.events import identify
from tests.e2e.harness import Machine, Row
from tests.live.story import imported_twice

MANY = 150
DEFAULTS = '[defaults.lead]\nlead_source_id = "Web"\n[defaults.contact]\nlead_source_id = "Web"\n'


def people(count: int, **traits: Any) -> list[Row]:
    return [identify(f"p{n}@x.example", lastName="P", **traits) for n in range(count)]


@pytest.mark.parametrize("count", [2, MANY])
def test_defaults_fill_what_an_account_wants(machine: Machine, count: int) -> None:
    machine.account.configure(required=["email", "lead_source_id"])
    changed = imported_twice(machine, people(count), config=DEFAULTS)
    web = machine.account.choice("lead_sources", "Web")
    assert [row["lead_source_id"] for row in changed.values()] == [web] * count


def test_defaults_are_for_new_records_and_for_what_no_event_says(machine: Machine) -> None:
    phone = machine.account.choice("lead_sources", "Phone")
    assert machine.imports(events=[identify("old@x.example", lastName="P")]).code == 0
    events = [identify("old@x.example", lastName="Q"), identify("new@x.example", leadSourceId="Phone")]
    assert machine.imports(events=events, config=DEFAULTS).code == 0
    kind = "leads" if machine.account.edition == "classic" else "contacts"
    assert "lead_source_id" not in machine.account.one(kind, "old@x.example")
    assert machine.account.one(kind, "new@x.example")["lead_source_id"] == phone


def test_a_default_may_be_the_value_of_another_trait(machine: Machine) -> None:
    config = '[defaults.lead]\njob_title = "$plan"'
    assert machine.imports(events=people(1, cfPlan="Pro"), config=config.replace("$plan", "$cfPlan")).code == 0
    kind = "leads" if machine.account.edition == "classic" else "contacts"
    assert machine.account.one(kind, "p0@x.example")["job_title"] == "Pro"


@pytest.mark.parametrize(
    ("config", "traits", "field", "value"),
    [
        (
            '[mapping.person]\ntier = "cf_plan"\n[defaults.lead]\njob_title = "$tier"',
            {"tier": "Pro"},
            "job_title",
            "Pro",
        ),
        ('[defaults.lead]\ndepartment = "$title"', {"title": "CTO"}, "department", "CTO"),
        ('[defaults.lead]\ncf_region = "$address.country"', {"address": {"country": "EMEA"}}, "cf_region", "EMEA"),
    ],
)
def test_the_trait_of_a_default_is_found_where_the_mapping_puts_it(
    classic: Machine, config: str, traits: Row, field: str, value: str
) -> None:
    assert classic.imports(events=people(1, **traits), config=config).code == 0
    assert classic.account.one("leads", "p0@x.example")[field] == value


def test_a_trait_of_the_company_is_a_default_of_its_account(machine: Machine) -> None:
    config = '[mapping.account]\ndomain = "website"\n[defaults.account]\nphone = "$domain"'
    events = [identify("p@x.example", fsContact=True, company={"name": "Firm", "domain": "https://firm.example"})]
    machine.account.configure(account_phones="keep")
    assert machine.imports(events=events, config=config).code == 0
    assert machine.account.one("sales_accounts", "Firm")["phone"] == "https://firm.example"


def test_a_deal_and_an_account_have_defaults_too(machine: Machine) -> None:
    config = '[defaults.deal]\namount = 0\n[defaults.account]\ncity = "Oslo"'
    events = [identify("p@x.example", fsContact=True, company="Firm", deal={"name": "Pilot"})]
    assert machine.imports(events=events, config=config).code == 0
    assert machine.account.one("deals", "Pilot")["amount"] == "0.0"
    assert machine.account.one("sales_accounts", "Firm")["city"] == "Oslo"


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ('[defaults.contact]\nlead_source_id = "Nowhere"', "defaults.contact.lead_source_id"),
        ('[defaults.contact]\nlead_sauce_id = "Web"', "did you mean lead_source_id"),
        ('[defaults.deal]\namount = "much"', "a number"),
        ('[defaults.person]\ncity = "x"', "defaults.person"),
        ('[defaults.contact]\ncity = "$townName"', "trait townName reaches no field"),
    ],
)
def test_a_default_that_does_not_fit_is_told_before_anything_is_sent(machine: Machine, config: str, says: str) -> None:
    done = machine.run("import", events=people(1), config=config)
    assert (done.code, machine.account.writes) == (2, 0)
    assert says in done.err


def test_what_all_are_refused_for_is_told_once_and_little_is_spent(machine: Machine) -> None:
    account = machine.account
    account.configure(required=["email", "lead_source_id"])
    account.forget()
    done = machine.imports(events=people(MANY))
    assert done.code == 1
    assert account.writes <= 32
    assert "lead_source_id" in done.err
    (reason,) = done.summary["reasons"]
    assert (reason["code"], reason["count"]) == ("refused", MANY)
    assert "lead_source_id" in reason["hint"]
    assert machine.imports(events=people(MANY), config=DEFAULTS).outcomes == {"applied": MANY}


def test_refusals_of_all_kinds_stop_nothing(machine: Machine) -> None:
    """Here and there one that is refused, among others that are taken."""
    machine.account.configure(required=["email", "job_title"])
    events = [identify(f"p{n}@x.example", {"title": "CTO"} if n % 2 else {}) for n in range(60)]
    done = machine.imports(events=events)
    assert done.outcomes == {"applied": 30, "failed": 30}


WANTED = {"name": "cf_team", "type": "text", "label": "Team", "required": True}


@pytest.mark.parametrize("count", [1, MANY])
def test_a_dry_run_names_what_the_metadata_wants_and_nothing_gives(machine: Machine, count: int) -> None:
    kind = "leads" if machine.account.edition == "classic" else "contacts"
    machine.account.empty({"fields": {kind: {"add": [WANTED]}}})
    events = [*people(count), identify("q@x.example", cfTeam="Sales")]
    assert machine.dry_runs(events=events).warnings == {"required cf_team": count}
    config = '[defaults.lead]\ncf_team = "Growth"'
    assert machine.dry_runs(events=events, config=config).warnings == {}
    assert machine.imports(events=events, config=config).code == 0


def test_check_names_what_needs_a_default(machine: Machine) -> None:
    machine.account.empty({"fields": {"contacts": {"add": [WANTED]}}})
    shown = machine.run("check")
    assert "in every event or under [defaults]: cf_team" in " ".join(shown.out.split())
    told = machine.run("check", config='[defaults.contact]\ncf_team = "Growth"').out
    assert "in every event or under [defaults]: cf_team" not in " ".join(told.split())
