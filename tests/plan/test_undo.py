"""What is put back, and what is left alone since somebody has changed it or another run has built on it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from fsseg.mapping.catalog import Catalog
from fsseg.plan.undo import CONFLICT, LEFT_THERE, NOTHING_LEFT, UNREADABLE, Since, way_back
from fsseg.state.actions import Action, Status
from fsseg.state.plan_store import Record

CATALOG = Catalog.standard("classic")
UNTOUCHED = Since(is_used=False, is_overtaken=False, account_id=None)
BEFORE, AFTER = "2024-01-01T00:00:00Z", "2024-05-01T00:00:00Z"


def record(action: Action, fields: dict[str, list[Any]], **columns: Any) -> Record:
    """A row of the run's plan, as it was written."""
    given = {"entity": "contact", "kind": "person", "action": action, "fields": fields, "status": "done", **columns}
    json: dict[str, Any] = {
        "keys": [],
        "sources": [],
        "desired": {},
        "times": {},
        "companies": [],
        "warnings": [],
        "siblings": [],
    }
    row = {**dict.fromkeys(Record.COLUMNS), **json, **given}
    return Record(
        tuple(orjson.dumps(value).decode() if isinstance(value, dict | list) else value for value in row.values())
    )


def updated(fields: dict[str, list[Any]], **columns: Any) -> Record:
    existing = {"id": 7, **{name: before for name, (before, _) in fields.items()}}
    return record(Action.UPDATE, fields, **{"existing": existing, **columns})


def back(told: Record, current: dict[str, Any] | None, since: Since = UNTOUCHED, *, delete: bool = False) -> Any:
    return way_back(CATALOG, told, current, since, delete_created=delete)


def test_an_updated_record_gets_its_values_back() -> None:
    told = updated({"job_title": ["CTO", "CEO"], "city": [None, "Oslo"]})
    way = back(told, {"id": 7, "job_title": "CEO", "city": "Oslo"})
    assert (way.action, way.fields) == (Action.UPDATE, {"job_title": ["CEO", "CTO"], "city": ["Oslo", None]})


def test_what_is_as_it_was_before_needs_nothing() -> None:
    way = back(updated({"job_title": ["CTO", "CEO"]}), {"id": 7, "job_title": "CTO"})
    assert (way.action, way.status) == (Action.UNCHANGED, Status.DONE)


def test_one_value_that_somebody_has_changed_leaves_all_of_the_record_alone() -> None:
    told = updated({"job_title": ["CTO", "CEO"], "city": [None, "Oslo"]})
    assert back(told, {"id": 7, "job_title": "Founder", "city": "Oslo"}) == CONFLICT


def test_what_a_later_run_has_delivered_to_is_left_alone() -> None:
    told = updated({"job_title": ["CTO", "CEO"]})
    assert back(told, {"id": 7, "job_title": "CEO"}, UNTOUCHED._replace(is_overtaken=True)) == CONFLICT


def test_a_value_whose_before_was_not_read_is_not_taken_for_empty() -> None:
    told = updated({"job_title": [None, "CEO"]}, existing={"id": 7})
    assert back(told, {"id": 7, "job_title": "CEO"}) == CONFLICT


@pytest.mark.parametrize("warned", [True, False])
def test_a_value_that_was_never_stored_is_no_change_of_somebody(warned: bool) -> None:
    told = updated({"job_title": ["CTO", "CEO"]}, warnings=["not_stored: job_title = CEO"] if warned else [])
    known = UNTOUCHED if warned else UNTOUCHED._replace(not_stored=frozenset({"job_title"}))
    way = back(told, {"id": 7, "job_title": None}, known)
    assert (way.action, way.fields) == (Action.UPDATE, {"job_title": [None, "CTO"]})


def test_a_record_that_is_gone_or_cannot_be_read_is_told() -> None:
    assert back(updated({"job_title": ["CTO", "CEO"]}), None) == CONFLICT
    assert back(record(Action.CREATE, {"job_title": [None, "CEO"]}), None) == NOTHING_LEFT
    assert back(updated({"job_title": ["CTO", "CEO"]}), {"id": 7}) == UNREADABLE


def test_of_accounts_only_those_go_that_the_run_has_added() -> None:
    told = updated(
        {"sales_accounts": [["Old"], ["Old", "Acme"]]}, existing={"id": 7, "sales_accounts": [{"id": 1, "name": "Old"}]}
    )
    linked = [{"id": 1, "name": "Old", "is_primary": True}, {"id": 2, "name": "Acme"}, {"id": 3, "name": "Theirs"}]
    way = back(told, {"id": 7, "sales_accounts": linked})
    assert way.links == [{"id": 1, "is_primary": True}, {"id": 3, "is_primary": False}]
    assert way.fields == {"sales_accounts": [["Old", "Acme", "Theirs"], ["Old", "Theirs"]]}
    assert back(told, {"id": 7, "sales_accounts": [linked[0], linked[2]]}).action == Action.UNCHANGED


def test_an_address_that_the_run_has_added_is_dropped_and_the_old_one_given_back() -> None:
    told = updated({"email": ["old@x.example", "new@x.example"]})
    way = back(told, {"id": 7, "email": "new@x.example", "emails": ["New@x.example", "old@x.example"]})
    assert (way.fields["email"], way.dropped) == (["new@x.example", "old@x.example"], "new@x.example")
    assert back(told, {"id": 7, "email": "theirs@x.example", "emails": ["theirs@x.example"]}) == CONFLICT


def test_the_account_and_the_contact_of_a_deal_are_untied_where_they_are_still_those() -> None:
    told = updated({"sales_account": [None, "Acme"], "contacts": [[], ["a@x.example"]]}, entity="deal", kind="deal")
    since = UNTOUCHED._replace(account_id=5, contact_id=9)
    way = back(told, {"id": 7, "sales_account_id": 5, "contact_ids": [9]}, since)
    assert way.fields == {"sales_account_id": [5, None], "contacts": [["a@x.example"], []]}
    assert back(told, {"id": 7, "sales_account_id": 6, "contact_ids": [1]}, since).action == Action.UNCHANGED


def test_a_conversion_stays_and_is_told() -> None:
    told = updated({"entity": ["lead", "contact"], "job_title": ["CTO", "CEO"]})
    way = back(told, {"id": 7, "job_title": "CEO"})
    assert (way.fields, way.warnings) == ({"job_title": ["CEO", "CTO"]}, ("converted",))


def test_what_was_made_is_only_listed_unless_deleting_is_asked_for() -> None:
    told, held = record(Action.CREATE, {"job_title": [None, "CEO"]}), {"id": 7, "job_title": "CEO"}
    assert back(told, held) == LEFT_THERE
    assert back(told, held, delete=True).action == Action.DELETE
    assert back(told, held, UNTOUCHED._replace(is_used=True), delete=True) == CONFLICT


def test_what_somebody_has_changed_since_it_was_made_is_not_deleted() -> None:
    told = record(Action.CREATE, {"job_title": [None, "CEO"]}, remote_id=7)
    changed = {"id": 7, "job_title": "Founder", "created_at": BEFORE, "updated_at": AFTER}
    assert back(told, changed, delete=True) == CONFLICT
    never = {**changed, "updated_at": BEFORE}
    assert back(told, never, delete=True).action == Action.DELETE
    unnamed = record(Action.CREATE, {"job_title": [None, "CEO"]})
    assert back(unnamed, never, delete=True) == CONFLICT, "somebody else may have made it"
    assert back(unnamed, {**never, "job_title": None}, delete=True).action == Action.DELETE
