"""What the two destination pages say, from outside: files in, records out."""

from __future__ import annotations

import pytest

from tests.e2e.events import anonymous, identify, page, track
from tests.e2e.harness import Machine

KIM = "kim@north.example"
TRAITS = {
    "email": KIM,
    "firstName": "Kim",
    "lastName": "Vos",
    "cfAlternateNumber": "98765432",
    "title": "CTO",
    "phone": "+3112345678",
    "favoriteColor": "blue",
    "company": {"name": "North Ltd", "website": "north.example", "employees": 48},
    "deal": {"name": "North pilot", "amount": 4200},
}


def test_an_identify_call_makes_a_lead_with_its_company_and_deal_nested(classic: Machine) -> None:
    result = classic.spawn("import", "--json", events=[identify("c-900", TRAITS)])

    assert result.code == 0, result.err
    lead = classic.account.one("leads", KIM)
    assert {
        name: lead[name] for name in ("first_name", "last_name", "job_title", "work_number", "cf_alternate_number")
    } == {
        "first_name": "Kim",
        "last_name": "Vos",
        "job_title": "CTO",
        "work_number": "+3112345678",
        "cf_alternate_number": "98765432",
    }
    assert (lead["company"]["name"], lead["company"]["website"]) == ("North Ltd", "north.example")
    assert (lead["deal"]["name"], lead["deal"]["amount"]) == ("North pilot", "4200.0")
    found = classic.account.records()
    assert not (found["contacts"] or found["sales_accounts"] or found["deals"])
    assert result.warnings["ignored_trait favoriteColor"] == 1


@pytest.mark.parametrize(
    "flag", [{"fsContact": "true"}, {"fs_contact": True}, {"fsContact": "1"}, {"fs_contact": "TRUE"}]
)
def test_the_flag_makes_a_contact_with_account_and_deal_linked(classic: Machine, flag: dict[str, object]) -> None:
    result = classic.imports(events=[identify("c-900", TRAITS | flag)])

    assert result.code == 0, result.out
    assert not classic.account.records()["leads"]
    contact = classic.account.one("contacts", KIM)
    assert (contact["job_title"], contact["work_number"]) == ("CTO", "+3112345678")
    assert contact["cf_alternate_number"] == "98765432"
    account = classic.account.one("sales_accounts", "North Ltd")
    assert [(one["id"], one["is_primary"]) for one in contact["sales_accounts"]] == [(account["id"], True)]
    deal = classic.account.one("deals", "North pilot")
    assert deal["amount"] == "4200.0"
    assert deal["contact_ids"] == [contact["id"]]
    assert deal["sales_account_id"] == account["id"]


@pytest.mark.parametrize("flag", ["false", False, "0", "", None])
def test_a_flag_that_says_no_makes_a_lead(classic: Machine, flag: object) -> None:
    classic.imports(events=[identify("c-900", TRAITS | {"fsContact": flag})])

    assert classic.account.one("leads", KIM)["first_name"] == "Kim"


def test_what_nobody_tells_anew_of_a_leads_company_and_deal_stays(classic: Machine) -> None:
    company, deal = {"name": "Acme", "city": "Oslo"}, {"name": "Pilot", "amount": 12.75}
    classic.account.seed(leads=[{"email": "p@x.example", "last_name": "P", "company": company, "deal": deal}])
    told = {"company": {"name": "Acme", "zipcode": "0150"}, "deal": {"name": "Pilot", "expected_close": "2025-01-01"}}
    assert classic.imports(events=[identify("p@x.example", told)]).code == 0
    lead = classic.account.one("leads", "p@x.example")
    assert (lead["company"]["city"], lead["company"]["zipcode"]) == ("Oslo", "0150")
    assert (lead["deal"]["amount"], lead["deal"]["expected_close"]) == ("12.75", "2025-01-01")


