"""Each file of samples/, and all of them together: what must be in the account afterwards."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import Machine, Result

SAMPLES = Path(__file__).parents[2] / "samples"
CONFIG = ("--config", str(SAMPLES / "fsseg.toml"))


@dataclass
class Sample:
    """What one file comes to. Timeline entries by the local part of the person's address."""

    outcomes: dict[str, int]
    reasons: dict[str, int] = field(default_factory=dict)
    warnings: dict[str, int] = field(default_factory=dict)
    leads: str = ""
    contacts: str = ""
    accounts: tuple[str, ...] = ()
    deals: tuple[str, ...] = ()
    timeline: dict[str, int] = field(default_factory=dict)
    types: dict[str, int] = field(default_factory=dict)


EXPECTED = {
    "signups.jsonl": Sample(
        outcomes={"applied": 117},
        warnings={"ignored_trait avatar": 8},
        leads="harriet.alder rob.tandy samira.haddad ellen.soderstrom mark.dobson luca.ferri fergus.mccoll jess.lockyer"
        " sunil.rao clemence.guerin kofi.mensah joris.vandam owen.marsh nerys.pryce yusuf.demir will.huxtable zuzanna"
        " cian.oshea freya.holm carys.evans dana.whitfield",
        contacts="dafydd.pryce grace.okafor priya.nair imogen.achebe maeve.brennan aoife marcus.bell tom.brennan"
        " anton.reyes hanne.degroot bea.lindqvist",
        accounts=(
            "Beacon Medical Couriers", "Gantry Parcel Co", "Northgate Housing Trust", "Tidewater Coffee Ltd",
            "Brennan & Sons Couriers", "Pedal Post", "Kestrel Catering", "Cobalt Facilities", "Fietsmaat Utrecht BV",
        ),
        deals=(
            "Beacon insulated boxes", "Gantry depot roll-out", "Tidewater delivery trikes", "Brennan e-cargo fleet",
            "Cobalt campus pilot", "Fietsmaat dealer stock", "Kestrel festival hire",
        ),
    ),
    "saas-events.jsonl.gz": Sample(
        outcomes={"applied": 142},
        leads="nerys.pryce cian.oshea will.huxtable ellen.soderstrom kofi.mensah harriet.alder sunil.rao",
        contacts="maeve.brennan tom.brennan hanne.degroot dafydd.pryce aoife grace.okafor marcus.bell",
        accounts=(
            "Brennan & Sons Couriers", "Fietsmaat Utrecht BV", "Beacon Medical Couriers", "Pedal Post",
            "Gantry Parcel Co", "Kestrel Catering",
        ),
        timeline={
            "maeve.brennan": 9, "tom.brennan": 7, "dafydd.pryce": 11, "nerys.pryce": 9, "aoife": 10, "grace.okafor": 10,
            "hanne.degroot": 11, "cian.oshea": 8, "will.huxtable": 6, "kofi.mensah": 7, "ellen.soderstrom": 9,
            "harriet.alder": 9, "sunil.rao": 11, "marcus.bell": 11,
        },
        types={"Trial Started": 9, "Segment event": 68, "Page view": 51},
    ),
    "shop.json": Sample(
        outcomes={"applied": 47, "skipped": 4},
        reasons={"anonymous": 4},
        leads="ottilie.crane ben.ashworth leila.karimi piet.hoekstra agnes.tull noah.sinclair marta.ribeiro",
        contacts="ravi.menon orders",
        accounts=("Menon Outdoor LLC", "Saltmarsh Veg Boxes"),
        deals=("Menon Outdoor wholesale", "Saltmarsh spring accessories"),
        timeline={
            "ottilie.crane": 5, "ben.ashworth": 5, "leila.karimi": 3, "piet.hoekstra": 6, "agnes.tull": 3,
            "noah.sinclair": 5, "marta.ribeiro": 4, "ravi.menon": 3, "orders": 4,
        },
        types={"Page view": 6, "Segment event": 25, "Order Completed": 7},
    ),
    "audience.jsonl": Sample(
        outcomes={"applied": 34, "skipped": 2},
        reasons={"integrations": 2},
        leads="imogen.achebe luca.ferri clemence.guerin rob.tandy samira.haddad ellen.soderstrom priya.nair"
        " jess.lockyer fergus.mccoll zuzanna freya.holm maeve.brennan grace.okafor",
        timeline={
            "samira.haddad": 2, "imogen.achebe": 2, "clemence.guerin": 1, "freya.holm": 1, "priya.nair": 1,
            "fergus.mccoll": 2, "ellen.soderstrom": 1, "maeve.brennan": 1, "luca.ferri": 1,
        },
        types={"Segment event": 12},
    ),
    "messy.jsonl": Sample(
        outcomes={"applied": 29, "skipped": 13, "rejected": 17},
        reasons={
            "anonymous": 3, "unsupported_type": 4, "duplicate": 2, "integrations": 4,
            "not_json": 1, "not_utf8": 1, "not_an_object": 1, "missing_type": 1, "unknown_type": 1,
            "no_user_anon_id": 1, "id_not_string": 1, "event_not_defined": 1, "event_not_string": 1,
            "traits_not_object": 1, "properties_not_object": 1, "bad_timestamp": 1, "missing_email": 2, "bad_email": 1,
            "unknown_person": 2,
        },
        warnings={
            "ignored_trait favoriteColor": 3, "ignored_trait jobtitel": 1, "bad_value cfPlan": 1, "bad_value cfSeats": 1,
            "bad_value cfSignupDate": 1, "bad_value cfIsActive": 1, "incomplete deal.amount": 1, "shared_email": 1,
            "no_time originalTimestamp": 1, "no_time receivedAt": 1,
        },
        leads="ines.duarte george.halloran harald wendy.pike colin.reed pilar.soto tove bram.visser bookings rory.quill"
        " ansi rtl layla.haddad",
        contacts="silvia.conti",
        timeline={
            "ines.duarte": 3, "george.halloran": 1, "harald": 2, "wendy.pike": 1, "pilar.soto": 1, "bram.visser": 1,
            "layla.haddad": 1,
        },
        types={"Segment event": 10},
    ),
}  # fmt: skip

