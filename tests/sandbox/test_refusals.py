"""What isn't there, and what makes no sense, is refused by every path alike."""

from __future__ import annotations

from typing import Any

import pytest

from fsseg.sandbox import dump, reset
from tests.sandbox.server import Api, refused
from tests.sandbox.test_finding import rule
from tests.sandbox.test_timeline import activity, track

NOBODY = 1_234_567


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/contacts/{id}"),
        ("DELETE", "/contacts/{id}/forget"),
        ("GET", "/contacts/{id}/notes"),
        ("GET", "/contacts/{id}/activities"),
        ("POST", "/leads/{id}/convert"),
        ("GET", "/selector/sales_activity_types/{id}/sales_activity_outcomes"),
        ("GET", "/selector/deal_pipelines/{id}/deal_stages"),
    ],
)
def test_what_is_not_there_is_404(api: Api, method: str, path: str) -> None:
    refused(api.http.request(method, path.format(id=NOBODY)), 404)


@pytest.mark.parametrize(
    "path",
    [
        "/sales_activities?sort=colour",
        "/contacts/{contact}/activities?limit=many",
        "/search?q=",
    ],
)
def test_questions_that_make_no_sense_are_refused(api: Api, path: str) -> None:
    refused(api.http.get(path.format(contact=api.make("contacts", email="a@b.example")["id"])))


@pytest.mark.parametrize(
    "body",
    [
        {**rule("first_name", "is", "x"), "sort": 7},
        {**rule("first_name", "is", "x"), "page": 0},
        rule("contact_email.email", "contains", "x"),
        rule("first_name", "is", [["x"]]),
    ],
    ids=str,
)
def test_searches_that_make_no_sense_are_refused(api: Api, body: dict[str, Any]) -> None:
    refused(api.post("/filtered_search/contact", body))


def test_a_type_that_demands_an_outcome_takes_only_one_of_its_own(api: Api) -> None:
    kind = {"name": "Demo Held", "is_outcome_mandatory": True}
    reset(api.db, api.edition, {"selectors": {"sales_activity_types": {"add": [kind]}}})
    contact = api.make("contacts", email="a@b.example")["id"]
    phone = api.choice("sales_activity_types", "Phone")
    outcomes = api.get(f"/selector/sales_activity_types/{phone}/sales_activity_outcomes").json()
    outcome = outcomes["sales_activity_outcomes"][0]["id"]
    demanding = activity(api, contact, sales_activity_type_id=api.choice("sales_activity_types", "Demo Held"))
    refused(api.post("/sales_activities", {"sales_activity": demanding}))
    refused(api.post("/sales_activities", {"sales_activity": demanding | {"sales_activity_outcome_id": outcome}}))
    api.make("sales_activities", **demanding | {"sales_activity_type_id": phone, "sales_activity_outcome_id": outcome})
    assert len(dump(api.db)["sales_activities"]) == 1


def test_activities_are_listed_by_their_own_time_too(api: Api) -> None:
    contact = api.make("contacts", email="a@b.example")["id"]
    for day in ("2017-12-05", "2017-12-03", "2017-12-04"):
        api.make("sales_activities", **activity(api, contact, title=day, start_date=day, end_date=day))
    listed = api.get("/sales_activities", sort="start_date", sort_type="asc").json()["sales_activities"]
    assert [row["title"] for row in listed] == ["2017-12-03", "2017-12-04", "2017-12-05"]


def test_a_note_stands_on_the_timeline_and_takes_no_other_attributes(api: Api) -> None:
    target = {"targetable_type": "Contact", "targetable_id": api.make("contacts", email="a@b.example")["id"]}
    refused(api.post("/notes", {"note": {**target, "description": "Hi", "colour": "red"}}))
    api.make("notes", **target, description="Hi")
    shown = api.get(f"/contacts/{target['targetable_id']}/activities").json()["activities"]
    assert [(item["action_type"], item["action_data"]["description"]) for item in shown] == [("NOTE_ADD", "Hi")]


def test_a_visitor_is_an_object_and_is_known_by_an_address_as_identifier(api: Api) -> None:
    assert track(api, "visitors", visitor="Ada").status_code == 400
    assert track(api, "visitors", visitor={"First name": "Ada"}).status_code == 200
    people = [row for kind in ("leads", "contacts") for row in dump(api.db).get(kind, ())]
    assert [(row["email"], row["first_name"]) for row in people] == [("ada@x.example", "Ada")]


def test_suite_events_have_names_of_bounded_length(classic: Api, suite: Api) -> None:
    long = {"name": "x" * 300}
    assert track(classic, "events", event=long).status_code == 200
    assert track(suite, "events", event=long).status_code == 400


def test_a_lead_without_company_deal_and_address_is_converted_too(classic: Api) -> None:
    lead = classic.make("leads", last_name="Lovelace", mobile_number="1")
    contact = classic.post(f"/leads/{lead['id']}/convert").json()["contact"]
    assert contact["last_name"] == "Lovelace"
    found = dump(classic.db)
    assert [len(found[kind]) for kind in ("leads", "contacts", "sales_accounts", "deals")] == [0, 1, 0, 0]