def test_suite_has_contacts_only_and_new_ones_that_are_no_contact_yet_are_in_the_stage_lead(suite: Machine) -> None:
    stage = suite.account.choice("lifecycle_stages", "Lead")
    events = [identify("c-900", TRAITS), identify("sam@north.example", fsContact=True, firstName="Sam")]

    result = suite.spawn("import", "--json", events=events)

    assert result.code == 0, result.err
    kim, sam = suite.account.one("contacts", KIM), suite.account.one("contacts", "sam@north.example")
    assert kim["lifecycle_stage_id"] == stage
    assert sam.get("lifecycle_stage_id") != stage or "lifecycle_stage_id" not in result.fields("contact", sam["email"])
    assert kim["cf_alternate_number"] == "98765432"
    assert (kim["job_title"], kim["work_number"]) == ("CTO", "+3112345678")
    account = suite.account.one("sales_accounts", "North Ltd")
    assert account["number_of_employees"] == 11
    assert [one["id"] for one in kim["sales_accounts"]] == [account["id"]]
    deal = suite.account.one("deals", "North pilot")
    assert (deal["contact_ids"], deal["sales_account_id"]) == ([kim["id"]], account["id"])


def test_the_stage_of_an_existing_contact_is_left_alone(suite: Machine) -> None:
    customer = suite.account.choice("lifecycle_stages", "Customer")
    suite.account.make("contacts", emails=KIM, last_name="Vos", lifecycle_stage_id=customer)

    suite.imports(events=[identify(KIM, title="CTO")])

    contact = suite.account.one("contacts", KIM)
    assert (contact["lifecycle_stage_id"], contact["job_title"]) == (customer, "CTO")


def test_events_and_page_views_stand_on_the_timeline_at_their_own_time(machine: Machine) -> None:
    result = machine.imports(
        events=[
            identify(KIM, firstName="Kim"),
            track(
                KIM,
                "Email Bounced",
                {"emailId": "18", "emailSubject": "First purchase", "campaignId": "11"},
                timestamp="2019-05-04T10:11:12.345Z",
                messageId="bounce-1",
            ),
            page(
                KIM,
                "Home",
                {"title": "Welcome", "url": "https://north.example"},
                timestamp="2020-01-02T03:04:05+02:00",
                messageId="page-1",
            ),
        ]
    )

    assert result.outcomes == {"applied": 3}
    bounced, home = machine.account.timeline(KIM)
    assert (bounced["title"], home["title"]) == ("Email Bounced: First purchase", "Home")
    assert bounced["start_date"] == bounced["end_date"] == "2019-05-04T12:11:12.345+02:00"
    assert home["start_date"] == "2020-01-02T03:04:05.000+02:00"
    assert bounced["notes"].splitlines() == [
        "Subject: First purchase",
        "emailId: 18",
        "campaignId: 11",
        "messageId: bounce-1",
    ]
    assert home["notes"].splitlines()[-1] == "messageId: page-1"
    assert "url: https://north.example" in home["notes"]
    assert bounced["sales_activity_type_id"] == machine.account.choice("sales_activity_types", "Segment event")
    assert home["sales_activity_type_id"] == machine.account.choice("sales_activity_types", "Page view")


def test_an_event_takes_the_activity_type_of_its_name_and_v1_names_are_read_as_v2(machine: Machine) -> None:
    machine.imports(events=[identify(KIM), track(KIM, "Completed Order", {"orderId": "7"})])

    (order,) = machine.account.timeline(KIM)
    assert order["title"] == "Order Completed: 7"
    assert order["sales_activity_type_id"] == machine.account.choice("sales_activity_types", "Order Completed")


def test_a_message_without_id_gets_one_of_its_content_so_that_it_is_found_again(machine: Machine) -> None:
    event = track(KIM, "Visited")
    del event["messageId"]
    first = machine.imports(events=[identify(KIM), event])
    again = machine.imports("--again", events=[event])

    assert first.outcomes == {"applied": 2}
    assert again.outcomes == {"unchanged": 1}
    (entry,) = machine.account.timeline(KIM)
    assert "messageId: content:" in entry["notes"]


def test_an_event_with_a_database_id_finds_its_person_by_the_identify_of_this_file_then_of_an_earlier_one(
    machine: Machine,
) -> None:
    machine.imports(events=[track("u-1", "Before"), identify("u-1", email=KIM)])
    machine.imports(events=[track("u-1", "After")])

    assert [entry["title"] for entry in machine.account.timeline(KIM)] == ["Before", "After"]


