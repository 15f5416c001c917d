from __future__ import annotations

import re
from typing import Any

import pytest

from fsseg.sandbox import dump
from tests.sandbox.server import Api, refused


def test_a_contact_reads_back_with_every_attribute_and_every_custom_field(api: Api) -> None:
    made = api.make("contacts", first_name="Ada", emails="ada@example.com", custom_field={"cf_plan": "Pro"})

    read = api.get(f"/contacts/{made['id']}").json()["contact"]
    assert read == made
    assert read["id"] > 2**32
    assert read["email"] == "ada@example.com"
    assert [(entry["value"], entry["is_primary"]) for entry in read["emails"]] == [("ada@example.com", True)]
    assert read["custom_field"]["cf_plan"] == "Pro"
    assert read["custom_field"]["cf_no-go_reason"] is None
    assert read["job_title"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+02:00", read["updated_at"])


def test_an_unwrapped_body_is_taken_and_null_clears(api: Api) -> None:
    made = api.post("/contacts", {"mobile_number": "007", "job_title": "CEO", "custom_field": {"cf_seats": 3}}).json()

    path = f"/contacts/{made['contact']['id']}"
    read = api.put(path, {"job_title": None, "custom_field": {"cf_seats": None}}).json()["contact"]
    assert (read["mobile_number"], read["job_title"], read["custom_field"]["cf_seats"]) == ("007", None, None)
    assert read["updated_at"] > made["contact"]["updated_at"]


BAD: list[dict[str, Any]] = [
    {"first_name": 7},
    {"first_nam": "x"},
    {"display_name": "x"},
    {"lead_score": 5},
    {"creater_id": 1},
    {"last_seen": "2024-01-01"},
    {"tags": "a"},
    {"owner_id": 12345},
    {"owner_id": "Robin Doe"},
    {"time_zone": "Europe/Amsterdam"},
    {"custom_field": {"cf_unknown": 1}},
    {"custom_field": {"job_title": "x"}},
    {"custom_field": ["cf_plan"]},
    {"cf_plan": "Pro"},
    {"custom_field": {"cf_plan": "Gold"}},
    {"custom_field": {"cf_seats": "3"}},
    {"custom_field": {"cf_seats": True}},
    {"custom_field": {"cf_region": 7}},
    {"custom_field": {"cf_region": "x" * 256}},
    {"custom_field": {"cf_is_active": "true"}},
    {"custom_field": {"cf_is_active": 1}},
    {"custom_field": {"cf_signup_date": "yesterday"}},
    {"custom_field": {"cf_interests": ["CRM"]}},
    {"custom_field": {"cf_interests": "CRM;Chess"}},
    {"email": "not an address"},
    {"email": None},
]


@pytest.mark.parametrize("attributes", BAD, ids=str)
def test_what_does_not_fit_is_refused_and_changes_nothing(api: Api, attributes: dict[str, Any]) -> None:
    made = api.make("contacts", email="ada@example.com", first_name="Ada")

    refused(api.put(f"/contacts/{made['id']}", {"contact": attributes}))
    assert api.get(f"/contacts/{made['id']}").json()["contact"] == made


def test_values_of_each_type_read_back(api: Api) -> None:
    owner = api.choice("owners", "robin@fsseg.example")
    given = {
        "cf_signup_date": "2024-06-30T23:30:00Z",
        "cf_interests": "CRM;Billing",
        "cf_lifetime_value": 39.95,
        "cf_is_active": False,
        "cf_no-go_reason": "",
    }
    made = api.make("contacts", email="a@b.example", owner_id=str(owner), tags=["vip"], custom_field=given)

    assert (made["owner_id"], made["tags"]) == (owner, ["vip"])
    assert given | {"cf_signup_date": "2024-06-30"} == {key: made["custom_field"][key] for key in given}


def test_a_person_needs_an_address_or_a_mobile_number(classic: Api) -> None:
    for resource, singular in (("contacts", "contact"), ("leads", "lead")):
        assert "mobile number" in refused(classic.post(f"/{resource}", {singular: {"last_name": "Moss"}}))
        assert classic.post(f"/{resource}", {singular: {"mobile_number": "1"}}).status_code == 201


def test_a_contacts_address_is_unique_in_any_case_and_a_leads_is_not(classic: Api) -> None:
    classic.make("contacts", email="Ada@Example.com")
    assert refused(classic.post("/contacts", {"contact": {"email": "ada@example.COM"}})) == "Contact is not unique"
    classic.make("leads", email="ada@example.com")
    classic.make("leads", email="ada@example.com")
    assert len(dump(classic.db)["leads"]) == 2


def test_the_shapes_of_emails_add_change_and_remove_addresses(api: Api) -> None:
    made = api.make("contacts", emails=["a@x.example", "b@x.example"])
    first, second = made["emails"]
    path = f"/contacts/{made['id']}"

    def after(emails: Any) -> list[tuple[str, bool]]:
        read = api.put(path, {"contact": {"emails": emails}}).json()["contact"]["emails"]
        return [(entry["value"], entry["is_primary"]) for entry in read]

    assert after("b@x.example") == [("a@x.example", True), ("b@x.example", False)]
    assert after("c@x.example") == [("c@x.example", True), ("b@x.example", False)]
    assert after([{"id": second["id"], "is_primary": True}]) == [("c@x.example", False), ("b@x.example", True)]
    assert after([{"value": "d@x.example"}, {"id": first["id"], "_destroy": True}]) == [
        ("b@x.example", True),
        ("d@x.example", False),
    ]
    refused(api.put(path, {"contact": {"emails": {"value": "e@x.example"}}}))


def test_upsert_updates_by_any_address_and_creates_with_the_identifier(api: Api) -> None:
    made = api.make("contacts", emails=["a@x.example", "b@x.example"], job_title="CTO")
    body = {"unique_identifier": {"emails": "B@X.example"}, "contact": {"first_name": "Bo"}}

    found = api.post("/contacts/upsert", body)
    assert found.status_code == 200
    assert found.json()["contact"]["id"] == made["id"]
    assert found.json()["contact"]["job_title"] == "CTO"

    body["unique_identifier"] = {"emails": "new@x.example"}
    created = api.post("/contacts/upsert", body)
    assert (created.status_code, created.json()["contact"]["email"]) == (201, "new@x.example")


def test_upsert_takes_one_known_identifier_and_a_wrapped_record(classic: Api) -> None:
    for body in (
        {"unique_identifier": {"email": "a@x.example"}, "contact": {}},
        {"unique_identifier": {"external_id": "1"}, "contact": {}},
        {"unique_identifier": {"emails": "a@x.example", "mobile_number": "1"}, "contact": {}},
        {"unique_identifier": {"emails": 7}, "contact": {}},
        {"contact": {"email": "a@x.example"}},
        {"unique_identifier": {"emails": "a@x.example"}, "first_name": "A"},
    ):
        refused(classic.post("/contacts/upsert", body))
    by_number = {"unique_identifier": {"mobile_number": "+31 6"}, "contact": {"first_name": "A"}}
    assert [classic.post("/contacts/upsert", by_number).status_code for _ in range(2)] == [201, 200]


def test_a_unique_custom_field_is_kept_unique(api: Api) -> None:
    api.make("contacts", email="a@x.example", custom_field={"cf_code": "7"})
    body = {"contact": {"email": "b@x.example", "custom_field": {"cf_code": "7"}}}
    assert refused(api.post("/contacts", body)) == "Code is not unique"


def test_a_lead_carries_company_and_deal_and_merges_them(classic: Api) -> None:
    software = classic.choice("industry_types", "Software")
    company = {"name": "Acme", "industry_type_id": software, "number_of_employees": 51, "annual_revenue": 1200}
    made = classic.make("leads", email="eve@x.example", company=company, deal={"name": "Trial", "amount": 5600})

    assert (made["deal"]["amount"], made["company"]["annual_revenue"]) == ("5600.0", "1200.0")
    read = classic.put(f"/leads/{made['id']}", {"lead": {"company": {"city": "Leeds"}, "deal": None}}).json()["lead"]
    assert (read["company"]["name"], read["company"]["city"], read["deal"]) == ("Acme", "Leeds", None)
    assert read["company"]["id"] == made["company"]["id"]
    for bad in (
        {"company": "Acme"},
        {"company": {"number_of_employees": "51"}},
        {"deal": {"amount": "1"}},
        {"emails": "x"},
    ):
        refused(classic.put(f"/leads/{made['id']}", {"lead": bad}))


def test_converting_a_lead_makes_contact_account_and_deal_and_moves_its_timeline(classic: Api) -> None:
    custom = {"cf_plan": "Pro"}
    nested = {"company": {"name": "Acme", "number_of_employees": 60}, "deal": {"name": "Trial", "amount": 10}}
    lead = classic.make("leads", email="eve@x.example", last_name="Moss", custom_field=custom, **nested)
    classic.make("notes", description="Called", targetable_type="Lead", targetable_id=lead["id"])

    answer = classic.post(f"/leads/{lead['id']}/convert", {"lead": {"job_title": "CEO"}})
    assert answer.status_code == 200
    content = dump(classic.db)
    (contact,), (account,), (deal,) = content["contacts"], content["sales_accounts"], content["deals"]
    assert content["leads"] == []
    assert (contact["email"], contact["job_title"], contact["custom_field"]["cf_plan"]) == (
        "eve@x.example",
        "CEO",
        "Pro",
    )
    assert [linked["id"] for linked in contact["sales_accounts"]] == [account["id"]]
    assert account["number_of_employees"] == 51
    assert (deal["contact_ids"], deal["sales_account_id"], deal["amount"]) == ([contact["id"]], account["id"], "10.0")
    assert content["notes"][0]["targetables"] == [{"id": contact["id"], "type": "Contact"}]
    assert classic.get(f"/leads/{lead['id']}").status_code == 404


def test_suite_has_no_leads(suite: Api) -> None:
    for path in ("/leads/1", "/leads/filters", "/settings/leads/fields", "/selector/lead_stages"):
        assert suite.get(path).status_code == 404
    for path in ("/leads", "/leads/upsert", "/filtered_search/lead"):
        assert suite.post(path, {"lead": {"email": "a@b.example"}, "filter_rule": []}).status_code == 404
    answer = suite.get("/lookup", q="a@b.example", f="email", entities="lead,contact")
    assert answer.json() == {"leads": {"leads": []}, "contacts": {"contacts": []}}


def test_status_and_lifecycle_stage_stay_a_pair(suite: Api) -> None:
    lead, customer = suite.choice("lifecycle_stages", "Lead"), suite.choice("lifecycle_stages", "Customer")
    won = suite.choice("contact_statuses", "Won")
    made = suite.make("contacts", email="a@b.example", lifecycle_stage_id=lead)
    assert made["contact_status_id"] == suite.choice("contact_statuses", "New")

    path = f"/contacts/{made['id']}"
    refused(suite.put(path, {"contact": {"lifecycle_stage_id": lead, "contact_status_id": won}}))
    assert suite.put(path, {"contact": {"contact_status_id": won}}).json()["contact"]["lifecycle_stage_id"] == customer


def test_deleted_people_are_gone_and_their_address_is_free(api: Api) -> None:
    made = api.make("contacts", email="a@b.example")
    assert api.delete(f"/contacts/{made['id']}").json() is True
    assert api.get(f"/contacts/{made['id']}").status_code == 404
    assert api.put(f"/contacts/{made['id']}", {"contact": {}}).status_code == 404
    again = api.make("contacts", email="a@b.example")
    assert api.delete(f"/contacts/{again['id']}/forget").json() is True
    assert dump(api.db)["contacts"] == []