PEOPLE: dict[str, dict[str, dict[str, Any]]] = {
    "signups.jsonl": {
        "harriet.alder@alderfinch.example": {
            "first_name": "Harriet", "last_name": "Alder", "job_title": "Owner", "work_number": "+44 20 7946 0782",
            "address": "5 Market Row", "city": "York", "zipcode": "YO1 8ST", "country": "United Kingdom",
            "cf_plan": "Pro", "cf_region": "EMEA", "cf_seats": 2, "cf_signup_date": "2025-03-04",
        },
        "luca.ferri@tidewater.example": {"cf_alternate_number": "007", "job_title": "Training Lead"},
        "mark.dobson@northgatehousing.example": {"cf_no-go_reason": "No budget before April", "cf_interests": "Support"},
        "grace.okafor@gantryparcel.example": {
            "job_title": "Procurement Lead", "cf_plan": "Business", "cf_seats": 120, "cf_is_active": True,
            "cf_lifetime_value": 41500,
        },
        "clemence.guerin@hotel-des-quais.example": {"zipcode": "44000", "state": "Pays de la Loire"},
        "owen.marsh@saltmarshveg.example": {"cf_is_active": False},
    },
    "shop.json": {
        "ottilie.crane@postbox.example": {
            "first_name": "Ottilie", "work_number": "+44 20 7946 0603", "address": "2 Quay Steps", "city": "Whitby",
            "zipcode": "YO22 4DE",
        },
        "orders@saltmarshveg.example": {"first_name": "Owen", "last_name": "Marsh", "job_title": "Partner"},
    },
    "audience.jsonl": {
        "imogen.achebe@tidewater.example": {"cf_trial_power_users": True, "cf_lifetime_value": 3290.5},
        "luca.ferri@tidewater.example": {"cf_trial_power_users": False},
        "jess.lockyer@weirbrewery.example": {"cf_trial_power_users": True, "cf_lifetime_value": 0},
    },
    "messy.jsonl": {
        "harald@fjell.example": {"last_name": "Aas", "job_title": "Innkjøper", "cf_region": "Nordics"},
        "wendy.pike@oldquay.example": {"work_number": "020 7946 0199", "job_title": "Harbour Master"},
        "Bookings@Ropewalk.example": {"first_name": "Dee", "last_name": "Marlow-Hart", "job_title": "Manager"},
        "rory.quill@tejo.example": {"last_name": "@SUM(1+1)*cmd|' /C calc'!A0"},
        "ansi@tejo.example": {"first_name": "[31mRed[0m"},
        "layla.haddad@bahr.example": {"first_name": "ليلى"},
    },
}  # fmt: skip


def imported(machine: Machine, *names: str) -> Result:
    return machine.imports(*CONFIG, *(str(SAMPLES / name) for name in names))


def locals_of(rows: list[dict[str, Any]]) -> set[str]:
    return {row["email"].casefold().partition("@")[0] for row in rows}


