from __future__ import annotations

from typing import Any

import httpx
import pytest

from fsseg.sandbox import dump, reset
from tests.sandbox.server import Api, refused


def activity(api: Api, contact: int | str, **changes: Any) -> dict[str, Any]:
    return {
        "title": "Order Completed",
        "notes": "revenue: 39.95",
        "sales_activity_type_id": api.choice("sales_activity_types", "Segment event"),
        "targetable_type": "Contact",
        "targetable_id": contact,
        "start_date": "2017-12-04T17:00:00+05:30",
        "end_date": "2017-12-04T17:00:00+05:30",
        **changes,
    }


def test_a_sales_activity_is_kept_at_its_own_time_and_listed(api: Api) -> None:
    contact = api.make("contacts", email="a@b.example")["id"]
    made = api.make("sales_activities", **activity(api, str(contact)))
    other = api.make("sales_activities", **activity(api, contact, title="Second"))

    assert made["start_date"] == made["conversation_time"] == "2017-12-04T13:30:00.000+02:00"
    assert made["targetables"] == [{"id": contact, "type": "Contact"}]
    assert api.get(f"/sales_activities/{made['id']}").json()["sales_activity"] == made
    page = api.get("/sales_activities", per_page=1).json()
    assert ([row["id"] for row in page["sales_activities"]], page["meta"]) == (
        [other["id"]],
        {"total": 2, "total_pages": 2},
    )
    api.configure(activities_order="oldest")
    assert api.get("/sales_activities").json()["sales_activities"][0]["id"] == made["id"]
    shown = api.get(f"/contacts/{contact}/activities", include="user").json()
    assert [item["action_data"]["title"] for item in shown["activities"]] == ["Second", "Order Completed"]
    assert shown["users"][0]["email"] == "robin@fsseg.example"

    changed = api.put(f"/sales_activities/{made['id']}", {"sales_activity": {"title": "Changed"}}).json()
    assert (changed["sales_activity"]["title"], changed["sales_activity"]["notes"]) == ("Changed", made["notes"])
    assert api.delete(f"/sales_activities/{made['id']}").json() == {"success": "200"}
    assert api.get(f"/sales_activities/{made['id']}").status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"title": None}, {"title": 7}, {"start_date": None}, {"end_date": "later"}, {"sales_activity_type_id": 5},
        {"sales_activity_type_id": None}, {"targetable_id": 5}, {"targetable_type": "Person"}, {"owner_id": 5},
        {"end_date": "2016-01-01T00:00:00Z"}, {"kind": "x"}, {"sales_activity_outcome_id": 5},
    ],
    ids=str,
)  # fmt: skip
def test_a_sales_activity_that_does_not_fit_is_refused(api: Api, changes: dict[str, Any]) -> None:
    contact = api.make("contacts", email="a@b.example")["id"]
    refused(api.post("/sales_activities", {"sales_activity": activity(api, contact, **changes)}))
    refused(api.post("/sales_activities", activity(api, contact)))
    assert dump(api.db)["sales_activities"] == []


def test_notes_are_written_and_read_through_their_record_only(api: Api) -> None:
    account = api.make("sales_accounts", name="Acme")["id"]
    body = {"note": {"description": "Hi", "targetable_type": "SalesAccount", "targetable_id": account}}
    answer = api.post("/notes", body)
    note = answer.json()["note"]
    assert (answer.status_code, note["description"]) == (201, "Hi")
    assert api.get(f"/notes/{note['id']}").status_code == 404
    assert api.put(f"/notes/{note['id']}", {"note": {"description": "Ho"}}).json()["note"]["description"] == "Ho"
    assert [row["description"] for row in api.get(f"/sales_accounts/{account}/notes").json()["notes"]] == ["Ho"]
    refused(api.post("/notes", {"note": {"description": "Hi"}}))
    refused(api.post("/notes", {"note": {**body["note"], "description": ""}}))
    assert api.delete(f"/notes/{note['id']}").json() == {"success": "200"}
    assert api.get(f"/sales_accounts/{account}/notes").json()["notes"] == []


