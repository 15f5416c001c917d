"""A field that is refused, or taken and not stored, is told, and doesn't take its record with it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.events import identify, track
from tests.e2e.harness import Machine, Row
from tests.live.story import imported_twice

LONG = "x" * 300
MANY = 6


def people(count: int, **traits: Any) -> list[Row]:
    return [identify(f"p{n}@x.example", lastName="P", **traits) for n in range(count)]


@pytest.mark.parametrize("count", [1, MANY])
@pytest.mark.parametrize(
    ("traits", "field", "stored"),
    [
        ({"firstName": LONG}, "first_name", "x" * 255),
        ({"cfRegion": LONG}, "cf_region", "x" * 255),
        ({"cfLifetimeValue": 2**60}, "cf_lifetime_value", None),
    ],
)
def test_what_is_too_long_or_large_is_cut_or_left_out(
    machine: Machine, count: int, traits: Row, field: str, stored: str | None
) -> None:
    events = people(count, **traits)
    changed = imported_twice(machine, events)
    assert [row.get(field) for row in changed.values()] == [stored] * count
    assert machine.imports(events=people(1, **traits)).warnings == {f"left_out {field}": 1}


def test_strict_lets_the_record_fail(machine: Machine) -> None:
    done = machine.imports("--strict", events=people(1, firstName=LONG))
    assert (done.code, done.reasons) == (1, {"refused": 1})


@pytest.mark.parametrize("formats", ["checked", "free"])
def test_a_website_that_is_none_leaves_the_account_there(machine: Machine, formats: str) -> None:
    machine.account.configure(formats=formats)
    events = people(2, fsContact=True, company={"name": "Firm", "website": "not a url", "city": "Oslo"})
    changed = imported_twice(machine, events)
    (firm,) = [row for row in changed.values() if row.get("name") == "Firm"]
    assert (firm.get("website"), firm["city"]) == (None, "Oslo")


@pytest.mark.parametrize("count", [1, MANY])
def test_a_refusal_that_names_a_field_is_tried_without_it(suite: Machine, count: int) -> None:
    """A stage and a status that don't go together, told by each way of sending."""
    pair = {"lifecycleStageId": "Customer", "contactStatusId": "New"}
    events = [
        identify(f"p{n}@x.example", pair, cfSeats=3, deal={"name": f"D{n}", "amount": 1}) for n in range(count)
    ]  # fmt: skip
    done = suite.imports(events=[*events, track("p0@x.example", "Visited")])
    assert (done.code, done.warnings) == (0, {"left_out contact_status_id": count}), done.failures
    contact = suite.account.one("contacts", "p0@x.example")
    assert contact["lifecycle_stage_id"] == suite.account.choice("lifecycle_stages", "Customer")
    assert len(suite.account.timeline("p0@x.example")) == 1
    assert len(suite.account.records()["deals"]) == count


def test_what_is_accepted_and_not_stored_is_told_and_not_sent_for_ever(classic: Machine) -> None:
    account = classic.account
    wanted = [identify("c@x.example", fsContact=True, company={"name": "Firm", "phone": "call us", "city": "Oslo"})]
    done = classic.imports(events=wanted)
    assert (done.code, done.warnings) == (0, {"not_stored phone": 1})
    (row,) = [change for change in done.changes if change["entity"] == "account"]
    assert row["warnings"] == ["not_stored: phone = call us"]
    account.forget()
    again = classic.imports("--again", events=wanted)
    assert (again.code, account.writes) == (0, 0)
    assert again.warnings == {"not_stored phone": 1}
    other = [identify("c@x.example", company={"name": "Firm", "phone": "+47 22 33 44 55"})]
    assert classic.imports(events=other).warnings == {}
    assert account.one("sales_accounts", "Firm")["phone"] == "+47 22 33 44 55"


def test_where_it_is_stored_nothing_is_told(classic: Machine) -> None:
    classic.account.configure(account_phones="keep")
    wanted = [identify("c@x.example", fsContact=True, company={"name": "Firm", "phone": "call us"})]
    assert classic.imports(events=wanted).warnings == {}
    assert classic.account.one("sales_accounts", "Firm")["phone"] == "call us"


def test_a_null_that_clears_nothing_is_told(classic: Machine) -> None:
    assert classic.imports(events=[identify("p@x.example", title="CTO")]).code == 0
    classic.account.configure(null="ignore")
    done = classic.imports(events=[identify("p@x.example", title=None)])
    assert done.warnings == {"not_stored job_title": 1}


@pytest.mark.parametrize("count", [1, 3, MANY])
@pytest.mark.parametrize("shape", ["any", "objects", "text"])
def test_new_contacts_have_their_address_whichever_shape_it_must_have(machine: Machine, count: int, shape: str) -> None:
    machine.account.configure(email_shape=shape)
    machine.account.forget()
    changed = imported_twice(machine, people(count, fsContact=True, cfSeats=1))
    addresses = [[one["value"] for one in row["emails"]] for row in changed.values()]
    assert sorted(addresses) == [[f"p{n}@x.example"] for n in range(count)]


@pytest.mark.parametrize("count", [1, MANY])
@pytest.mark.parametrize("shape", ["any", "objects", "text"])
def test_a_contact_gets_a_new_address_whichever_shape_it_must_have(machine: Machine, count: int, shape: str) -> None:
    """As text alone it takes the place of the one before."""
    machine.account.configure(email_shape=shape)
    first = [identify(f"u-{n}", email=f"old{n}@x.example", lastName="P", fsContact=True) for n in range(count)]
    assert machine.imports(events=first).code == 0
    moved = [identify(f"u-{n}", email=f"new{n}@x.example", cfSeats=1) for n in range(count)]
    assert machine.imports(events=moved).code == 0
    found = {row["email"]: [one["value"] for one in row["emails"]] for row in machine.account.records()["contacts"]}
    former = [] if shape == "text" else ["old{}@x.example"]
    assert found == {
        f"new{n}@x.example": [*(old.format(n) for old in former), f"new{n}@x.example"] for n in range(count)
    }
    assert machine.run("undo", "--yes").code == 0
    assert {row["email"] for row in machine.account.records()["contacts"]} == {
        f"old{n}@x.example" for n in range(count)
    }


@pytest.mark.parametrize("count", [1, MANY])
def test_a_refusal_that_is_not_about_the_address_costs_one_more_request_at_most(machine: Machine, count: int) -> None:
    machine.account.configure(required=["email", "lead_source_id"])
    machine.account.forget()
    done = machine.imports(events=people(count, fsContact=True))
    assert (done.code, done.reasons) == (1, {"refused": count})
    assert "Source" in done.failures[0]["_fsseg"]["message"]
    assert machine.account.writes <= count + 2
