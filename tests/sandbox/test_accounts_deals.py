from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.server import Api, refused


def linked(contact: dict[str, Any]) -> list[tuple[int, bool]]:
    return [(account["id"], account["is_primary"]) for account in contact["sales_accounts"]]


def test_account_names_are_required_and_unique_in_any_case(api: Api) -> None:
    made = api.make("sales_accounts", name="Acme", annual_revenue=1000000, number_of_employees=51)
    assert made["annual_revenue"] == "1000000.0"
    assert refused(api.post("/sales_accounts", {"sales_account": {"name": "ACME"}})) == "Name has already been taken"
    assert "blank" in refused(api.post("/sales_accounts", {"sales_account": {"city": "Leeds"}}))
    assert "blank" in refused(api.put(f"/sales_accounts/{made['id']}", {"sales_account": {"name": None}}))
    refused(api.post("/sales_accounts", {"sales_account": {"name": "Other", "number_of_employees": 52}}))
    upserted = api.post(
        "/sales_accounts/upsert", {"unique_identifier": {"name": "acme"}, "sales_account": {"city": "York"}}
    )
    assert (upserted.status_code, upserted.json()["sales_account"]["name"]) == (200, "Acme")


def test_sales_accounts_of_a_contact_replace_its_links(api: Api) -> None:
    first, second = (api.make("sales_accounts", name=name)["id"] for name in ("Acme", "Globex"))
    made = api.make("contacts", email="a@b.example", sales_accounts=[{"id": first, "is_primary": True}])
    path = f"/contacts/{made['id']}"
    assert "sales_accounts" not in made

    api.put(path, {"contact": {"job_title": "CEO"}})
    assert linked(api.get(path, include="sales_accounts").json()["contact"]) == [(first, True)]
    api.put(path, {"contact": {"sales_accounts": [{"id": str(second), "is_primary": True}, {"id": first}]}})
    assert linked(api.get(path, include="sales_accounts").json()["contact"]) == [(second, True), (first, False)]
    api.put(path, {"contact": {"sales_accounts": []}})
    assert linked(api.get(path, include="sales_accounts").json()["contact"]) == []


def test_sales_accounts_of_a_wrong_shape_are_refused(api: Api) -> None:
    number = api.make("sales_accounts", name="Acme")["id"]
    made = api.make("contacts", email="a@b.example")
    for bad in (["Acme"], "Acme", [{"name": "Acme"}], {"id": number}, [{"id": number, "is_primary": "yes"}]):
        message = refused(api.put(f"/contacts/{made['id']}", {"contact": {"sales_accounts": bad}}))
        assert message == "The type for sales_accounts is invalid."
    assert "does not exist" in refused(api.put(f"/contacts/{made['id']}", {"contact": {"sales_accounts": [{"id": 5}]}}))


def test_a_deal_takes_the_default_pipeline_and_reads_money_as_text(api: Api) -> None:
    account, contact = api.make("sales_accounts", name="Acme"), api.make("contacts", email="a@b.example")
    made = api.make(
        "deals", name="Renewal", amount=1200, sales_account_id=account["id"], contacts_added_list=[contact["id"]],
        expected_close="2024-06-30", custom_field={"cf_source_system": "segment"},
    )  # fmt: skip
    assert (made["amount"], made["expected_close"]) == ("1200.0", "2024-06-30")
    assert made["deal_pipeline_id"] == api.choice("deal_pipelines", "Default Pipeline")
    assert made["deal_stage_id"] == api.choice("deal_stages", "New")

    read = api.get(f"/deals/{made['id']}", include="contacts,sales_account,deal_stage").json()
    assert read["deal"]["contact_ids"] == [contact["id"]]
    assert [row["email"] for row in read["contacts"]] == ["a@b.example"]
    assert [row["name"] for row in read["sales_accounts"]] == ["Acme"]
    assert [row["name"] for row in read["deal_stages"]] == ["New"]
    beside = api.get(f"/contacts/{contact['id']}", include="deals,owner").json()
    assert ([row["name"] for row in beside["deals"]], beside["contact"]["deal_ids"]) == (["Renewal"], [made["id"]])
    owned = api.get(f"/sales_accounts/{account['id']}", include="deals,contacts").json()
    assert [row["id"] for row in owned["deals"]] == [made["id"]]

    api.put(f"/deals/{made['id']}", {"deal": {"contacts_removed_list": [contact["id"]]}})
    assert api.get(f"/deals/{made['id']}", include="contacts").json()["contacts"] == []


@pytest.mark.parametrize(
    "attributes",
    [
        {"amount": 1}, {"name": "x"}, {"name": "x", "amount": "1"}, {"name": "x", "amount": 1, "sales_account_id": 5},
        {"name": "x", "amount": 1, "contacts_added_list": [5]}, {"name": "x", "amount": 1, "contacts_added_list": 5},
        {"name": "x", "amount": 1, "deal_stage_id": 5}, {"name": "x", "amount": 1, "probability": 101},
        {"name": "x", "amount": 1, "age": 3}, {"name": "x", "amount": 1, "contacts": [5]},
        {"name": "x", "amount": 1, "expected_close": "soon"}, {"name": "x", "amount": 1, "sales_account": "Acme"},
    ],
    ids=str,
)  # fmt: skip
def test_a_deal_that_does_not_fit_is_refused(api: Api, attributes: dict[str, Any]) -> None:
    refused(api.post("/deals", {"deal": attributes}))


def test_a_deals_stage_belongs_to_its_pipeline(api: Api) -> None:
    renewals, due = api.choice("deal_pipelines", "Renewals"), api.choice("deal_stages", "Due")
    refused(api.post("/deals", {"deal": {"name": "x", "amount": 1, "deal_stage_id": due}}))
    assert api.make("deals", name="x", amount=1, deal_pipeline_id=renewals)["deal_stage_id"] == due


def test_a_nested_account_of_a_deal_is_linked_or_made(api: Api) -> None:
    deals = [api.make("deals", name=name, amount=1, sales_account={"name": "Acme"}) for name in ("One", "Two")]
    assert deals[0]["sales_account_id"] == deals[1]["sales_account_id"]


def test_deals_may_share_a_name_and_upsert_takes_one_of_them(api: Api) -> None:
    first, _ = api.make("deals", name="Trial", amount=1), api.make("deals", name="Trial", amount=2)
    by_name = {"unique_identifier": {"name": "trial"}, "deal": {"amount": 3}}
    assert api.post("/deals/upsert", by_name).json()["deal"]["id"] == first["id"]
    by_id = {"unique_identifier": {"id": str(first["id"])}, "deal": {"amount": 4}}
    assert api.post("/deals/upsert", by_id).json()["deal"]["amount"] == "4.0"
    assert api.post("/deals/upsert", {"unique_identifier": {"id": "5"}, "deal": {"amount": 4}}).status_code == 404


def test_an_unknown_include_is_refused(api: Api) -> None:
    made = api.make("contacts", email="a@b.example")
    assert "lists" in refused(api.get(f"/contacts/{made['id']}", include="lists"))
