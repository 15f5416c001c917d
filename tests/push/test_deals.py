"""Deals: tied to their contact and account, once, though Freshsales lets two have one name and bulk may lose them."""

from __future__ import annotations

from typing import Any

import pytest

from fsseg.push.deal_bulk import LOST
from fsseg.sandbox import Fault
from fsseg.state.actions import Status
from fsseg.state.plan_store import Store
from tests.client import Client
from tests.push.plans import Plan

SENT_BEFORE = {"status": "sent", "claimed_at": "2024-01-01T00:00:00+00:00"}


@pytest.fixture
def plan(suite: Client, store: Store) -> Plan:
    return Plan(suite, store)


def contact(plan: Plan, number: int = 0) -> int:
    """The row of a contact who is there already."""
    (id,) = plan.client.account.seed(contacts=[{"email": f"p{number}@x.example", "last_name": "P"}])["contacts"]
    row = plan.update("contact", id)
    plan.store.update("record", row, action="unchanged", status="done")
    return row


def deal(plan: Plan, name: str, parent: int, columns: dict[str, Any] | None = None, **fields: Any) -> int:
    links = {"contacts": [plan.record(parent).key]}
    return plan.create("deal", name, {"parent": parent, **(columns or {})}, amount=100, **links, **fields)


def tied(client: Client) -> dict[str, list[int]]:
    return {row["name"]: row["contact_ids"] for row in client.account.records()["deals"]}


def bulk_calls(client: Client) -> int:
    return sum(
        count
        for name, count in client.account.sandbox.stats()["requests"].items()
        if name.endswith("/deals/bulk_upsert")
    )


def test_a_deal_is_tied_to_its_contact_and_its_account(suite: Client, plan: Plan) -> None:
    person, acme = contact(plan), plan.create("account", "Acme")
    deal(plan, "Renewal", person, {"account": acme}, sales_account="Acme")
    plan.push()
    (row,) = suite.account.records()["deals"]
    assert row["contact_ids"] == [plan.record(person).remote_id]
    assert row["sales_account_id"] == plan.record(acme).remote_id
    assert plan.is_done


def test_a_deal_whose_contact_failed_fails_with_it(suite: Client, plan: Plan) -> None:
    person = plan.create("contact", "no address", last_name="Refused")
    row = deal(plan, "Renewal", person)
    plan.push()
    assert (plan.record(row).status, plan.record(row).code) == (Status.FAILED, "refused")
    assert plan.record(row).message == "its contact was not written"
    assert tied(suite) == {}


@pytest.mark.parametrize("way", ["keep", "lose"])
def test_in_bulk_none_loses_its_contact(suite: Client, plan: Plan, way: str) -> None:
    suite.account.configure(deal_links_in_bulk=way)
    rows = [deal(plan, f"Deal {number}", contact(plan, number)) for number in range(24)]
    plan.push()
    assert plan.is_done
    owners = {
        f"Deal {number}": [plan.record(int(plan.record(row).parent or 0)).remote_id] for number, row in enumerate(rows)
    }
    assert tied(suite) == owners
    assert (plan.context.deal_links.seen, plan.said) == (("kept", []) if way == "keep" else ("lost", [LOST]))
    assert bulk_calls(suite) == (2 if way == "keep" else 1)


def test_an_account_that_was_seen_to_lose_them_gets_none_in_bulk(suite: Client, plan: Plan) -> None:
    plan.context.deal_links.seen = "lost"
    for number in range(8):
        deal(plan, f"Deal {number}", contact(plan, number))
    plan.push()
    assert (plan.is_done, bulk_calls(suite)) == (True, 0)


def test_a_deal_of_somebody_else_that_has_the_name_is_not_taken_over(suite: Client, plan: Plan) -> None:
    (other,) = suite.account.seed(contacts=[{"email": "other@x.example", "last_name": "O"}])["contacts"]
    suite.account.seed(deals=[{"name": "Deal 3", "amount": 7, "contacts": [other]}])
    suite.account.configure(deal_links_in_bulk="keep")
    for number in range(8):
        deal(plan, f"Deal {number}", contact(plan, number))
    plan.push()
    deals = [(row["name"], float(row["amount"]), len(row["contact_ids"])) for row in suite.account.records()["deals"]]
    assert plan.is_done
    assert sorted(row for row in deals if row[0] == "Deal 3") == [("Deal 3", 7.0, 1), ("Deal 3", 100.0, 1)]
    assert len(deals) == 9


def test_two_of_one_name_are_two_deals(suite: Client, plan: Plan) -> None:
    suite.account.configure(deal_links_in_bulk="keep")
    for number in range(6):
        deal(plan, "Renewal", contact(plan, number))
    plan.push()
    assert plan.is_done
    assert sorted(len(row["contact_ids"]) for row in suite.account.records()["deals"]) == [1] * 6


@pytest.mark.parametrize("kind", ["drop_after", "error_after"])
def test_a_deal_whose_answer_was_lost_is_made_once(suite: Client, plan: Plan, kind: str) -> None:
    suite.account.faults(Fault(kind, method="POST", path="/deals$", limit=1))
    row = deal(plan, "Renewal", contact(plan))
    plan.push()
    assert suite.account.sandbox.stats()["faults"]
    assert (plan.is_done, list(tied(suite))) == (True, ["Renewal"])
    assert plan.record(row).remote_id == suite.account.records()["deals"][0]["id"]


@pytest.mark.parametrize("left", ["tied", "without its contact", "nothing"])
@pytest.mark.usefixtures("short_lag")
def test_what_a_killed_push_had_under_way_is_made_once(suite: Client, plan: Plan, left: str) -> None:
    person = contact(plan)
    row = deal(plan, "Renewal", person, SENT_BEFORE)
    owner = plan.record(person).remote_id
    if left != "nothing":
        ties = {"contacts_added_list": [owner]} if left == "tied" else {}
        suite.account.make("deals", name="Renewal", amount=100, **ties)
    plan.push()
    assert (plan.is_done, tied(suite)) == (True, {"Renewal": [owner]})
    assert plan.record(row).remote_id == suite.account.records()["deals"][0]["id"]


def test_a_deal_with_another_id_of_its_own_is_another(suite: Client, store: Store) -> None:
    suite.account.empty({"fields": {"deals": {"add": [{"name": "cf_ref", "type": "text", "unique": True}]}}})
    plan = Plan(suite, store, deal_id_field="cf_ref")
    person = contact(plan)
    owner = plan.record(person).remote_id
    suite.account.make("deals", name="Renewal", amount=1, custom_field={"cf_ref": "D-1"}, contacts_added_list=[owner])
    deal(plan, "Renewal", person, SENT_BEFORE, cf_ref="D-2")
    plan.push()
    refs = sorted(row["custom_field"]["cf_ref"] for row in suite.account.records()["deals"])
    assert (plan.is_done, refs) == (True, ["D-1", "D-2"])