def test_an_event_with_a_database_id_finds_its_person_by_the_email_it_brings(machine: Machine) -> None:
    machine.imports(events=[identify(KIM)])

    result = machine.imports(
        events=[
            track("u-1", "In context", context={"traits": {"email": "KIM@north.example"}}),
            track("u-2", "In properties", {"email": KIM}),
            track("u-3", "Nowhere"),
            track("u-4", "Unknown", {"email": "nobody@north.example"}),
        ]
    )

    assert [entry["title"] for entry in machine.account.timeline(KIM)] == ["In context", "In properties"]
    assert result.code == 1
    assert result.outcomes == {"applied": 2, "rejected": 2}
    assert [(row["event"], row["_fsseg"]["code"]) for row in result.failures] == [
        ("Nowhere", "unknown_person"),
        ("Unknown", "unknown_person"),
    ]


def test_create_missing_makes_the_person_of_an_event_first(machine: Machine) -> None:
    resource = "leads" if machine.account.edition == "classic" else "contacts"
    result = machine.imports("--create-missing", events=[track(KIM, "Visited"), track("u-9", "Visited")])

    assert result.outcomes == {"applied": 1, "rejected": 1}
    assert machine.account.one(resource, KIM)
    assert len(machine.account.timeline(KIM)) == 1


def test_an_email_as_user_id_updates_the_lead_or_contact_it_finds(classic: Machine) -> None:
    classic.account.make("leads", email="lea@north.example", last_name="Ek", city="Oslo")
    classic.account.make("contacts", emails="con@north.example", last_name="Au", city="Bonn")

    result = classic.imports(
        events=[
            identify("LEA@north.example", title="COO"),
            identify(" con@north.example ", title="CFO", fsContact=False),
        ]
    )

    assert result.code == 0
    lead, contact = (
        classic.account.one("leads", "lea@north.example"),
        classic.account.one("contacts", "con@north.example"),
    )
    assert (lead["job_title"], lead["city"]) == ("COO", "Oslo")
    assert (contact["job_title"], contact["city"]) == ("CFO", "Bonn")
    found = classic.account.records()
    assert (len(found["leads"]), len(found["contacts"])) == (1, 1)


def test_a_contact_is_found_by_any_of_its_addresses_and_keeps_its_primary_one(machine: Machine) -> None:
    addresses = [{"value": "first@north.example", "is_primary": True}, {"value": KIM, "is_primary": False}]
    machine.account.make("contacts", emails=addresses, last_name="Vos")

    machine.imports(events=[identify(KIM, title="CTO")])

    contact = machine.account.one("contacts", "first@north.example")
    assert contact["job_title"] == "CTO"
    assert [one["value"] for one in contact["emails"]] == ["first@north.example", KIM]


def test_the_contact_wins_over_the_lead_and_the_newest_of_several_leads(classic: Machine) -> None:
    for title in ("old", "older"):
        classic.account.make("leads", email="twice@north.example", last_name="Au", job_title=title)
    first = classic.account.people("leads", "twice@north.example")[0]
    classic.account.change("leads", first["id"], city="Rome")
    classic.account.make("leads", email=KIM, last_name="Vos")
    classic.account.make("contacts", emails=KIM, last_name="Vos")

    result = classic.imports(events=[identify(KIM, title="CTO"), identify("twice@north.example", title="new")])

    assert result.code == 0
    assert classic.account.one("contacts", KIM)["job_title"] == "CTO"
    assert classic.account.one("leads", KIM).get("job_title") is None
    titles = {row["id"]: row["job_title"] for row in classic.account.people("leads", "twice@north.example")}
    assert titles.pop(first["id"]) == "new"
    assert list(titles.values()) == ["older"]
    assert result.warnings == {"duplicate_person": 2}


