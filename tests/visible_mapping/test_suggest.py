"""`fsseg inspect --suggest`: the mapping line that would take each trait without a place, ready to paste."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from typing import Any

import orjson
import pytest

from fsseg.mapping.profiles import Profile, masked
from fsseg.mapping.suggest import Suggester, closest_type
from fsseg.settings import load
from tests.e2e.events import identify, track
from tests.e2e.harness import Machine
from tests.mapping.accounts import catalog, custom
from tests.readme import ROOT

RIGHT = {
    "subscriptionTier": "cf_plan",
    "signedUpOn": "cf_signup_date",
    "seatCount": "cf_seats",
    "ltvUsd": "cf_lifetime_value",
    "topics": "cf_interests",
    "jobRole": "job_title",
    "cellPhone": "mobile_number",
    "postcode": "zipcode",
    "salesRegion": "cf_region",
    "organisation": "company.name",
    "activeCustomer": "cf_is_active",
}
SAMPLE = str(ROOT / "samples" / "backfill" / "events.jsonl")


def test_of_the_sample_s_mismatched_traits_it_names_the_right_fields(machine: Machine) -> None:
    result = machine.run("inspect", SAMPLE, "--suggest", "--json")
    told = orjson.loads(result.out)["suggestions"]["traits"]
    assert {row["trait"]: row["field"] for row in told} == {**RIGHT, "favouriteColour": None}
    (tier,) = [row for row in told if row["trait"] == "subscriptionTier"]
    assert (tier["coverage"], tier["kind"]) == (1.0, "text")
    assert sorted(tier["choices"]) == ["Business plan", "Free plan", "Pro plan"]


def test_what_it_says_can_be_pasted_and_then_nothing_is_ignored(classic: Machine) -> None:
    result = classic.run("inspect", SAMPLE, "--suggest")
    pasted = result.out.partition("To paste into fsseg.toml\n")[2]
    assert set(tomllib.loads(pasted)["mapping"]["person"]) == set(RIGHT)
    done = classic.dry_runs(SAMPLE, config=pasted)
    assert set(done.warnings) == {"ignored_trait favouriteColour"}
    assert done.fields("lead", "nora.lindqvist@harbourworks.example")["cf_signup_date"] == (None, "2023-01-01")
    again = classic.run("inspect", SAMPLE, "--suggest", config=pasted)
    assert "favouriteColour" in again.out.partition("Without a place")[2]


def test_examples_are_masked_and_it_works_offline(classic: Machine) -> None:
    classic.environment["FSSEG_API_TOKEN"] = None
    before = classic.account.requests
    result = classic.run("inspect", SAMPLE, "--suggest", "--offline")
    told = result.out.partition("Without a place")[2]
    assert "jobRole" in told and "job_title" in told
    assert "5550" not in told and "+99 999 9999999" in told
    assert classic.account.requests == before


def test_events_get_the_type_that_comes_closest(classic: Machine) -> None:
    events = [
        identify("a@case.example"),
        track("a@case.example", 'Order "x"\nplaced'),
        track("a@case.example", "Trials started"),
    ]
    result = classic.run("inspect", "--suggest", events=events)
    pasted = result.out.partition("To paste into fsseg.toml\n")[2]
    assert tomllib.loads(pasted).get("mapping", {}).get("event", {}).get("Trials started", {}).get("type") in (
        None,
        "Trial Started",
    )
    bare = classic.run("inspect", "--suggest", events=[track("a@case.example", "Nothing like it")]).out
    assert "To paste" not in bare and 'No activity type is named like these: "Nothing like it" 1' in bare
    assert closest_type("Trials started", ["Demo", "Trial Started"]) == "Trial Started"
    assert closest_type("Something else", ["Demo", "Trial Started"]) is None


def test_names_and_values_with_what_cannot_be_seen_make_settings_that_can_be_read(classic: Machine) -> None:
    odd = "\x7f\x85\u202e"
    traits: dict[str, Any] = {f"jobRole{odd}": "CEO", "Pl\nan": f"Gold{odd}", f"no{odd}\nplace": "x"}
    events = [
        identify("a@case.example", **traits),
        *(identify(f"{n}@case.example", tier=f"Free{odd}") for n in range(4)),
        track("a@case.example", f"Trials{odd} started"),
        track("a@case.example", f"Nothing{odd} like it"),
    ]
    told = classic.run("inspect", "--suggest", events=events).out
    path = classic.home / "new.toml"
    made = classic.run("init", "--to", str(path), "--yes", events=events)
    assert made.code == 0, made.err
    written = path.read_text()
    assert not {*odd} & {*told + written}
    for text in (told.partition("To paste into fsseg.toml\n")[2], written):
        mapping = tomllib.loads(text)["mapping"]
        assert mapping["person"][f"jobRole{odd}"] == "job_title"
        assert mapping["event"][f"Trials{odd} started"] == {"type": "Trial Started"}


def test_nothing_is_suggested_for_what_has_its_place_or_is_silenced(classic: Machine) -> None:
    events = [identify("a@case.example", firstName="A", jobRole="CEO")]
    result = classic.run("inspect", "--suggest", events=events, config="[mapping.person]\njobRole = false\n")
    assert "Every trait and event has its place." in result.out


def test_what_is_mapped_already_gets_no_second_line_of_the_same_name(classic: Machine) -> None:
    """Pasted, it would make the settings unreadable; that its values don't fit is told all the same."""
    events = [
        identify(f"{n}@case.example", tier=tier, signedUpOn="13.02.2024", seatCount="9 seats", company=company)
        for n, (tier, company) in enumerate([("Gold", {"sector": "Beer"}), ("Tin", {"sector": "Ale"})] * 4)
    ]
    config = (
        '[mapping.person]\ntier = { field = "cf_plan", values = { Gold = "Pro" } }\nsignedUpOn = "cf_signup_date"\n'
        '[mapping.account]\nsector = { field = "industry_type_id", values = { Ale = "Agriculture" } }\n'
    )
    told = classic.run("inspect", "--suggest", events=events, config=config).out.partition("Without a place")[2]
    table, _, pasted = told.partition("To paste into fsseg.toml\n")
    assert all(f"{trait} " in table for trait in ("tier", "signedUpOn", "company.sector"))
    assert tomllib.loads(pasted)["mapping"] == {"person": {"seatCount": {"field": "cf_seats", "number": True}}}
    assert not {"tier", "signedUpOn", "sector"} & {*pasted.split()}


