"""What is nested in a lead, what an undo puts back, and what a conversion carries over: newest and oldest between runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.between_runs.runs import Event, entries, imports, person, run_of
from tests.e2e.harness import Machine, Row

ADA = "ada@x.example"
OLD, MIDDLE, NEW = "2024-01-01", "2024-06-01", "2025-06-01"


def held(machine: Machine) -> Row:
    return machine.account.one("leads" if machine.account.edition == "classic" else "contacts", ADA)


def at(time: str, name: str = "Acme", /, **company: Any) -> list[Event]:
    return [person(ADA, time, company={"name": name, **company})]


def company(machine: Machine) -> Row:
    """The company nested in the lead, without what is unset."""
    return {name: value for name, value in held(machine)["company"].items() if value is not None and name != "id"}


def test_another_older_company_of_a_lead_changes_nothing(classic: Machine) -> None:
    imports(classic, at(NEW, "New Ltd", city="Delft"), at(OLD, "Old Ltd", city="Gouda", phone="+31 1"))
    assert company(classic) == {"name": "New Ltd", "city": "Delft"}


def test_a_newer_company_of_a_lead_replaces_the_older_as_a_whole(classic: Machine) -> None:
    imports(classic, at(OLD, "Old Ltd", city="Gouda", phone="+31 1"), at(NEW, "New Ltd", city="Delft"))
    assert company(classic) == {"name": "New Ltd", "city": "Delft"}


def test_the_same_company_of_a_lead_is_filled_by_what_is_older(classic: Machine) -> None:
    imports(
        classic,
        at(NEW, "New Ltd", city="Delft"),
        at(OLD, "NEW LTD", city="Gouda", phone="+31 1"),
        at(MIDDLE, "new ltd"),
    )
    assert company(classic) == {"name": "New Ltd", "city": "Delft", "phone": "+31 1"}


@pytest.mark.parametrize("order", ["acb", "bca", "cab", "cba"])
def test_three_companies_of_a_lead_end_as_the_newest_in_any_order(classic: Machine, order: str) -> None:
    files = {
        "a": at(OLD, "Old Ltd", city="Gouda", phone="+31 1"),
        "b": at(MIDDLE, "Middle Ltd", address="Middle street"),
        "c": at(NEW, "New Ltd", city="Delft"),
    }
    imports(classic, *(files[name] for name in order))
    assert company(classic) == {"name": "New Ltd", "city": "Delft"}


def test_a_company_that_a_lead_came_back_to_is_the_one_told_of_last(classic: Machine) -> None:
    imports(
        classic, at(MIDDLE, "Middle Ltd", city="Gouda"), at(NEW, "Acme", phone="+31 3"), at(OLD, "Acme", city="Delft")
    )
    assert company(classic) == {"name": "Acme", "phone": "+31 3", "city": "Delft"}


def test_what_somebody_fills_where_an_import_has_cleared_the_field_of_an_older_company_stays(classic: Machine) -> None:
    imports(classic, at(OLD, "Old Ltd", city="Gouda"), at(MIDDLE, "Middle Ltd"))
    assert company(classic) == {"name": "Middle Ltd"}
    classic.account.change("leads", held(classic)["id"], company={"name": "Middle Ltd", "city": "Oslo"})
    imports(classic, at(NEW, "New Ltd"))
    assert company(classic) == {"name": "New Ltd", "city": "Oslo"}


def test_another_older_deal_of_a_lead_changes_nothing(classic: Machine) -> None:
    def deal(time: str, name: str, amount: int, **more: Any) -> list[Event]:
        return [person(ADA, time, deal={"name": name, "amount": amount, **more})]

    imports(classic, deal(NEW, "New", 200), deal(OLD, "Old", 100, expected_close="2024-02-02"))
    found = held(classic)["deal"]
    assert (found["name"], float(found["amount"]), found.get("expected_close")) == ("New", 200, None)


def test_undo_of_the_newer_import_lets_the_older_one_in(machine: Machine) -> None:
    """The times are put back with the values."""
    oldest, newest, older = (
        [person(ADA, OLD, title="Intern")],
        [person(ADA, NEW, title="CEO", phone="+31 3")],
        [person(ADA, MIDDLE, title="CFO", phone="+31 2")],
    )
    _, newer = imports(machine, oldest, newest)
    undone = machine.run("undo", run_of(newer), "--yes")
    assert undone.code == 0, undone.out
    assert held(machine)["job_title"] == "Intern"
    (done,) = imports(machine, older)
    assert not [name for name in done.warnings if name.startswith("older")]
    assert (held(machine)["job_title"], held(machine)["work_number"]) == ("CFO", "+31 2")
    imports(machine, newest)
    assert (held(machine)["job_title"], held(machine)["work_number"]) == ("CEO", "+31 3")


def test_undo_puts_back_the_times_of_what_was_there_before(machine: Machine) -> None:
    """So that what is older than that stays out."""
    _, newer = imports(machine, [person(ADA, MIDDLE, title="CFO")], [person(ADA, NEW, title="CEO")])
    assert machine.run("undo", run_of(newer), "--yes").code == 0
    (done,) = imports(machine, [person(ADA, OLD, title="Intern")])
    assert held(machine)["job_title"] == "CFO"
    assert done.warnings["older job_title"] == 1


def test_undo_of_the_older_import_leaves_the_newer_values_and_takes_back_what_it_filled(machine: Machine) -> None:
    _, older = imports(
        machine, [person(ADA, NEW, title="CEO")], [person(ADA, OLD, title="Intern", phone="+31 1", firstName="Ada")]
    )
    assert machine.run("undo", run_of(older), "--yes").code == 0
    record = held(machine)
    assert record["job_title"] == "CEO"
    assert "work_number" not in record
    assert "first_name" not in record
    imports(machine, [person(ADA, OLD, phone="+31 0")])
    assert held(machine)["work_number"] == "+31 0"


def test_undo_of_an_import_whose_values_a_newer_one_has_overwritten_leaves_these(machine: Machine) -> None:
    older, _ = imports(machine, [person(ADA, OLD, title="Intern", phone="+31 1")], [person(ADA, NEW, title="CEO")])
    assert machine.run("undo", run_of(older), "--yes", "--delete-created").code == 1
    assert held(machine)["job_title"] == "CEO"


def test_after_everything_was_undone_and_deleted_no_time_is_left(machine: Machine) -> None:
    (newer,) = imports(machine, [person(ADA, NEW, title="CEO")])
    assert machine.run("undo", run_of(newer), "--yes", "--delete-created").code == 0
    (older,) = imports(machine, [person(ADA, OLD, title="Intern")])
    assert held(machine)["job_title"] == "Intern"
    assert not [name for name in older.warnings if name.startswith("older")]


def test_a_lead_that_becomes_a_contact_keeps_what_is_newer(classic: Machine) -> None:
    imports(classic, [person(ADA, NEW, title="CEO")])
    wish = [person(ADA, OLD, title="Intern", phone="+31 1", fsContact=True)]
    done = classic.imports(events=wish, config="convert_leads = true\n")
    assert done.code == 0, done.out
    record = classic.account.one("contacts", ADA)
    assert (record["job_title"], record["work_number"]) == ("CEO", "+31 1")


def test_entries_older_than_what_is_there_are_added_at_their_own_time(machine: Machine) -> None:
    def seen(time: str) -> Event:
        return {"type": "track", "userId": ADA, "event": "Seen", "messageId": time, "timestamp": f"{time}T09:00:00Z"}

    imports(machine, [person(ADA, NEW), seen(NEW)], [seen(OLD), seen(MIDDLE)], [seen(OLD)])
    starts = [row["start_date"][:10] for row in machine.account.timeline(ADA)]
    assert starts == [OLD, MIDDLE, NEW]
    assert len(entries(machine.account)) == 3


def test_a_lead_asked_for_as_a_contact_only_by_what_is_older_stays_one(suite: Machine) -> None:
    """The stage is that of a creation; a later file of older events doesn't move it."""
    imports(suite, [person(ADA, NEW, title="CEO")])
    stage = held(suite)["lifecycle_stage_id"]
    imports(suite, [person(ADA, OLD, fsContact=True)])
    assert held(suite)["lifecycle_stage_id"] == stage