def test_a_database_id_makes_a_sibling_and_leaves_the_lead_of_the_same_email_alone(classic: Machine) -> None:
    before = classic.account.make("leads", email=KIM, last_name="Vos", job_title="old")

    result = classic.imports(events=[identify("u-1", email=KIM, title="CTO"), track("u-1", "Visited")])

    assert result.code == 0
    assert result.warnings == {"email_exists": 1}
    old, new = classic.account.people("leads", KIM)
    assert (old["id"], old["job_title"], old["updated_at"]) == (before["id"], "old", before["updated_at"])
    assert new["job_title"] == "CTO"
    (entry,) = classic.account.timeline(KIM)
    assert entry["targetable_id"] == new["id"]

    again = classic.imports(events=[identify("u-1", email=KIM, title="CEO")])
    assert again.outcomes == {"applied": 1}
    assert [row["job_title"] for row in classic.account.people("leads", KIM)] == ["old", "CEO"]


def test_a_database_id_fails_where_a_contact_would_need_the_email_of_another(classic: Machine) -> None:
    before = classic.account.make("contacts", emails=KIM, last_name="Vos", job_title="old")

    result = classic.imports(
        events=[
            identify(
                "u-1", email=KIM, title="CTO", fsContact=True, company="North Ltd", deal={"name": "Pilot", "amount": 1}
            ),
            track("u-1", "Visited"),
            identify("sam@north.example", title="COO"),
        ]
    )

    assert result.code == 1
    assert result.outcomes == {"failed": 2, "applied": 1}
    assert [(row["_fsseg"]["code"], row["type"]) for row in result.failures] == [
        ("email_exists", "identify"),
        ("email_exists", "track"),
    ]
    assert "--match email" in result.failures[0]["_fsseg"]["hint"]
    assert classic.account.one("contacts", KIM)["updated_at"] == before["updated_at"]
    assert classic.account.one("leads", "sam@north.example")
    found = classic.account.records()
    assert not (found["deals"] or found["sales_activities"])
    assert len(found["contacts"]) == 1
    assert result.change("contact", KIM)["action"] == "conflict"


def test_a_database_id_may_stand_beside_somebody_of_the_other_kind(classic: Machine) -> None:
    classic.account.make("contacts", emails=KIM, last_name="Vos", job_title="old")
    classic.account.make("leads", email="sam@north.example", last_name="Au", job_title="old")

    result = classic.imports(
        events=[
            identify("u-1", email=KIM, title="CTO"),
            identify("u-2", email="sam@north.example", title="COO", fsContact=True),
        ]
    )

    assert result.code == 0
    assert result.warnings == {"email_exists": 2}
    assert classic.account.one("contacts", KIM)["job_title"] == "old"
    assert classic.account.one("leads", KIM)["job_title"] == "CTO"
    assert classic.account.one("leads", "sam@north.example")["job_title"] == "old"
    assert classic.account.one("contacts", "sam@north.example")["job_title"] == "COO"


def test_matching_by_email_updates_whoever_has_the_email_of_a_database_id(machine: Machine) -> None:
    machine.account.make("contacts", emails=KIM, last_name="Vos")

    result = machine.imports("--match", "email", events=[identify("u-1", email=KIM, title="CTO")])

    assert result.code == 0
    assert machine.account.one("contacts", KIM)["job_title"] == "CTO"


def test_suite_matches_database_ids_by_email_unless_told_otherwise(suite: Machine) -> None:
    suite.account.make("contacts", emails=KIM, last_name="Vos")

    refused = suite.imports("--match", "segment", events=[identify("u-1", email=KIM, title="CTO")])
    assert refused.reasons == {"email_exists": 1}
    assert "job_title" not in suite.account.one("contacts", KIM)

    suite.imports(events=[identify("u-1", email=KIM, title="CTO")])
    assert suite.account.one("contacts", KIM)["job_title"] == "CTO"


def test_the_changed_email_of_a_database_id_updates_the_same_record(machine: Machine) -> None:
    resource = "leads" if machine.account.edition == "classic" else "contacts"
    machine.imports(events=[identify("u-1", email=KIM, title="CTO")])

    result = machine.imports(events=[identify("u-1", email="kim.vos@south.example", title="CEO")])

    assert result.outcomes == {"applied": 1}
    (person,) = machine.account.records()[resource]
    assert (person["email"], person["job_title"]) == ("kim.vos@south.example", "CEO")


