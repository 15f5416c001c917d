"""A dry run shows exactly and only what differs, writes nothing, and the import then does just that."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from fsseg.sandbox import Fault
from tests.e2e import stranger
from tests.e2e.events import identify, page, track
from tests.e2e.harness import Machine, Result, Row

KIM = "kim@north.example"

CONTACT = {
    "first_name": "Kim",
    "work_number": "007",
    "job_title": "CTO",
    "address": None,
    "custom_field": {
        "cf_seats": 5,
        "cf_signup_date": "2024-03-01",
        "cf_is_active": True,
        "cf_interests": "CRM;Billing",
        "cf_region": "EMEA",
        "cf_plan": "Pro",
        "cf_lifetime_value": 5600,
    },
}

DIFFERENCES: dict[str, tuple[Row, dict[str, tuple[Any, Any]]]] = {
    "nothing": ({}, {}),
    "the same text": ({"title": "CTO"}, {}),
    "another text": ({"title": "CEO"}, {"job_title": ("CTO", "CEO")}),
    "another case of a text": ({"title": "cto"}, {"job_title": ("CTO", "cto")}),
    "a text that was empty": ({"city": "Oslo"}, {"city": (None, "Oslo")}),
    "a phone that looks like a number": ({"phone": "7"}, {"work_number": ("007", "7")}),
    "the same phone": ({"phone": "007"}, {}),
    "another case of the e-mail": ({"email": "in capitals"}, {}),
    "the same number as text": ({"cfSeats": "5"}, {}),
    "the same number with a point": ({"cfSeats": 5.0}, {}),
    "another number": ({"cfSeats": 6}, {"cf_seats": (5, 6)}),
    "zero is not nothing": ({"cfSeats": 0}, {"cf_seats": (5, 0)}),
    "the same date with a time": ({"cfSignupDate": "2024-03-01T22:30:00Z"}, {}),
    "the same date written in full": ({"cfSignupDate": "2024-03-01"}, {}),
    "another date": ({"cfSignupDate": "2024-03-02"}, {"cf_signup_date": ("2024-03-01", "2024-03-02")}),
    "the same truth as text": ({"cfIsActive": "true"}, {}),
    "another truth": ({"cfIsActive": False}, {"cf_is_active": (True, False)}),
    "the same choices in another order": ({"cfInterests": ["Billing", "CRM"]}, {}),
    "the same choices as text": ({"cfInterests": "Billing; CRM"}, {}),
    "more choices": ({"cfInterests": ["CRM", "Support"]}, {"cf_interests": ("CRM;Billing", "CRM;Support")}),
    "the same choice in another case": ({"cfPlan": "pro"}, {}),
    "null clears what is set": ({"cfRegion": None}, {"cf_region": ("EMEA", None)}),
    "null leaves alone what is not set": ({"address": None, "cfAlternateNumber": None}, {}),
    "an empty text where nothing is set": ({"city": ""}, {}),
    "two at once": ({"title": "CEO", "phone": "007", "cfPlan": "Business"}, {"job_title": ("CTO", "CEO"), "cf_plan": ("Pro", "Business")}),
}  # fmt: skip


def test_each_difference_shows_as_what_it_is_and_nothing_else_does(machine: Machine) -> None:
    people = {kind: f"p{number}@north.example" for number, kind in enumerate(DIFFERENCES)}
    machine.account.seed(contacts=[{"email": email, **CONTACT} for email in people.values()])
    events = [identify(people[kind], _own(traits, people[kind])) for kind, (traits, _) in DIFFERENCES.items()]

    result = machine.dry_runs("--allow-mass-changes", events=events)

    assert {kind: result.fields("contact", email) for kind, email in people.items()} == {
        kind: expected for kind, (_, expected) in DIFFERENCES.items()
    }
    changed = sum(bool(expected) for _, expected in DIFFERENCES.values())
    assert result.actions == {"contact": {"update": changed, "unchanged": len(people) - changed}}
    assert result.outcomes == {"applied": changed, "unchanged": len(people) - changed}
    assert machine.imports(events=events).outcomes == result.outcomes
    assert machine.imports("--again", events=events).outcomes == {"unchanged": len(people)}


def _own(traits: Row, email: str) -> Row:
    return traits | {"email": email.upper()} if "email" in traits else traits


LEAD = {
    "email": KIM,
    "last_name": "Vos",
    "company": {"name": "North Ltd", "city": "Oslo", "number_of_employees": 48, "annual_revenue": 5600},
    "deal": {"name": "Pilot", "amount": 4200, "expected_close": "2024-06-30"},
}


LEAD_DIFFERENCES: list[tuple[Row, dict[str, tuple[Any, Any]]]] = [
    ({"company": {"name": "North Ltd"}}, {}),
    ({"company": "North Ltd"}, {}),
    ({"company": {"name": "North Ltd", "city": "Oslo", "employees": "48", "annualRevenue": 5600.0}}, {}),
    ({"company": {"name": "North Ltd", "city": "Bergen"}}, {"company.city": ("Oslo", "Bergen")}),
    ({"company": {"name": "North Ltd", "city": None}}, {"company.city": ("Oslo", None)}),
    ({"company": {"name": "South BV"}}, {"company.name": ("North Ltd", "South BV")}),
    ({"company": {"name": "North Ltd", "annualRevenue": 5601}}, {"company.annual_revenue": ("5600.0", 5601)}),
    ({"deal": {"name": "Pilot", "amount": 4200}}, {}),
    ({"deal": {"name": "Pilot", "amount": "4200.00", "expectedClose": "2024-06-30T00:00:00Z"}}, {}),
    ({"deal": {"name": "Pilot", "amount": 4300}}, {"deal.amount": ("4200.0", 4300)}),
]


def test_the_company_and_deal_of_a_lead_are_compared_field_by_field(classic: Machine) -> None:
    emails = [f"l{number}@north.example" for number in range(len(LEAD_DIFFERENCES))]
    classic.account.seed(leads=[{**LEAD, "email": email} for email in emails])
    events = [identify(email, traits) for email, (traits, _) in zip(emails, LEAD_DIFFERENCES, strict=True)]

    result = classic.dry_runs(events=events)

    assert [result.fields("lead", email) for email in emails] == [expected for _, expected in LEAD_DIFFERENCES]
    classic.imports(events=events)
    kept = {"name": "North Ltd", "city": "Oslo", "number_of_employees": 48, "annual_revenue": "5600.0"}
    for email, (_, expected) in zip(emails, LEAD_DIFFERENCES, strict=True):
        lead = classic.account.people("leads", email)[0]
        wanted = {
            name.removeprefix("company."): after for name, (_, after) in expected.items() if name.startswith("company.")
        }
        money = {name: f"{float(value)}" for name, value in wanted.items() if name == "annual_revenue"}
        assert {name: lead["company"][name] for name in kept} == kept | wanted | money
        assert lead["deal"]["expected_close"] == "2024-06-30"
    assert classic.imports("--again", events=events).outcomes == {"unchanged": len(emails)}


def test_accounts_deals_and_timeline_of_a_contact_show_what_is_added(machine: Machine) -> None:
    account = machine.account.make("sales_accounts", name="North Ltd", city="Oslo", annual_revenue=5600)
    kim = machine.account.make(
        "contacts", emails=KIM, last_name="Vos", sales_accounts=[{"id": account["id"], "is_primary": True}]
    )
    machine.account.make(
        "deals", name="Pilot", amount=5600, contacts_added_list=[kim["id"]], sales_account_id=account["id"]
    )
    events = [
        identify(KIM, company={"name": "north ltd", "city": "Bergen", "annualRevenue": "5600"}),
        identify(KIM, company={"name": "South BV"}, deal={"name": "Pilot", "amount": "5600.0"}),
        identify(KIM, deal={"name": "Second", "amount": 7, "cfSourceSystem": "segment"}),
        track(KIM, "Visited", {"page": "pricing"}),
    ]

    result = machine.dry_runs(events=events)

    assert result.actions == {
        "contact": {"update": 1},
        "account": {"create": 1, "update": 1},
        "deal": {"unchanged": 1, "create": 1},
        "timeline": {"create": 1},
    }
    assert result.fields("contact", KIM) == {"sales_accounts": (["North Ltd"], ["North Ltd", "South BV"])}
    (north,) = [row for row in result.changes if row["entity"] == "account" and row["action"] == "update"]
    assert north["fields"]["city"] == {"before": "Oslo", "after": "Bergen"}
    assert "annual_revenue" not in north["fields"]
    second = result.fields("deal", "Second")
    assert (second["amount"], second["cf_source_system"], second["sales_account"]) == (
        (None, 7),
        (None, "segment"),
        (None, "South BV"),
    )
    assert result.fields("deal", "Pilot") == {}

    machine.imports(events=events)
    assert machine.dry_runs("--again", events=events).outcomes == {"unchanged": 4}


def test_an_entry_that_is_there_already_is_unchanged_though_this_machine_never_sent_it(machine: Machine) -> None:
    events = [identify(KIM), track(KIM, "Visited"), page(KIM, "Home")]
    machine.imports(events=events)

    machine.environment["FSSEG_STATE_DIR"] = str(machine.home / "elsewhere")
    elsewhere = Machine(machine.account, machine.home / "other")
    elsewhere.home.mkdir()
    result = elsewhere.dry_runs(events=events)

    assert result.outcomes == {"unchanged": 3}
    assert result.actions["timeline"] == {"unchanged": 2}
    assert elsewhere.imports(events=events).summary["requests"]["write"] == 0


SEEDED: dict[str, list[Row]] = {
    "sales_accounts": [{"name": "North Ltd", "city": "Oslo"}],
    "contacts": [
        {"email": "same@north.example", "first_name": "Sam", "job_title": "CTO"},
        {"email": "other@north.example", "first_name": "Odd", "custom_field": {"cf_plan": "Free", "cf_region": "EMEA"}},
        {"email": "taken@north.example", "first_name": "Tak"},
    ],
}
LEADS: list[Row] = [
    {"email": "lea@north.example", "first_name": "Lea", "company": {"name": "North Ltd", "city": "Oslo"}},
    {"email": "dup@north.example", "first_name": "Dup", "job_title": "old"},
]

EVERYTHING = [
    identify("same@north.example", title="CTO"),
    identify("other@north.example", cfPlan="Pro", cfRegion=None, company={"name": "North Ltd", "city": "Bergen"}),
    identify("other@north.example", company="New Ltd", deal={"name": "Pilot", "amount": 12.5}),
    identify("u-1", email="taken@north.example", fsContact=True, title="CFO"),
    identify("lea@north.example", company={"name": "North Ltd", "city": "Bergen"}, deal={"name": "Trial", "amount": 3}),
    identify("u-2", email="dup@north.example", title="new"),
    identify("new@north.example", firstName="New", cfSeats="12", favoriteColor="blue"),
    identify("con@north.example", firstName="Con", fsContact=True, company={"name": "Con BV", "employees": 12}),
    identify("con@north.example", deal={"name": "No amount"}),
    track("same@north.example", "Visited", {"a": [1, 2], "b": {"c": None}}),
    track("u-2", "Order Completed"),
    page("new@north.example", "Home"),
    track("nobody@north.example", "Visited"),
    {"type": "track", "userId": "x", "messageId": "bad"},
    {"type": "alias", "userId": "x", "previousId": "y", "messageId": "alias"},
]


def told(result: Result) -> list[str]:
    """The changes without ids, which only an import knows of new records."""
    rows = [{**row, "id": None} for row in result.changes]
    return sorted(orjson.dumps(row, option=orjson.OPT_SORT_KEYS).decode() for row in rows)


def test_an_import_does_what_the_dry_run_said_record_by_record(machine: Machine) -> None:
    leads = {"leads": LEADS} if machine.account.edition == "classic" else {}
    machine.account.seed(**SEEDED, **leads)
    dry = machine.dry_runs(events=EVERYTHING)
    wet = machine.imports(events=EVERYTHING)

    assert told(dry) == told(wet)
    assert dry.outcomes == wet.outcomes
    assert dry.summary["records"] == wet.summary["records"]
    assert (dry.reasons, dry.warnings, dry.code) == (wet.reasons, wet.warnings, wet.code)
    _holds_what_was_told(machine, dry)

    after = machine.imports("--again", events=EVERYTHING)
    assert after.summary["requests"]["write"] == 0
    assert not {"applied"} & set(after.outcomes)


def _holds_what_was_told(machine: Machine, dry: Result) -> None:
    resources = {"lead": "leads", "contact": "contacts", "account": "sales_accounts", "deal": "deals"}
    found = machine.account.records()
    for change in dry.changes:
        if change["entity"] == "timeline" or change["action"] not in ("create", "update"):
            continue
        key = "email" if change["entity"] in ("lead", "contact") else "name"
        rows = [
            row for row in found[resources[change["entity"]]] if str(row[key]).casefold() == change["key"].casefold()
        ]
        assert any(all(_is(row, name, cell["after"]) for name, cell in change["fields"].items()) for row in rows), (
            change
        )
    entries = [change for change in dry.changes if change["entity"] == "timeline" and change["action"] == "create"]
    assert len(found["sales_activities"]) == len(entries)
    titles = sorted(row["title"] for row in found["sales_activities"])
    assert titles == sorted(change["fields"]["title"]["after"] for change in entries)


def _is(row: Row, name: str, after: Any) -> bool:
    if name in ("sales_account", "contacts"):
        return True
    if name == "sales_accounts":
        return sorted(one["name"].casefold() for one in row[name]) == sorted(one.casefold() for one in after)
    part, dot, inner = name.partition(".")
    holds = row[part].get(inner) if dot else {**row, **row.get("custom_field", {})}.get(name)
    return str(holds) == str(after) or (isinstance(after, int | float) and float(str(holds)) == after)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("error", rate=0.5, method="GET"),
        Fault("drop_before", rate=0.5, method="GET"),
        Fault("garbage", rate=0.5, path="/lookup"),
        Fault("429", rate=0.3, seconds=0.01),
        Fault("error", rate=1.0, path="/lookup|/view"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.rate}",
)
def test_a_dry_run_writes_nothing_when_requests_fail_half_way(machine: Machine, fault: Fault) -> None:
    machine.account.seed(**SEEDED)
    machine.account.faults(fault)

    result = machine.run("dry-run", "--max-time", "2s", events=EVERYTHING)

    assert machine.account.writes == 0
    assert result.code in (1, 5)
    if result.folder and (result.folder / "summary.json").exists():
        assert result.outcomes


def test_a_second_import_of_the_same_file_writes_nothing(machine: Machine) -> None:
    first = machine.imports(events=EVERYTHING)
    state = machine.account.state()
    second = machine.imports(events=EVERYTHING)

    assert first.summary["requests"]["write"] > 0
    assert second.summary["requests"]["write"] == 0
    assert second.reasons["duplicate"] == first.outcomes["applied"]
    assert machine.account.state() == state


def test_a_dry_run_is_never_remembered_as_a_delivery(machine: Machine) -> None:
    events = [identify(KIM, title="CTO"), track(KIM, "Visited")]
    machine.dry_runs(events=events)

    assert machine.dry_runs(events=events).outcomes == {"applied": 2}
    assert machine.imports(events=events).outcomes == {"applied": 2}


def test_what_cannot_be_read_back_is_known_by_the_ledger(machine: Machine) -> None:
    """Notes and tracked events."""
    machine.environment["FSSEG_APPLICATION_TOKEN"] = machine.account.sandbox.application_token
    for via, kind in (("note", "notes"), ("tracking", "events")):
        config = f'[timeline]\nvia = "{via}"\n'
        events = [identify(f"{via}@north.example", lastName="Vos"), track(f"{via}@north.example", "Visited")]
        assert machine.imports(config=config, events=events).outcomes == {"applied": 2}
        assert machine.imports(config=config, events=events).outcomes == {"skipped": 2}
        assert len(machine.account.records()[kind]) == 1


def test_offline_opens_no_connection_and_takes_the_timeline_as_available(machine: Machine) -> None:
    machine.account.empty({"selectors": {"sales_activity_types": {"remove": ["Segment event", "Page view"]}}})
    events = [identify(KIM, title="CTO", nonsense=1), track(KIM, "Visited"), page(KIM, "Home")]

    result = machine.run("dry-run", "--offline", events=events)

    assert result.code == 0
    assert result.outcomes == {"applied": 3}
    assert machine.account.requests == 0
    assert result.summary["requests"]["total"] == 0
    assert "ignored_trait nonsense" in result.warnings


def test_offline_needs_no_token_and_knows_the_fields_that_an_earlier_run_saw(machine: Machine) -> None:
    machine.account.empty({"fields": {"contacts": {"add": [{"name": "cf_shoe_size", "type": "number"}]}}})
    events = [identify(KIM, fsContact=True, shoeSize="43")]
    machine.environment["FSSEG_API_TOKEN"] = None
    before = machine.run("dry-run", "--offline", events=events)
    machine.environment.pop("FSSEG_API_TOKEN")
    machine.dry_runs(events=events)
    machine.environment["FSSEG_API_TOKEN"] = None
    after = machine.run("dry-run", "--offline", events=events)

    assert "ignored_trait shoeSize" in before.warnings
    assert after.fields("contact", KIM)["cf_shoe_size"] == (None, 43)


def test_own_fields_of_a_leads_company_are_compared_and_kept(classic: Machine) -> None:
    tier = {"name": "cf_tier", "type": "text", "base_model": "LeadCompany"}
    classic.account.empty({"fields": {"leads": {"add": [tier]}}})
    first = [identify(KIM, lastName="Vos", company={"name": "North Ltd", "cfTier": "A"})]
    classic.imports(events=first)

    assert classic.account.one("leads", KIM)["company"]["custom_field"] == {"cf_tier": "A"}
    assert classic.dry_runs("--again", events=first).outcomes == {"unchanged": 1}
    with stranger.before(classic.account, lambda exchange: None) as server:
        classic.base_url = server.base_url
        classic.imports(events=[identify(KIM, company={"name": "North Ltd", "city": "Oslo"})])
    (write,) = server.writes
    assert write.body["lead"]["company"] == {"name": "North Ltd", "city": "Oslo", "custom_field": {"cf_tier": "A"}}
    company = classic.account.one("leads", KIM)["company"]
    assert (company["city"], company["custom_field"]) == ("Oslo", {"cf_tier": "A"})


@pytest.mark.parametrize("via", ["sales_activity", "note"])
def test_offline_what_was_delivered_is_not_forecast_once_more(machine: Machine, via: str) -> None:
    config = f'[timeline]\nvia = "{via}"\n'
    events = [identify("a@x.example", title="CEO"), identify("u1", email="c@x.example"), track("u1", "Visited")]
    path = machine.write("events.jsonl", [*events, track("a@x.example", "Visited")])
    assert machine.imports(path, config=config).code == 0
    more = machine.write("more.jsonl", [*events, track("a@x.example", "Left")])
    for args in ((path,), (path, more)):
        offline = machine.dry_runs(*args, "--offline", "--again", config=config)
        online = machine.dry_runs(*args, "--again", config=config)
        assert offline.actions == online.actions


def test_a_resumed_run_tells_its_files_as_they_were_given(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(machine.home)
    machine.write("events.jsonl", [identify("a@x.example", title="CEO"), {"type": "identify"}])
    stopped = machine.imports("events.jsonl", "--max-requests", "1")
    assert stopped.code == 5
    assert machine.run("resume").code == 1
    assert [row["path"] for row in stopped.summary["inputs"]] == ["events.jsonl"]
    assert {row["_fsseg"]["file"] for row in stopped.failures} == {"events.jsonl"}


def test_nobody_is_told_to_create_who_is_missing_where_that_was_asked_for(machine: Machine) -> None:
    for args, advice in (((), "--create-missing"), (("--create-missing",), "nothing tells the e-mail")):
        done = machine.imports(*args, events=[track("u9", "Visited")])
        (reason,) = done.summary["reasons"]
        assert (reason["code"], advice in reason["hint"]) == ("unknown_person", True)
        assert advice in done.failures[0]["_fsseg"]["hint"]


def test_what_stays_empty_of_a_new_record_is_neither_set_nor_cleared(machine: Machine) -> None:
    (fields,) = machine.dry_runs(events=[identify("new@x.example", lastName="L", title="")]).summary["fields"].values()
    assert fields["last_name"] == {"set": 1, "cleared": 0}
    assert "job_title" not in fields
