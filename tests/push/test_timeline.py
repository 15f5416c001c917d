"""Timeline entries: each once, at its own time, with the messageId that finds it again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from fsseg.sandbox import Fault
from fsseg.state.actions import Status
from fsseg.state.plan_store import Entry, Store
from tests.client import Client
from tests.push.plans import Plan

SENT_BEFORE = {"status": "sent", "claimed_at": "2024-01-01T00:00:00+00:00"}


@pytest.fixture
def plan(classic: Client, store: Store) -> Plan:
    return Plan(classic, store)


@pytest.fixture
def ann(plan: Plan) -> int:
    """The row of a lead who is there already."""
    (id,) = plan.client.account.seed(leads=[{"email": "ann@x.example", "last_name": "A"}])["leads"]
    row = plan.update("lead", id)
    plan.store.update("record", row, action="unchanged", status="done")
    return row


def entries(plan: Plan) -> list[Entry]:
    return list(plan.store.entries())


def held(plan: Plan, kind: str = "sales_activities") -> list[dict[str, Any]]:
    return plan.client.account.records()[kind]


def test_an_entry_stands_at_its_own_time_with_its_properties_and_its_messageid(plan: Plan, ann: int) -> None:
    plan.entry(ann, "Signed Up", properties={"plan": "pro", "seats": 5})
    plan.push()
    (activity,) = held(plan)
    assert activity["title"] == "Signed Up"
    assert activity["start_date"] == activity["end_date"]
    assert activity["start_date"].startswith("2024-03-01T")
    assert activity["notes"].endswith("messageId: m-1")
    assert "pro" in activity["notes"]
    assert [(entry.status, entry.remote_id) for entry in entries(plan)] == [(Status.DONE, activity["id"])]


def test_of_a_day_written_as_one_the_count_is_told(plan: Plan, ann: int) -> None:
    plan.entry(ann, "Page Seen", count=7)
    plan.push()
    assert [activity["title"] for activity in held(plan)] == ["Page Seen (7 times)"]


def test_as_a_note_the_time_stands_in_the_text(plan: Plan, ann: int) -> None:
    plan.entry(ann, "Signed Up", via="note")
    plan.push()
    (note,) = held(plan, "notes")
    assert note["description"].splitlines()[:2] == ["Signed Up", "2024-03-01T10:00:00.000Z"]
    assert note["description"].endswith("messageId: m-1")


@pytest.mark.parametrize(("kind", "held_as"), [("track", "events"), ("page", "page_views")])
def test_tracked_ones_go_by_the_address_of_the_person(plan: Plan, ann: int, kind: str, held_as: str) -> None:
    plan.entry(ann, "Signed Up", via="tracking", kind=kind, properties={"url": "https://x.example/a"})
    plan.push()
    assert len(held(plan, held_as)) == 1
    assert [entry.status for entry in entries(plan)] == [Status.DONE]


def test_an_entry_fails_with_its_person(plan: Plan) -> None:
    person = plan.create("lead", "no address", last_name="Refused")
    plan.entry(person, "Signed Up")
    plan.push()
    (entry,) = entries(plan)
    assert (entry.status, entry.code, entry.message) == (Status.FAILED, "refused", "its person was not written")
    assert held(plan) == []


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "error_after"])
@pytest.mark.parametrize("via", ["sales_activity", "note"])
def test_one_whose_answer_was_lost_is_there_once(plan: Plan, ann: int, kind: str, via: str) -> None:
    plan.entry(ann, "Signed Up", via=via)
    path = "/sales_activities" if via == "sales_activity" else "/notes"
    plan.client.account.faults(Fault(kind, method="POST", path=path, limit=1))
    plan.push()
    assert plan.client.account.sandbox.stats()["faults"]
    assert [entry.status for entry in entries(plan)] == [Status.DONE]
    assert len(held(plan, "sales_activities" if via == "sales_activity" else "notes")) == 1


def test_of_a_tracked_one_whose_answer_was_lost_nothing_is_claimed(plan: Plan, ann: int) -> None:
    plan.entry(ann, "Signed Up", via="tracking")
    plan.client.account.faults(Fault("drop_after", method="POST", path="/track", limit=1))
    plan.push()
    (entry,) = entries(plan)
    assert (entry.status, entry.code) == (Status.UNKNOWN, "unknown_outcome")
    assert len(held(plan, "events")) == 1


def make(plan: Plan, lead: int | None, via: str) -> None:
    """An entry with the first messageId, as an earlier try has made it on the timeline of this lead."""
    target = {"targetable_type": "Lead", "targetable_id": lead}
    if via == "note":
        plan.client.writer.create_note({"description": "Signed Up\nmessageId: m-1", **target})
        return
    type_id = plan.context.catalog.activity_types["segment event"].id
    told = {"title": "Signed Up", "notes": "messageId: m-1", "sales_activity_type_id": type_id}
    when = {"start_date": "2024-03-01T10:00:00Z", "end_date": "2024-03-01T10:00:00Z"}
    plan.client.writer.create_activity({**told, **when, **target})


@pytest.mark.parametrize("via", ["sales_activity", "note"])
@pytest.mark.parametrize("whose", ["its own", "another's", "nobody's"])
def test_what_a_killed_push_had_under_way_is_there_once(plan: Plan, ann: int, via: str, whose: str) -> None:
    """An entry of another person that has its messageId is not taken for it."""
    (bob,) = plan.client.account.seed(leads=[{"email": "bob@x.example", "last_name": "B"}])["leads"]
    if whose != "nobody's":
        make(plan, plan.record(ann).remote_id if whose == "its own" else bob, via)
    plan.entry(ann, "Signed Up", SENT_BEFORE, via=via)
    plan.push()
    assert [entry.status for entry in entries(plan)] == [Status.DONE]
    made = held(plan, "sales_activities" if via == "sales_activity" else "notes")
    whose_now = [row["targetables"][0]["id"] if "targetables" in row else row["targetable_id"] for row in made]
    assert whose_now.count(plan.record(ann).remote_id) == 1


def test_what_was_under_way_is_found_behind_thousands_of_entries_that_others_made_since(plan: Plan, ann: int) -> None:
    """Nothing else would ever find it: the longer it is put off, the more there are."""
    make(plan, plan.record(ann).remote_id, "sales_activity")
    (ours,) = held(plan)
    with closing(sqlite3.connect(plan.client.account.db)) as account, account:  # six thousand requests would take long
        account.execute(
            "WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < 6000)"
            " INSERT INTO entry SELECT id + n * 1000, kind, target_type, target_id, created_at + n, updated_at + n,"
            " replace(data, 'm-1', 'other ' || n) FROM entry, many"
        )
    plan.entry(ann, "Signed Up", SENT_BEFORE)
    before = plan.client.account.requests
    plan.push()
    assert [(entry.status, entry.remote_id) for entry in entries(plan)] == [(Status.DONE, ours["id"])]
    assert len(held(plan)) == 6_001
    assert plan.client.account.requests - before < 70


def test_a_tracked_one_that_a_killed_push_had_under_way_is_not_sent_again(plan: Plan, ann: int) -> None:
    plan.entry(ann, "Signed Up", SENT_BEFORE, via="tracking")
    plan.push()
    assert [(entry.status, entry.code) for entry in entries(plan)] == [(Status.UNKNOWN, "unknown_outcome")]
    assert plan.client.account.writes == 0


def test_what_an_undo_takes_away_is_gone(plan: Plan, ann: int) -> None:
    for via in ("sales_activity", "note"):
        plan.entry(ann, "Signed Up", via=via)
    plan.push()
    for entry in entries(plan):
        plan.store.update("entry", entry.id, action="delete", status="planned")
    plan.push()
    assert (held(plan), held(plan, "notes")) == ([], [])
