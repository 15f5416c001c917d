"""People: made once, whatever becomes of an answer, and never somebody else's record."""

from __future__ import annotations

from typing import Any

import pytest

from fsseg.mapping.catalog import Catalog
from fsseg.push.payload import body
from fsseg.sandbox import Fault
from fsseg.segment.json_codec import dumps
from fsseg.state.actions import Status
from fsseg.state.plan_store import Record, Store
from tests.client import Client
from tests.push.plans import Plan

SENT_BEFORE = {"status": "sent", "claimed_at": "2024-01-01T00:00:00+00:00"}
AS_SEGMENT = {"match_mode": "segment"}


def rows(client: Client, resource: str = "leads") -> list[dict[str, Any]]:
    return client.account.records()[resource]


@pytest.mark.parametrize("kind", ["drop_after", "error_after", "drop_before"])
@pytest.mark.parametrize("mode", ["segment", "email"])
@pytest.mark.usefixtures("short_lag")
def test_one_whose_answer_was_lost_is_made_once(
    classic: Client, store: Store, monkeypatch: pytest.MonkeyPatch, kind: str, mode: str
) -> None:
    monkeypatch.setattr("fsseg.push.made.LAG_S", 0.1)
    plan = Plan(classic, store, match_mode=mode)
    id = plan.create("lead", "new@x.example", {"by_email": 0}, last_name="New")
    classic.account.faults(Fault(kind, method="POST", path="/leads", limit=1))
    plan.push()
    assert classic.account.sandbox.stats()["faults"]
    (made,) = rows(classic)
    assert (plan.is_done, plan.record(id).remote_id, made["last_name"]) == (True, made["id"], "New")


@pytest.mark.parametrize("made", [True, False])
@pytest.mark.usefixtures("short_lag")
def test_what_a_killed_push_had_under_way_is_made_once(classic: Client, store: Store, made: bool) -> None:
    plan = Plan(classic, store, **AS_SEGMENT)
    plan.create("lead", "new@x.example", {"by_email": 0, **SENT_BEFORE}, last_name="New")
    if made:
        classic.account.make("leads", email="new@x.example", last_name="Begun")
    plan.push()
    assert (plan.is_done, [row["last_name"] for row in rows(classic)]) == (True, ["New"])


@pytest.mark.usefixtures("short_lag")
def test_another_record_of_the_same_address_is_not_taken_for_it(classic: Client, store: Store) -> None:
    (other,) = classic.account.seed(leads=[{"email": "new@x.example", "last_name": "Theirs"}])["leads"]
    plan = Plan(classic, store, **AS_SEGMENT)
    id = plan.create("lead", "new@x.example", {"by_email": 0, "siblings": [other], **SENT_BEFORE}, last_name="New")
    plan.push()
    assert sorted(row["last_name"] for row in rows(classic)) == ["New", "Theirs"]
    assert plan.record(id).remote_id != other


@pytest.mark.usefixtures("short_lag")
def test_of_several_new_ones_of_the_address_none_is_guessed(classic: Client, store: Store) -> None:
    plan = Plan(classic, store, **AS_SEGMENT)
    id = plan.create("lead", "new@x.example", {"by_email": 0, **SENT_BEFORE}, last_name="New")
    for name in ("One", "Two"):
        classic.account.make("leads", email="new@x.example", last_name=name)
    plan.push()
    assert (plan.record(id).status, len(rows(classic))) == (Status.UNKNOWN, 2)
    assert "which of them this run made can't be told" in str(plan.record(id).message)


@pytest.mark.usefixtures("short_lag")
def test_a_field_that_keeps_user_ids_tells_them_apart(classic: Client, store: Store) -> None:
    plan = Plan(classic, store, match_mode="segment", id_field="cf_region")
    id = plan.create(
        "lead", "new@x.example", {"by_email": 0, "keys": ["#u-1"], **SENT_BEFORE}, last_name="New", cf_region="u-1"
    )  # fmt: skip
    mine = classic.account.make("leads", email="old@x.example", last_name="Mine", custom_field={"cf_region": "u-1"})
    classic.account.make("leads", email="new@x.example", last_name="Theirs", custom_field={"cf_region": "u-2"})
    plan.push()
    assert (plan.is_done, plan.record(id).remote_id, len(rows(classic))) == (True, mine["id"], 2)


