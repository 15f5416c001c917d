"""An older file that is imported later fills what is empty and overwrites nothing that is newer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.between_runs.runs import Event, imports, person, run_of
from tests.e2e.harness import Machine, Row

ADA = "ada@x.example"
OLD, MIDDLE, NEW = "2024-01-01", "2024-06-01", "2025-06-01"

KINDS = ["lead", "contact"]


def who(kind: str, time: str, /, user: str = ADA, **traits: Any) -> Event:
    flag: dict[str, Any] = {"fsContact": True} if kind == "contact" else {}
    return person(user, time, **traits, **flag)


def held(machine: Machine, kind: str, email: str = ADA) -> Row:
    """What the account holds of this person; suite's leads are contacts."""
    resource = "leads" if kind == "lead" and machine.account.edition == "classic" else "contacts"
    return machine.account.one(resource, email)


@pytest.mark.parametrize("kind", KINDS)
def test_an_older_value_fills_what_is_empty_and_overwrites_nothing(machine: Machine, kind: str) -> None:
    new = [who(kind, NEW, firstName="New", title="CEO")]
    old = [who(kind, OLD, firstName="Old", title="Intern", phone="+31 1", cfSeats=3)]
    _, later = imports(machine, new, old)
    record = held(machine, kind)
    assert (record["first_name"], record["job_title"]) == ("New", "CEO")
    assert (record["work_number"], record["cf_seats"]) == ("+31 1", 3)
    assert {name: later.warnings[f"older {name}"] for name in ("first_name", "job_title")} == {
        "first_name": 1,
        "job_title": 1,
    }
    entity = kind if machine.account.edition == "classic" else "contact"
    change = later.change(entity, ADA)
    assert {"older: first_name", "older: job_title"} <= set(change["warnings"])
    assert set(change["fields"]) == {"work_number", "cf_seats"}


@pytest.mark.parametrize("kind", KINDS)
def test_custom_fields_are_kept_by_their_times_too(machine: Machine, kind: str) -> None:
    new = [who(kind, NEW, cfPlan="Pro", cfSeats=5, cfIsActive=True, cfInterests=["CRM"])]
    old = [
        who(kind, OLD, cfPlan="Free", cfSeats=9, cfIsActive=False, cfInterests=["Billing"], cfSignupDate="2023-01-01")
    ]
    imports(machine, new, old)
    record = held(machine, kind)
    assert (record["cf_plan"], record["cf_seats"], record["cf_is_active"]) == ("Pro", 5, True)
    assert (record["cf_interests"], record["cf_signup_date"]) == ("CRM", "2023-01-01")


@pytest.mark.parametrize("kind", KINDS)
def test_a_null_clears_by_its_time(machine: Machine, kind: str) -> None:
    """An older null clears nothing newer; an older value doesn't fill what a newer null has cleared."""
    new = [who(kind, NEW, title="CEO", phone=None)]
    old = [who(kind, OLD, title=None, phone="+31 1", firstName="Ada")]
    imports(machine, new, old)
    record = held(machine, kind)
    assert record["job_title"] == "CEO"
    assert "work_number" not in record
    assert record["first_name"] == "Ada"


def test_a_null_that_cleared_a_value_keeps_it_cleared(machine: Machine) -> None:
    imports(
        machine,
        [who("contact", MIDDLE, title="CEO", phone="+31 2")],
        [who("contact", NEW, title=None)],
        [who("contact", OLD, title="Intern", phone="+31 1")],
    )
    record = held(machine, "contact")
    assert "job_title" not in record
    assert record["work_number"] == "+31 2"


def test_each_field_has_a_time_of_its_own(machine: Machine) -> None:
    imports(
        machine,
        [person(ADA, MIDDLE, title="CFO", phone="+31 2")],
        [person(ADA, NEW, title="CEO"), person(ADA, OLD, phone="+31 1", firstName="Old")],
        [person(ADA, "2024-08-01", title="CTO", phone="+31 3", firstName="Ada"), person(ADA, OLD, lastName="Last")],
    )
    record = held(machine, "lead")
    found = {name: record[name] for name in ("job_title", "work_number", "first_name", "last_name")}
    assert found == {"job_title": "CEO", "work_number": "+31 3", "first_name": "Ada", "last_name": "Last"}


