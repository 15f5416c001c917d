"""An update never empties what it doesn't name, whichever way the account takes custom fields."""

from __future__ import annotations

from typing import Any

import pytest

from fsseg.push.custom_fields import CustomFields
from fsseg.push.executor import recover
from fsseg.state.actions import Status
from fsseg.state.plan_store import Store
from tests.client import Client
from tests.push.plans import Plan

HELD = {"cf_region": "EMEA", "cf_seats": 5, "cf_plan": "Pro"}


def lead(client: Client, number: int = 0, **more: Any) -> int:
    row = {"email": f"p{number}@x.example", "last_name": "P", "custom_field": HELD, **more}
    return client.account.seed(leads=[row])["leads"][0]


def held(client: Client, key: str = "p0@x.example") -> dict[str, Any]:
    row = client.account.one("leads", key)
    return {name: row.get(name) for name in HELD}


@pytest.mark.parametrize("way", ["replace", "merge"])
@pytest.mark.parametrize("how", ["whole", "changed"])
def test_the_other_custom_fields_stay(classic: Client, store: Store, way: str, how: Any) -> None:
    classic.account.configure(custom_fields=way)
    ids = [lead(classic, number) for number in range(3)]
    plan = Plan(classic, store, custom_fields=CustomFields(how))
    for id in ids:
        plan.update("lead", id, cf_seats=6, last_name="New")
    plan.push()
    assert plan.is_done
    assert [held(classic, f"p{number}@x.example") for number in range(3)] == [{**HELD, "cf_seats": 6}] * 3
    switched = how == "changed" and way == "replace"
    assert plan.context.custom_fields.how == ("whole" if how == "whole" or switched else "changed")
    assert bool(plan.said) is switched
    assert plan.context.custom_fields.merges is (how == "changed" and way == "merge")


def test_once_an_account_has_shown_that_it_keeps_them_an_update_is_one_request(classic: Client, store: Store) -> None:
    classic.account.configure(custom_fields="merge")
    plan = Plan(classic, store, custom_fields=CustomFields("changed", merges=True))
    plan.update("lead", lead(classic), cf_seats=6)
    plan.push()
    assert (plan.is_done, classic.account.requests) == (True, 1)
    assert held(classic) == {**HELD, "cf_seats": 6}


def test_what_somebody_has_written_since_the_plan_stays_too(classic: Client, store: Store) -> None:
    id = lead(classic)
    plan = Plan(classic, store)
    plan.update("lead", id, cf_seats=6)
    classic.account.change("leads", id, custom_field={**HELD, "cf_region": "APAC"})
    plan.push()
    assert held(classic) == {**HELD, "cf_seats": 6, "cf_region": "APAC"}


def test_tags_that_somebody_has_added_since_the_plan_stay(classic: Client, store: Store) -> None:
    id = lead(classic, tags=["old"])
    plan = Plan(classic, store)
    plan.update("lead", id, tags=["old", "new"])
    classic.account.change("leads", id, tags=["old", "theirs"])
    plan.push()
    assert sorted(classic.account.one("leads", "p0@x.example")["tags"]) == ["new", "old", "theirs"]


def test_an_earlier_try_that_emptied_them_is_made_good(classic: Client, store: Store) -> None:
    id = lead(classic)
    plan = Plan(classic, store)
    plan.update("lead", id, {"claimed_at": "2024-01-01T00:00:00+00:00"}, cf_seats=6)
    classic.account.configure(custom_fields="replace")
    classic.account.change("leads", id, custom_field={"cf_seats": 6})
    assert held(classic) == {"cf_region": None, "cf_seats": 6, "cf_plan": None}
    plan.push()
    assert held(classic) == {**HELD, "cf_seats": 6}


def test_a_record_that_is_gone_fails_by_itself(classic: Client, store: Store) -> None:
    gone, there = lead(classic, 0), lead(classic, 1)
    plan = Plan(classic, store)
    first = plan.update("lead", gone, cf_seats=6)
    plan.update("lead", there, cf_seats=6)
    classic.account.delete("leads", gone)
    plan.push()
    assert plan.statuses == [Status.FAILED, Status.DONE]
    assert plan.record(first).http_status == 404


