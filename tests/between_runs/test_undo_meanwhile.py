"""What was imported is taken back after somebody, or another run, has had a hand in it."""

from __future__ import annotations

from typing import Any

from tests.between_runs.runs import Event, did, imports, person, run_of
from tests.e2e.harness import Machine, Result

ADA = "ada@x.example"


def ada(time: str = "2024-05-01", **traits: Any) -> Event:
    return person(ADA, time, fsContact=True, **traits)


def undone(machine: Machine, run: str, *args: str, code: int = 0) -> Result:
    machine.account.forget()
    done = machine.run("undo", run, "--yes", *args)
    assert done.code == code, done.out + done.err
    return done


def run_that_changes(machine: Machine, *events: Event, config: str = "") -> str:
    """The run of an import into an account that knows Ada as an intern."""
    machine.account.seed(contacts=[{"email": ADA, "last_name": "Old", "job_title": "Intern"}])
    done = machine.imports(events=events, config=config)
    assert done.code == 0, done.err
    return run_of(done)


def test_what_somebody_has_deleted_since_needs_no_deleting(machine: Machine) -> None:
    (done,) = imports(machine, [ada(title="CEO")])
    machine.account.delete("contacts", machine.account.one("contacts", ADA)["id"])
    undo = undone(machine, run_of(done), "--delete-created")
    assert undo.actions == {"contact": {"unchanged": 1}}
    assert machine.account.writes == 0


def test_what_somebody_has_deleted_since_cannot_be_put_back(machine: Machine) -> None:
    run = run_that_changes(machine, ada(title="CEO"))
    machine.account.delete("contacts", machine.account.one("contacts", ADA)["id"])
    undo = undone(machine, run, code=1)
    assert undo.actions == {"contact": {"conflict": 1}}
    assert machine.account.writes == 0


def test_what_somebody_has_put_back_already_is_not_written_again(machine: Machine) -> None:
    run = run_that_changes(machine, ada(title="CEO"))
    machine.account.change("contacts", machine.account.one("contacts", ADA)["id"], job_title="Intern")
    undo = undone(machine, run)
    assert undo.actions == {"contact": {"unchanged": 1}}
    assert machine.account.writes == 0


def test_a_record_that_another_run_has_put_something_onto_is_not_deleted(machine: Machine) -> None:
    first, _ = imports(machine, [ada(title="CEO")], [ada("2024-06-01", phone="+31 1")])
    undo = undone(machine, run_of(first), "--delete-created", code=1)
    assert undo.actions == {"contact": {"conflict": 1}}
    record = machine.account.one("contacts", ADA)
    assert (record["job_title"], record["work_number"]) == ("CEO", "+31 1")


def test_what_was_imported_anew_before_an_undo_was_finished_is_not_forgotten(machine: Machine) -> None:
    events = [did(ADA, "2024-05-01", "Signed Up"), did(ADA, "2024-05-02", "Paid")]
    run = run_that_changes(machine, *events)
    kept = next(entry["id"] for entry in machine.account.timeline(ADA) if entry["title"] == "Paid")
    machine.account.configure(forbidden=[f"/{kept}$"])
    undone(machine, run, "--delete-created", code=1)
    machine.account.configure(forbidden=[])
    imports(machine, events[:1])
    assert machine.run("retry").code == 0
    assert [entry["title"] for entry in machine.account.timeline(ADA)] == ["Signed Up"]
    assert machine.imports(events=events[:1]).outcomes == {"skipped": 1}


def test_a_lead_that_was_converted_stays_a_contact_and_is_told(classic: Machine) -> None:
    classic.account.seed(leads=[{"email": ADA, "last_name": "Old", "job_title": "Intern"}])
    done = classic.imports(events=[ada(title="CEO")], config="convert_leads = true\n")
    assert done.code == 0
    undo = undone(classic, run_of(done), code=1)
    assert (undo.actions, undo.warnings) == ({"contact": {"update": 1}}, {"converted": 1})
    assert classic.account.one("contacts", ADA)["job_title"] == "Intern"


def test_an_account_that_a_deal_was_given_is_taken_from_it(machine: Machine) -> None:
    (contact,) = machine.account.seed(contacts=[{"email": ADA, "last_name": "Old"}])["contacts"]
    deal = machine.account.make("deals", name="Pilot", amount=1, contacts_added_list=[contact])
    said: dict[str, Any] = {"company": {"name": "Acme"}, "deal": {"name": "Pilot", "amount": 1}}
    (done,) = imports(machine, [ada(**said), did(ADA, "2024-05-02")])
    assert (
        machine.account.one("deals", "Pilot")["sales_account_id"] == machine.account.one("sales_accounts", "Acme")["id"]
    )
    undone(machine, run_of(done))
    found = machine.account.one("deals", "Pilot")
    assert (found["id"], found.get("sales_account_id")) == (deal["id"], None)