def profile(*values: Any) -> Profile:
    one = Profile()
    for value in values:
        one.add(value)
    return one


@pytest.mark.parametrize(
    ("trait", "values", "line"),
    [
        ("tier", ["Pro", "Free"], 'tier = "cf_plan"'),
        ("subscription", ["Pro plan"], 'subscription = { field = "cf_plan", values = { "Pro plan" = "Pro" } }'),
        ("subscription", ["Pro or Enterprise"], 'subscription = "company.cf_tier"'),
        ("interests", ["Chess", "Go"], None),
        ("seats total", ["1.234,50 €", "2 €"], '"seats total" = { field = "cf_seats", number = "comma" }'),
        ("birthday date", ["03/04/1981"], None),
        ("birthday date", ["13/04/1981", "03/04/1981"], '"birthday date" = { field = "cf_birthday", date = "%d/%m/%Y" }'),
        ("company.staff", [12, 30], 'staff = "number_of_employees"'),
        ("deal.worth_amount", ["$ 500"], 'worth_amount = { field = "amount", number = true }'),
        ("companySize", [12], 'companySize = "company.number_of_employees"'),
        ("zzz", ["a"], None),
    ],
)  # fmt: skip
def test_a_line_is_suggested_only_where_the_values_fit(trait: str, values: list[Any], line: str | None) -> None:
    found = Suggester(catalog(lead=(custom("cf_unused"),))).suggest(trait, profile(*values))
    assert (found.line if found else None) == line


def test_the_field_of_the_very_name_wins_over_one_that_means_the_same() -> None:
    found = Suggester(catalog(account=[custom("cf_domain_name")])).suggest("website", profile("https://a.example"))
    assert found and found.field == "company.website"


def test_values_that_are_no_choices_are_named_to_be_filled_in(classic: Machine) -> None:
    calls = [
        identify(f"p{n}@brew.example", plan=plan, company={"name": "Brew", "plan": plan}, seats_2="a")
        for n, plan in enumerate(["Gold", "silver", "Pro"] * 4)
    ]
    path = classic.write("events.jsonl", calls)
    line = '# plan = { field = "cf_plan", values = { Gold = "", silver = "" } }  # fill in what each is, one of: Free, '
    pasted = classic.run("inspect", path, "--suggest").out.partition("To paste into fsseg.toml\n")[2]
    assert pasted.count(line) == 2
    assert tomllib.loads(pasted)["mapping"] == {"person": {}, "account": {}}
    settings = classic.state.parent / "made.toml"
    assert classic.run("init", path, "--to", str(settings), "--yes").code == 0
    assert settings.read_text().count(line) == 2
    assert "# company.plan: goes to cf_plan, where some don't fit; 100% of calls" in settings.read_text()


def test_a_masked_value_keeps_its_shape_only() -> None:
    assert masked("Ada.Lovelace@acme.example") == "Xxx.Xxxxxxxx@xxxx.xxxxxxx"
    assert masked(["a1", "B-2"]) == "x9, X-9"
    assert masked("x" * 50) == "x" * 40 + "…"


def test_the_library_is_loaded_by_that_command_only() -> None:
    code = "import sys, fsseg.cli.app, fsseg.cli.session, fsseg.cli.inspect_cmd; sys.exit('rapidfuzz' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_sample_mapping_loads() -> None:
    assert load({}, ROOT / "samples" / "backfill" / "fsseg.toml").mapping.person