def test_a_field_that_only_goes_along_is_left_where_it_is_refused(classic: Client, store: Store) -> None:
    """Not ours to change, so the record isn't lost for it, nor is it told as something that was left out."""
    classic.account.configure(bad_choices="refuse")
    id = lead(classic, custom_field={**HELD, "cf_plan": "No such plan any more"})
    plan = Plan(classic, store)
    plan.update("lead", id, cf_seats=6)
    plan.push()
    assert (plan.is_done, plan.warnings) == (True, [])
    assert classic.account.one("leads", "p0@x.example")["cf_seats"] == 6


def test_one_refused_field_does_not_lose_the_record_and_is_told(classic: Client, store: Store) -> None:
    classic.account.configure(bad_choices="refuse")
    id = lead(classic)
    plan = Plan(classic, store)
    plan.update("lead", id, cf_plan="Nonsense", cf_seats=6)
    new = plan.create("lead", "new@x.example", last_name="New", cf_plan="Nonsense")
    plan.push()
    assert (plan.is_done, plan.warnings) == (True, ["left_out: cf_plan = Nonsense"] * 2)
    assert held(classic) == {**HELD, "cf_seats": 6}
    assert classic.account.one("leads", "new@x.example")["id"] == plan.record(new).remote_id


def test_a_strict_run_rather_fails_the_record(classic: Client, store: Store) -> None:
    classic.account.configure(bad_choices="refuse")
    plan = Plan(classic, store, strict=True)
    id = plan.create("lead", "new@x.example", last_name="New", cf_plan="Nonsense")
    plan.push()
    assert (plan.statuses, plan.record(id).code) == ([Status.FAILED], "refused")
    assert classic.account.records()["leads"] == []


def test_what_is_taken_and_not_stored_is_told(classic: Client, store: Store) -> None:
    classic.account.configure(bad_choices="drop")
    plan = Plan(classic, store)
    plan.update("lead", lead(classic), cf_plan="Nonsense", cf_seats=6)
    plan.push()
    assert (plan.is_done, plan.warnings) == (True, ["not_stored: cf_plan = Nonsense"])


def test_an_address_is_given_as_text_where_the_account_will_have_no_object(classic: Client, store: Store) -> None:
    classic.account.configure(email_shape="text")
    plan = Plan(classic, store)
    for number in range(3):
        plan.create("contact", f"c{number}@x.example", last_name="C")
    plan.push()
    assert plan.is_done
    assert plan.context.emails.is_text
    assert classic.account.sandbox.stats()["statuses"].get("400") == 1  # the first only


def test_twenty_new_records_refused_alike_end_the_trying_and_name_the_field(classic: Client, store: Store) -> None:
    classic.account.configure(required=["email", "lead_source_id"])
    plan = Plan(classic, store)
    there = plan.update("lead", lead(classic), last_name="New")
    for number in range(25):
        plan.create("lead", f"n{number}@x.example", last_name="N")
    plan.push()
    assert (plan.record(there).status, set(plan.statuses[1:])) == (Status.DONE, {Status.FAILED})
    assert classic.account.requests == 21
    (told,) = plan.said
    assert told.startswith("20 new leads in a row were refused (")
    assert told.endswith("so no more were sent: set lead_source_id under [defaults.lead]")
    assert store.meta.refused_all == {"lead": told}


def test_what_cannot_be_put_back_after_an_earlier_push_is_told_and_stops_nothing(classic: Client, store: Store) -> None:
    classic.account.configure(bad_choices="refuse")
    plan = Plan(classic, store, custom_fields=CustomFields("changed"))
    sent = {"status": "sent", "claimed_at": "2024-01-01T00:00:00+00:00"}
    ids = [lead(classic, number) for number in range(2)]
    plan.update(
        "lead", ids[0], {**sent, "existing": {"id": ids[0], **HELD, "cf_plan": "No longer offered"}}, cf_seats=6
    )
    plan.update("lead", ids[1], sent, cf_seats=6)
    for id in ids:
        classic.account.change("leads", id, custom_field={"cf_seats": 6})
    recover(plan.context)
    refused = "what was emptied of the custom fields of lead {} could not be put back: "
    assert sum(text.startswith(refused.format(ids[0])) for text in plan.said) == 1
    assert not any(text.startswith(refused.format(ids[1])) for text in plan.said)
    assert held(classic, "p1@x.example") == {**HELD, "cf_seats": 6}