def test_of_equal_times_the_later_import_wins(machine: Machine) -> None:
    for title in ("first", "second", "third"):
        imports(machine, [person(ADA, NEW, id=title, title=title)])
        assert held(machine, "lead")["job_title"] == title


def test_the_times_are_compared_by_the_microsecond_and_across_zones(machine: Machine) -> None:
    imports(
        machine,
        [person(ADA, "2024-06-01T12:00:00.500Z", title="newer", phone="newer")],
        [person(ADA, "2024-06-01T13:59:59.999+02:00", title="older")],
        [person(ADA, "2024-06-01T07:00:00.501-05:00", phone="newest")],
    )
    record = held(machine, "lead")
    assert (record["job_title"], record["work_number"]) == ("newer", "newest")


def test_accounts_and_deals_keep_what_is_newer(machine: Machine) -> None:
    def bought(time: str, website: str, amount: int, **more: Any) -> list[Event]:
        company = {"name": "Acme", "website": website, **more}
        return [who("contact", time, company=company, deal={"name": "Pilot", "amount": amount, **more})]

    new = bought(NEW, "https://new.example", 200)
    old = [
        *bought(OLD, "https://old.example", 100),
        who("contact", OLD, company={"name": "ACME", "city": "Delft"}, deal={"name": "pilot", "expected_close": OLD}),
    ]
    _, later = imports(machine, new, old)
    (account,), (deal,) = (machine.account.records()[kind] for kind in ("sales_accounts", "deals"))
    assert (account["website"], account["city"]) == ("https://new.example", "Delft")
    assert float(deal["amount"]) == 200
    assert deal["expected_close"] == OLD
    assert later.warnings["older website"] == later.warnings["older amount"] == 1


def test_a_company_of_two_people_keeps_the_newest_word_of_either(machine: Machine) -> None:
    def of(user: str, time: str, **company: Any) -> list[Event]:
        return [who("contact", time, user, company={"name": "Acme", **company})]

    imports(
        machine,
        of("ada@x.example", NEW, website="https://new.example"),
        of("bo@x.example", OLD, website="https://old.example", city="Delft"),
        of("ada@x.example", MIDDLE, city="Gouda", phone="+31 1"),
    )
    (account,) = machine.account.records()["sales_accounts"]
    assert (account["website"], account["city"], account["phone"]) == ("https://new.example", "Gouda", "+31 1")


def test_what_somebody_types_in_freshsales_is_overwritten_by_what_is_newer_only(machine: Machine) -> None:
    imports(machine, [person(ADA, MIDDLE, title="CFO", phone="+31 1")])
    resource = "leads" if machine.account.edition == "classic" else "contacts"
    machine.account.change(resource, held(machine, "lead")["id"], job_title="Typed", work_number=None)
    imports(machine, [person(ADA, OLD, title="Intern", phone="+31 0")])
    assert held(machine, "lead")["job_title"] == "Typed"
    imports(machine, [person(ADA, NEW, title="CEO")])
    assert held(machine, "lead")["job_title"] == "CEO"


def test_the_case_of_the_shared_examples(machine: Machine) -> None:
    late = "late@case.example"
    june = person(late, "2025-06-01T09:00:00Z", id="l1", firstName="New", title="CEO")
    january = person(late, "2024-01-01T09:00:00Z", id="l2", firstName="Old", title="Intern")
    imports(machine, [june], [january])
    record = held(machine, "lead", late)
    assert (record["first_name"], record["job_title"]) == ("New", "CEO")


