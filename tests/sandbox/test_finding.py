from __future__ import annotations

from typing import Any

import pytest

from fsseg.sandbox import seed
from tests.sandbox.server import Api, refused


def view(api: Api, resource: str, **query: Any) -> dict[str, Any]:
    views = api.get(f"/{resource}/filters").json()["filters"]
    number = next(row["id"] for row in views if row["name"].startswith("All"))
    response = api.get(f"/{resource}/view/{number}", **query)
    assert response.status_code == 200, response.text
    return dict(response.json())


def people(count: int) -> list[dict[str, Any]]:
    return [{"email": f"p{n}@x.example", "first_name": f"P{n}", "custom_field": {"cf_seats": n}} for n in range(count)]


def test_views_page_by_25_and_at_most_100(api: Api) -> None:
    seed(api.db, api.edition, {"contacts": people(230)})

    assert len(view(api, "contacts")["contacts"]) == 25
    pages = [view(api, "contacts", page=page, per_page=1000) for page in (1, 2, 3, 4)]
    assert [len(page["contacts"]) for page in pages] == [100, 100, 30, 0]
    assert pages[0]["meta"] == {"total_pages": 3, "total": 230}
    assert len({row["id"] for page in pages for row in page["contacts"]}) == 230
    refused(api.get("/contacts/view/5"), 404)
    refused(api.get(f"/contacts/view/{api.get('/contacts/filters').json()['filters'][0]['id']}", page=0))


def test_a_view_sorted_by_updated_at_ends_with_what_changed_last(api: Api) -> None:
    ids = seed(api.db, api.edition, {"contacts": people(3)})["contacts"]
    api.put(f"/contacts/{ids[0]}", {"contact": {"job_title": "CEO"}})

    rows = view(api, "contacts", sort="updated_at", sort_type="asc")["contacts"]
    assert [row["id"] for row in rows] == [ids[1], ids[2], ids[0]]
    rows = view(api, "contacts", sort="first_name", sort_type="desc", include="sales_accounts")["contacts"]
    assert [(row["first_name"], row["sales_accounts"]) for row in rows] == [("P2", []), ("P1", []), ("P0", [])]