def test_several_ids_with_one_email_are_one_person(machine: Machine) -> None:
    resource = "leads" if machine.account.edition == "classic" else "contacts"
    result = machine.imports(
        events=[identify("u-1", email=KIM, title="CTO"), identify("u-2", email="KIM@north.example", city="Oslo")]
    )

    assert result.warnings == {f"shared_email {KIM}": 1} or result.warnings == {"shared_email": 1}
    (person,) = machine.account.records()[resource]
    assert (person["job_title"], person["city"]) == ("CTO", "Oslo")


def test_companies_are_added_to_a_contact_and_never_replace_those_it_has(machine: Machine) -> None:
    account = machine.account.make("sales_accounts", name="Old Ltd")
    machine.account.make(
        "contacts", emails=KIM, last_name="Vos", sales_accounts=[{"id": account["id"], "is_primary": True}]
    )

    events = [
        identify(KIM, company={"name": "New Ltd", "city": "Oslo"}),
        identify(KIM, company="Newest Ltd", deal={"name": "Pilot", "amount": 7}),
    ]
    result = machine.imports(events=events)

    assert result.code == 0
    linked = machine.account.one("contacts", KIM)["sales_accounts"]
    assert [(one["name"], one["is_primary"]) for one in linked] == [
        ("Old Ltd", True),
        ("New Ltd", False),
        ("Newest Ltd", False),
    ]
    assert machine.account.one("sales_accounts", "New Ltd")["city"] == "Oslo"
    assert (
        machine.account.one("deals", "Pilot")["sales_account_id"]
        == machine.account.one("sales_accounts", "Newest Ltd")["id"]
    )


def test_the_deal_of_a_contact_is_updated_by_its_name_among_its_own(machine: Machine) -> None:
    kim = machine.account.make("contacts", emails=KIM, last_name="Vos")
    sam = machine.account.make("contacts", emails="sam@north.example", last_name="Au")
    for person, amount in ((kim, 1), (sam, 2)):
        machine.account.make("deals", name="Pilot", amount=amount, contacts_added_list=[person["id"]])

    machine.imports(events=[identify(KIM, deal={"name": "pilot", "amount": 10})])

    amounts = {row["contact_ids"][0]: row["amount"] for row in machine.account.records()["deals"]}
    assert amounts == {kim["id"]: "10.0", sam["id"]: "2.0"}


def test_a_deal_without_what_freshsales_requires_is_left_out_and_the_person_goes_on(machine: Machine) -> None:
    result = machine.imports(events=[identify(KIM, title="CTO", fsContact=True, deal={"name": "Pilot"})])

    assert result.code == 0
    assert result.outcomes == {"applied": 1}
    assert machine.account.one("contacts", KIM)["job_title"] == "CTO"
    assert not machine.account.records()["deals"]
    assert any(name.startswith("incomplete") and "amount" in name for name in result.warnings)


def test_anonymous_events_are_skipped_unless_they_are_stitched(machine: Machine) -> None:
    events = [
        anonymous("a-1", "First"),
        anonymous("a-2", "Other"),
        identify(KIM, envelope={"anonymousId": "a-1"}),
        anonymous("a-1", "Later"),
    ]

    plain = machine.dry_runs(events=events)
    assert plain.outcomes == {"skipped": 3, "applied": 1}
    assert plain.reasons == {"anonymous": 3}

    stitched = machine.imports("--stitch-anonymous", events=events)
    assert stitched.reasons == {"anonymous": 2}
    assert [entry["title"] for entry in machine.account.timeline(KIM)] == ["First"]


def test_group_events_are_skipped_unless_they_are_asked_for(machine: Machine) -> None:
    group = identify("unused")
    group |= {"type": "group", "userId": KIM, "groupId": "g-1", "traits": {"name": "North Ltd", "city": "Oslo"}}
    events = [identify(KIM, fsContact=True, lastName="Vos"), group]

    assert machine.dry_runs(events=events).reasons == {"unsupported_type": 1}

    assert machine.imports("--with", "group", events=events).outcomes == {"applied": 2}
    assert machine.account.one("sales_accounts", "North Ltd")["city"] == "Oslo"
    assert [one["name"] for one in machine.account.one("contacts", KIM)["sales_accounts"]] == ["North Ltd"]