def names_of(rows: list[dict[str, Any]]) -> set[str]:
    return {row["name"] for row in rows}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_comes_to_exactly_this(classic: Machine, name: str) -> None:
    expected = EXPECTED[name]

    result = imported(classic, name)

    assert result.code == (1 if "rejected" in expected.outcomes else 0)
    assert result.outcomes == expected.outcomes
    assert result.reasons == expected.reasons
    assert result.warnings == expected.warnings
    found = classic.account.records()
    assert locals_of(found["leads"]) == set(expected.leads.split())
    assert locals_of(found["contacts"]) == set(expected.contacts.split())
    assert names_of(found["sales_accounts"]) == set(expected.accounts)
    assert names_of(found["deals"]) == set(expected.deals)
    people = {
        row["id"]: row["email"].casefold().partition("@")[0] for kind in ("leads", "contacts") for row in found[kind]
    }
    assert Counter(people[row["targetable_id"]] for row in found["sales_activities"]) == expected.timeline
    types = {row["id"]: row["name"] for row in classic.account.activity_types()}
    assert Counter(types[row["sales_activity_type_id"]] for row in found["sales_activities"]) == expected.types
    rows = {row["email"]: {**row, **row["custom_field"]} for kind in ("leads", "contacts") for row in found[kind]}
    for email, wanted in PEOPLE.get(name, {}).items():
        assert {field: rows[email][field] for field in wanted} == wanted

    assert len(result.failures) == expected.outcomes.get("rejected", 0)
    again = imported(classic, name)
    assert again.summary["requests"]["write"] == 0
    assert set(again.outcomes) <= {"skipped", "rejected"}


def test_companies_and_deals_of_the_sign_ups_hang_together(classic: Machine) -> None:
    imported(classic, "signups.jsonl")

    account = classic.account
    beacon, anton = (
        account.one("sales_accounts", "Beacon Medical Couriers"),
        account.one("contacts", "anton.reyes@cobaltfm.example"),
    )
    assert beacon["website"] == "https://www.beaconmedical.example"
    assert beacon["number_of_employees"] == 51
    assert beacon["industry_type_id"] == account.choice("industry_types", "Healthcare")
    pilot = account.one("deals", "Cobalt campus pilot")
    assert (pilot["amount"], pilot["contact_ids"], pilot["sales_account_id"]) == (
        "31000.0",
        [anton["id"]],
        account.one("sales_accounts", "Cobalt Facilities")["id"],
    )
    roll_out = account.one("deals", "Gantry depot roll-out")
    assert (roll_out["amount"], roll_out["expected_close"]) == ("164000.0", "2025-09-30")
    carys = account.one("leads", "carys.evans@oakfield.example")
    assert carys["company"]["name"] == "Oakfield Primary School"
    assert carys["company"]["number_of_employees"] == 48


def test_all_samples_together(classic: Machine) -> None:
    result = imported(classic, *EXPECTED)

    assert result.code == 1
    assert result.summary["events"]["read"] == 405
    assert result.outcomes == {"applied": 369, "skipped": 19, "rejected": 17}
    found = classic.account.records()
    counts = {kind: len(found[kind]) for kind in ("leads", "contacts", "sales_accounts", "deals", "sales_activities")}
    assert counts == {"leads": 41, "contacts": 14, "sales_accounts": 11, "deals": 9, "sales_activities": 188}
    grace = classic.account.one("contacts", "grace.okafor@gantryparcel.example")
    assert grace["job_title"] == "Procurement Lead"
    assert "cf_lifetime_value" not in grace, "the audience's later null clears what the sign-up had set"
    assert len(classic.account.timeline("samira.haddad@oakfield.example")) == 2

    state = classic.account.state()
    again = imported(classic, *EXPECTED)
    assert again.summary["requests"]["write"] == 0
    everything = classic.imports("--again", *CONFIG, *(str(SAMPLES / name) for name in EXPECTED))
    assert everything.outcomes == {"unchanged": 369, "skipped": 19, "rejected": 17}
    assert everything.summary["requests"]["write"] == 0
    assert classic.account.state() == state


def test_the_samples_go_into_suite_as_contacts_only(suite: Machine) -> None:
    result = imported(suite, *EXPECTED)

    assert result.outcomes == {"applied": 369, "skipped": 19, "rejected": 17}
    found = suite.account.records()
    counts = {kind: len(found[kind]) for kind in ("contacts", "sales_activities")}
    assert counts == {"contacts": 55, "sales_activities": 188}
    harriet = suite.account.one("contacts", "harriet.alder@alderfinch.example")
    assert [one["name"] for one in harriet["sales_accounts"]] == ["Alder & Finch Florists"]
    assert harriet["lifecycle_stage_id"] == suite.account.choice("lifecycle_stages", "Lead")

    everything = suite.imports("--again", *CONFIG, *(str(SAMPLES / name) for name in EXPECTED))
    assert everything.outcomes == {"unchanged": 369, "skipped": 19, "rejected": 17}
    assert everything.summary["requests"]["write"] == 0