def test_rows_may_lack_custom_fields_and_pages_may_be_short(api: Api) -> None:
    seed(api.db, api.edition, {"contacts": people(8)})
    assert view(api, "contacts")["contacts"][3]["custom_field"]["cf_seats"] == 3

    api.configure(view_custom_fields=False, short_pages=True)
    pages = [view(api, "contacts", page=page, per_page=4)["contacts"] for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [3, 3, 2, 0]
    assert "custom_field" not in pages[0][0]


def test_lookup_is_exact_on_one_field(classic: Api) -> None:
    contact = classic.make("contacts", email="Ada+1@x.example", mobile_number="+31 6")
    lead = classic.make("leads", email="ada+1@x.example", custom_field={"cf_segment_user_id": "u-1"})
    account = classic.make("sales_accounts", name="Acme")

    def found(q: str, f: str, entities: str = "lead,contact,sales_account,deal") -> list[int]:
        answer = classic.get("/lookup", q=q, f=f, entities=entities).json()
        return [row["id"] for resource, inner in answer.items() for row in inner[resource]]

    assert found("ada+1@x.example", "email") == [lead["id"], contact["id"]]
    assert found("ada+1@x.example", "email", "contact") == [contact["id"]]
    assert found("+31 6", "mobile_number") == [contact["id"]]
    assert found("+316", "mobile_number") == []
    assert found("u-1", "cf_segment_user_id") == [lead["id"]]
    assert found("acme", "name") == [account["id"]]
    refused(classic.get("/lookup", q="x", f="email"))
    refused(classic.get("/lookup", q="x", f="email", entities="person"))
    classic.configure(lookup_rows="partial")
    row = classic.get("/lookup", q="u-1", f="cf_segment_user_id", entities="lead").json()["leads"]["leads"][0]
    assert row["partial"]
    assert "custom_field" not in row


def test_search_gives_a_bare_array_with_text_ids(api: Api) -> None:
    made = api.make("contacts", email="ada@x.example", first_name="Ada")
    api.make("sales_accounts", name="Adamant")
    rows = api.get("/search", q="ADA", include="contact,sales_account,user").json()
    assert [(row["type"], row["name"]) for row in rows] == [("contact", "Ada"), ("sales_account", "Adamant")]
    assert rows[0]["id"] == str(made["id"])
    assert api.get("/search", q="a_a").json() == []


def rule(attribute: str, operator: str, value: Any) -> dict[str, Any]:
    return {"filter_rule": [{"attribute": attribute, "operator": operator, "value": value}]}


def filtered(api: Api, body: dict[str, Any], **query: Any) -> list[str]:
    response = api.post("/filtered_search/contact", body, **query)
    assert response.status_code == 200, response.text
    assert response.json()["meta"]["total"] >= len(response.json()["contacts"])
    return [row["first_name"] for row in response.json()["contacts"]]


def test_filtered_search_by_addresses_instants_and_fields(api: Api) -> None:
    owner = api.choice("owners", "sam@fsseg.example")
    old = {"email": "old@x.example", "first_name": "Old", "updated_at": "2020-01-01T00:00:00Z", "owner_id": owner}
    seed(api.db, api.edition, {"contacts": [*people(3), old]})

    assert filtered(api, rule("contact_email.email", "is_in", "P1@x.example")) == ["P1"]
    assert filtered(api, rule("contact_email.email", "is_in", ["p1@x.example", "old@x.example"])) == ["P1", "Old"]
    assert filtered(api, rule("updated_at", "is_before", "2021-01-01T00:00:00+02:00")) == ["Old"]
    assert filtered(api, rule("updated_at", "is_after", "2021-01-01")) == ["P0", "P1", "P2"]
    assert filtered(api, rule("owner_id", "is_in", [str(owner)])) == ["Old"]
    assert filtered(api, rule("cf_seats", "is", 2)) == ["P2"]
    assert filtered(api, rule("first_name", "contains", "p"), page=2, per_page=2) == ["P2"]
    sorted_rule = {**rule("first_name", "contains", "p"), "sort": "first_name", "sort_type": "desc", "per_page": 1}
    assert filtered(api, sorted_rule) == ["P2"]


def test_filtered_rows_hold_custom_fields_only_in_detail(api: Api) -> None:
    seed(api.db, api.edition, {"contacts": people(1)})
    body = rule("contact_email.email", "is_in", "p0@x.example")
    assert "custom_field" not in api.post("/filtered_search/contact", body).json()["contacts"][0]
    detailed = api.post("/filtered_search/contact", {**body, "detail": True}).json()["contacts"][0]
    assert detailed["custom_field"]["cf_seats"] == 0


def test_a_list_for_is_in_may_be_unknown_to_the_account(api: Api) -> None:
    seed(api.db, api.edition, {"contacts": people(2)})
    body = rule("contact_email.email", "is_in", ["p0@x.example", "p1@x.example"])
    api.configure(is_in_list="text")
    assert filtered(api, body) == []
    api.configure(is_in_list="refused")
    refused(api.post("/filtered_search/contact", body))


@pytest.mark.parametrize(
    "body",
    [
        {}, {"filter_rule": {}}, rule("nonsense", "is", 1), rule("first_name", "like", "x"),
        rule("updated_at", "is_after", "soon"), rule("first_name", "is", ["a", "b"]), rule("first_name", "is", None),
        {"filter_rule": [{"attribute": "first_name"}]},
    ],
    ids=str,
)  # fmt: skip
def test_filter_rules_that_make_no_sense_are_refused(api: Api, body: dict[str, Any]) -> None:
    refused(api.post("/filtered_search/contact", body))


def test_field_metadata_and_selectors_describe_the_account(classic: Api) -> None:
    fields = classic.get("/settings/leads/fields").json()["fields"]
    named = {(field["base_model"], field["name"]): field for field in fields}
    assert {"Lead", "LeadCompany", "LeadDeal"} == {model for model, _ in named}
    assert named["Lead", "cf_no-go_reason"]["default"] is False
    assert [choice["value"] for choice in named["Lead", "cf_plan"]["choices"]] == [
        "Free",
        "Pro",
        "Business",
        "Enterprise",
    ]
    owners = classic.get("/selector/owners").json()["users"]
    assert [choice["id"] for choice in named["Lead", "owner_id"]["choices"]] == [user["id"] for user in owners]
    assert not any(key.startswith("_") for field in fields for key in field)
    required = [row["name"] for row in classic.get("/settings/deals/fields").json()["fields"] if row["required"]]
    assert required == ["name", "amount"]
    pipelines = classic.get("/selector/deal_pipelines").json()["deal_pipelines"]
    assert (
        pipelines[1]["deal_stages"]
        == classic.get(f"/selector/deal_pipelines/{pipelines[1]['id']}/deal_stages").json()["deal_stages"]
    )
    phone = classic.choice("sales_activity_types", "Phone")
    outcomes = classic.get(f"/selector/sales_activity_types/{phone}/sales_activity_outcomes").json()
    assert len(outcomes["sales_activity_outcomes"]) == 2
    assert classic.get("/selector/lifecycle_stages").status_code == 404
    assert classic.get("/settings/leads/fields.json").json()["fields"] == fields