def track(api: Api, action: str, **body: Any) -> httpx.Response:
    whole = {"application_token": "sandbox-app", "sdk": "ruby", "identifier": "ada@x.example", **body}
    return httpx.post(f"{api.sandbox.base_url}/track/{action}", json=whole, trust_env=False)


def test_identify_by_label_makes_the_person_and_events_gather_on_the_timeline(api: Api) -> None:
    visitor = {"First name": "Ada", "Alternate contact number": "9", "company": {"Name": "Acme"}, "Shoe size": 7}
    assert track(api, "visitors", identifier="u-1", visitor={**visitor, "Email": "ada@x.example"}).status_code == 200
    for _ in range(3):
        assert track(api, "events", identifier="u-1", event={"name": "Signed up", "plan": "Pro"}).status_code == 200
    assert track(api, "page_views", page_view={"url": "https://x.example", "title": "T"}).status_code == 200
    assert track(api, "events", identifier="nobody", event={"name": "Lost"}).status_code == 200

    content = dump(api.db)
    resource = "leads" if content["leads"] else "contacts"
    (person,) = content[resource]
    assert (person["first_name"], person["email"]) == ("Ada", "ada@x.example")
    assert person["custom_field"]["cf_alternate_number"] == "9"
    if resource == "leads":
        assert person["company"]["name"] == "Acme"
    assert [(row["name"], row["targetable_id"]) for row in content["events"]] == [
        *[("Signed up", person["id"])] * 3,
        ("Lost", None),
    ]
    assert content["page_views"][0]["url"] == "https://x.example"
    shown = api.get(f"/{resource}/{person['id']}/activities").json()["activities"]
    assert [(item["action_data"]["name"], item["action_data"]["count"]) for item in shown] == [
        ("https://x.example", 1),
        ("Signed up", 3),
    ]


def test_tracking_takes_its_own_token_and_a_known_sdk(api: Api) -> None:
    event = {"name": "Signed up"}
    assert track(api, "events", application_token="sandbox", event=event).status_code == 401
    assert track(api, "events", sdk="cobol", event=event).status_code == 400
    assert track(api, "events", identifier="", event=event).status_code == 400
    assert track(api, "events", event={"plan": "Pro"}).status_code == 400
    assert track(api, "page_views", page_view={}).status_code == 400
    assert track(api, "clicks", event=event).status_code == 404
    assert dump(api.db)["events"] == []


def test_an_account_may_be_shaped_while_the_server_runs(api: Api) -> None:
    gone = ["Segment event", "Page view"]
    tier = {"name": "cf_tier", "type": "dropdown", "choices": ["A", "B"], "required": True}
    changes = {
        "selectors": {"sales_activity_types": {"remove": gone, "add": ["Site visit"]}},
        "fields": {"contacts": {"add": [tier], "remove": ["cf_plan"], "change": {"last_name": {"required": True}}}},
    }
    reset(api.db, api.edition, changes)

    names = [row["name"] for row in api.get("/selector/sales_activity_types").json()["sales_activity_types"]]
    assert "Site visit" in names
    assert not set(gone) & set(names)
    contact = {"email": "a@b.example", "last_name": "B", "custom_field": {"cf_tier": "A"}}
    made = api.make("contacts", **contact)
    assert "cf_plan" not in made["custom_field"]
    refused(api.post("/contacts", {"contact": {**contact, "email": "c@b.example", "last_name": ""}}))
    refused(api.post("/contacts", {"contact": {**contact, "email": "c@b.example", "custom_field": {}}}))
    unknown: list[dict[str, Any]] = [{"tables": {}}, {"fields": {"tasks": {}}}, {"selectors": {"colours": {}}}]
    for bad in unknown:
        with pytest.raises(ValueError, match=r"tables|tasks|colours"):
            reset(api.db, api.edition, bad)