def converting(plan: Plan, lead: int, **fields: Any) -> int:
    existing = {"id": lead, "last_name": "Old", "company.name": "Acme"}
    columns = {"converts": lead, "existing": existing, "companies": ["acme"]}
    id = plan.create("contact", "ann@x.example", columns, last_name="New", **fields)
    plan.store.update("record", id, action="update")
    return id


@pytest.mark.parametrize("before", [False, True])
def test_a_lead_is_converted_once_and_keeps_its_company(classic: Client, store: Store, before: bool) -> None:
    company = {"name": "Acme", "city": "Oslo"}
    lead = classic.account.seed(leads=[{"email": "ann@x.example", "last_name": "Old", "company": company}])["leads"][0]
    plan = Plan(classic, store)
    if before:  # by an earlier try, whose process was killed
        classic.writer.convert(lead, {"last_name": "Old", "email": "ann@x.example", "company": {"name": "Acme"}})
    id = converting(plan, lead, job_title="CEO")
    plan.push()
    (contact,) = rows(classic, "contacts")
    assert (plan.is_done, plan.record(id).remote_id) == (True, contact["id"])
    assert (contact["last_name"], contact["job_title"], rows(classic)) == ("New", "CEO", [])
    assert [account["name"] for account in contact["sales_accounts"]] == ["Acme"]


def test_accounts_are_added_to_those_that_a_contact_has(suite: Client, store: Store) -> None:
    (old,) = suite.account.seed(sales_accounts=[{"name": "Old house"}])["sales_accounts"]
    person = {"email": "ann@x.example", "last_name": "A", "sales_accounts": [old]}
    (ann,) = suite.account.seed(contacts=[person])["contacts"]
    plan = Plan(suite, store)
    plan.create("account", "Acme")
    plan.update("contact", ann, {"companies": ["acme"]}, sales_accounts=["Old house", "Acme"])
    plan.push()
    linked = {one["name"]: one["is_primary"] for one in rows(suite, "contacts")[0]["sales_accounts"]}
    assert (plan.is_done, linked) == (True, {"Old house": True, "Acme": False})


def test_an_address_is_added_and_becomes_the_primary_one(suite: Client, store: Store) -> None:
    (ann,) = suite.account.seed(contacts=[{"emails": ["old@x.example", "other@x.example"], "last_name": "A"}])[
        "contacts"
    ]
    plan = Plan(suite, store)
    plan.update("contact", ann, email="new@x.example")
    plan.push()
    emails = {one["value"]: one["is_primary"] for one in rows(suite, "contacts")[0]["emails"]}
    assert emails == {"old@x.example": False, "other@x.example": False, "new@x.example": True}


def test_an_address_that_is_there_becomes_the_primary_one(suite: Client, store: Store) -> None:
    addresses = ["old@x.example", "other@x.example"]
    (ann,) = suite.account.seed(contacts=[{"emails": addresses, "last_name": "A"}])["contacts"]
    plan = Plan(suite, store)
    plan.update("contact", ann, email="Other@x.example")
    plan.push()
    emails = {one["value"]: one["is_primary"] for one in rows(suite, "contacts")[0]["emails"]}
    assert emails == {"old@x.example": False, "other@x.example": True}


def test_the_address_of_a_new_contact_is_its_primary_one() -> None:
    row = {**dict.fromkeys(Record.COLUMNS), "entity": "contact", "kind": "person"}
    row["fields"] = dumps({"email": [None, "a@x.example"]}).decode()
    sent = body(Catalog.standard("suite"), Record(tuple(row.values())))
    assert sent == {"emails": [{"value": "a@x.example", "is_primary": True}]}
