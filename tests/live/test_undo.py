"""Undo finds what was made just before, and says what it could not put back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.events import identify
from tests.e2e.harness import Machine
from tests.live.story import changes, records

NEVER = 3600.0
"""Seconds of lag within which no look-up of a test finds anything new."""

MANY = 12


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(("lag", "views"), [(0.3, True), (0.3, False), (NEVER, True)])
def test_what_bulk_has_just_made_is_deleted(suite: Machine, lag: float, views: bool) -> None:
    suite.account.configure(lookup_lag=lag, forbidden=[] if views else ["/view/", "/filters"])
    events = [
        identify(f"p{n}@x.example", fsContact=True, company=f"Firm {n}", deal={"name": "Pilot", "amount": n})
        for n in range(MANY)
    ]
    assert suite.imports(events=events).code == 0
    undone = suite.run("undo", "--yes", "--delete-created")
    assert (undone.code, sum(map(len, suite.account.records().values()))) == (0, 0), undone.err


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("views", [True, False])
def test_what_somebody_else_has_made_in_the_place_of_what_bulk_has_made_stays(suite: Machine, views: bool) -> None:
    """Bulk tells no ids, so what it has made is known by its e-mail or name only."""
    suite.account.configure(deal_links_in_bulk="keep")
    theirs = suite.account.make("contacts", email="theirs@x.example", last_name="T")
    events = [identify(f"p{n}@x.example", lastName="P", deal={"name": f"Pilot {n}", "amount": 5}) for n in range(MANY)]
    events += [identify(f"q{n}@x.example", lastName="Q") for n in range(MANY)]
    assert suite.imports(events=events).code == 0
    found = suite.account.records()
    gone = [("contacts", "email", f"q{n}@x.example") for n in range(2)] + [("deals", "name", "Pilot 0")]
    for kind, name, value in gone:
        suite.account.delete(kind, next(row["id"] for row in found[kind] if row[name] == value))
    suite.account.make("contacts", email="q0@x.example", last_name="Somebody else's")
    suite.account.make("deals", name="Pilot 0", amount=5, contacts_added_list=[theirs["id"]])
    later = (datetime.now(UTC) + timedelta(days=2)).isoformat(timespec="seconds")
    suite.account.seed(contacts=[{"email": "q1@x.example", "last_name": "Q", "created_at": later, "updated_at": later}])
    suite.account.configure(forbidden=[] if views else ["/view/", "/filters"])
    undone = suite.run("undo", "--yes", "--delete-created")
    left = suite.account.records()
    assert [row["last_name"] for row in left["contacts"]] == ["T", "Somebody else's", "Q"], undone.err
    assert [row["name"] for row in left["deals"]] == ["Pilot 0"]
    assert undone.code == 1


def test_a_record_that_may_not_be_read_is_told_and_put_back_by_a_retry(classic: Machine) -> None:
    assert classic.imports(events=[identify(f"p{n}@x.example", title="CTO") for n in range(2)]).code == 0
    assert classic.imports(events=[identify(f"p{n}@x.example", title="CEO") for n in range(2)]).code == 0
    (id,) = [row["id"] for row in classic.account.people("leads", "p0@x.example")]
    classic.account.configure(forbidden=[f"/leads/{id}$"])
    undone = classic.run("undo", "--yes")
    assert (undone.code, undone.reasons) == (1, {"refused": 1})
    assert sorted(row["job_title"] for row in classic.account.records()["leads"]) == ["CEO", "CTO"]
    assert classic.run("retry").code == 1
    classic.account.configure(forbidden=[])
    assert classic.run("retry").code == 0
    assert [row["job_title"] for row in classic.account.records()["leads"]] == ["CTO", "CTO"]


@pytest.mark.parametrize("count", [2, MANY])
def test_tags_and_accounts_that_an_account_only_adds_are_told_to_have_stayed(machine: Machine, count: int) -> None:
    """Of leads, only tags."""
    machine.account.configure(tags="add", account_links="add")
    theirs = machine.account.make("sales_accounts", name="Theirs")["id"]
    for n in range(count):
        links = [{"id": theirs, "is_primary": True}]
        machine.account.make("contacts", email=f"p{n}@x.example", last_name="P", tags=["vip"], sales_accounts=links)
    before = records(machine)
    events = [identify(f"p{n}@x.example", title="CEO", tags=["trial"], company="Ours") for n in range(count)]
    assert machine.imports("--allow-mass-changes", events=events).code == 0
    undone = machine.run("undo", "--yes")
    assert (undone.code, undone.warnings) == (
        1,
        {"not_stored tags": count, "not_stored sales_accounts": count, "created": 1},
    )
    left = [row for id, row in changes(before, records(machine)).items() if id in before]
    assert [set(row) for row in left] == [{"tags", "sales_accounts"}] * count


def test_where_lists_are_replaced_they_are_put_back_whole(machine: Machine) -> None:
    machine.account.make("contacts", email="p@x.example", last_name="P", tags=["vip"])
    before = records(machine)
    assert machine.imports(events=[identify("p@x.example", tags=["trial"], company="Ours")]).code == 0
    undone = machine.run("undo", "--yes", "--delete-created")
    assert (undone.code, changes(before, records(machine))) == (0, {})


@pytest.mark.parametrize("count", [1, MANY])
def test_a_deal_that_belonged_to_nobody_does_so_again(machine: Machine, count: int) -> None:
    account = machine.account.make("sales_accounts", name="Firm")["id"]
    for n in range(count):
        machine.account.make("contacts", email=f"p{n}@x.example", last_name="P", sales_accounts=[{"id": account}])
        machine.account.make("deals", name=f"Pilot {n}", amount=1, sales_account_id=account)
    before = records(machine)
    events = [
        identify(f"p{n}@x.example", company="Firm", deal={"name": f"Pilot {n}", "amount": 2}) for n in range(count)
    ]
    done = machine.imports("--allow-mass-changes", events=events)
    assert (done.code, done.actions["deal"]) == (0, {"update": count})
    assert all(deal["contact_ids"] for deal in machine.account.records()["deals"])
    undone = machine.run("undo", "--yes")
    assert (undone.code, changes(before, records(machine))) == (0, {})
    (some, *_) = [row for row in undone.changes if row["entity"] == "deal"]
    assert some["fields"]["contacts"] == {"before": ["p0@x.example"], "after": []}
    assert machine.run("undo", "--yes").code == 0