def test_a_value_that_is_there_already_is_no_older_one(machine: Machine) -> None:
    """Nothing was left out, so that there is nothing to warn of."""
    _, later = imports(machine, [person(ADA, NEW, title="CEO")], [person(ADA, OLD, title="CEO", firstName="Ada")])
    assert not [name for name in later.warnings if name.startswith("older")]


def test_a_database_id_person_keeps_the_newest_e_mail_and_values(machine: Machine) -> None:
    imports(
        machine,
        [person("db-1", NEW, email="new@x.example", title="CEO")],
        [person("db-1", OLD, email="old@x.example", title="Intern", phone="+31 1")],
    )
    records = machine.account.records()
    (found,) = [row for kind in ("leads", "contacts") for row in records.get(kind, ())]
    assert (found["email"], found["job_title"], found["work_number"]) == ("new@x.example", "CEO", "+31 1")


@pytest.mark.parametrize("flag", ["--again", ""])
def test_the_same_older_file_once_more_changes_nothing(machine: Machine, flag: str) -> None:
    old = [person(ADA, OLD, title="Intern", phone="+31 1")]
    imports(machine, [person(ADA, NEW, title="CEO")], old)
    state = machine.account.state()
    machine.account.forget()
    done = machine.imports(*([flag] if flag else []), events=old)
    assert (done.code, machine.account.writes) == (0, 0)
    assert machine.account.state() == state


def test_the_same_older_file_once_more_leaves_what_was_typed_since(machine: Machine) -> None:
    """What it has delivered is delivered, even if something else of it was left out."""
    old = [person(ADA, OLD, title="Intern", phone="+31 1")]
    imports(machine, [person(ADA, NEW, title="CEO")], old)
    resource = "leads" if machine.account.edition == "classic" else "contacts"
    machine.account.change(resource, held(machine, "lead")["id"], work_number="+31 typed")
    machine.account.forget()
    assert machine.imports(events=old).code == 0
    assert machine.account.writes == 0
    assert held(machine, "lead")["work_number"] == "+31 typed"


def test_a_dry_run_tells_beforehand_what_is_older_also_offline(machine: Machine) -> None:
    imports(machine, [person(ADA, NEW, title="CEO")])
    old = [person(ADA, OLD, title="Intern")]
    for args in ((), ("--offline",)):
        done = machine.dry_runs(*args, events=old)
        assert done.warnings["older job_title"] == 1, args
        assert run_of(done)
    assert held(machine, "lead")["job_title"] == "CEO"


@pytest.mark.parametrize("how", ["apply", "resume"])
def test_what_is_older_stays_so_when_a_plan_is_brought_up_to_date(machine: Machine, how: str) -> None:
    """It was compared once with what is newer; of the person, the account and the deal."""

    def told(time: str, title: str, city: str, amount: int) -> list[Event]:
        deal = {"name": "Big", "amount": amount, "expected_close": "2025-12-31"}
        return [who("contact", time, title=title, company={"name": "Acme", "city": city}, deal=deal)]

    imports(machine, told(NEW, "CEO", "Delft", 900))
    old = [*told(OLD, "Intern", "Gouda", 100), who("contact", OLD, phone="+31 1")]
    run = run_of(dry := machine.dry_runs(events=old))
    if how == "resume":
        stopped = machine.imports("--max-requests", str(dry.summary["requests"]["total"]), events=old)
        assert stopped.code == 5
        run = run_of(stopped)
    more: dict[str, Any] = {
        "company": {"name": "Acme", "zipcode": "2611"},
        "deal": {"name": "Big", "cfSourceSystem": "crm"},
    }
    imports(machine, [who("contact", MIDDLE, cfSeats=3, **more)])
    done = machine.run(how, run)
    assert done.code == 0, done.err
    contact = held(machine, "contact")
    assert (contact["job_title"], contact["work_number"]) == ("CEO", "+31 1")
    assert machine.account.one("sales_accounts", "Acme")["city"] == "Delft"
    assert float(machine.account.one("deals", "Big")["amount"]) == 900
