"""An import is taken back, wholly or where nobody has changed things since."""

from __future__ import annotations

import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from fsseg.report.files import read_lines
from fsseg.sandbox import Fault
from tests.e2e import stranger
from tests.e2e.events import identify
from tests.e2e.harness import Machine
from tests.e2e.stranger import Exchange
from tests.faults.conftest import State
from tests.faults.process import Ended, here, killed, start
from tests.faults.story import before, difference, mixed
from tests.report.pages import Page


def imported(machine: Machine) -> str:
    """The run of a mixed import."""
    before(machine.account)
    done = here(machine, "import", machine.write("events.jsonl", mixed()), "--json")
    assert done.code == 0, done.err
    return str(done.summary["run_id"])


def undone(machine: Machine, run: str, *args: str) -> Ended:
    return here(machine, "undo", run, "--yes", "--json", *args)


def actions(done: Ended) -> Counter[str]:
    """How many records there were of each action, whatever they are."""
    return sum((Counter(counts) for counts in done.summary["records"].values()), Counter())


def person(machine: Machine) -> dict[str, Any]:
    return machine.account.one("contacts", "known-contact@x.example")


@pytest.fixture
def untouched(machine: Machine) -> State:
    before(machine.account)
    return machine.account.state()


def test_with_what_was_created_deleted_an_undo_leaves_the_account_as_it_was(machine: Machine, untouched: State) -> None:
    run = imported(machine)
    done = undone(machine, run, "--delete-created")
    assert done.code == 0, done.err
    found = {kind: rows for kind, rows in machine.account.state().items() if kind != "sales_activities"}
    assert not difference(found, {kind: rows for kind, rows in untouched.items() if kind != "sales_activities"})
    assert not machine.account.records()["sales_activities"]


def test_before_values_and_links_come_back_and_what_was_created_is_listed(machine: Machine) -> None:
    run = imported(machine)
    assert [one["name"] for one in person(machine)["sales_accounts"]] == ["Old house", "Acme 1"]
    before_undo = sum(len(rows) for rows in machine.account.records().values())
    done = undone(machine, run)
    assert done.code == 0, done.err
    found = person(machine)
    assert found["job_title"] == "Dev"
    assert [one["name"] for one in found["sales_accounts"]] == ["Old house"]
    assert sum(len(rows) for rows in machine.account.records().values()) == before_undo
    listed = [row for row in changes(done) if "created" in row["warnings"]]
    assert "lead0@x.example" in {row["key"] for row in listed}
    assert {row["entity"] for row in listed} >= {"contact", "account", "deal"}


def changes(done: Ended) -> list[dict[str, Any]]:
    return list(read_lines(Path(done.summary["run_dir"], "changes.jsonl")))


def test_what_somebody_has_changed_since_is_a_conflict_and_left_alone(suite: Machine) -> None:
    run = imported(suite)
    suite.account.change("contacts", person(suite)["id"], job_title="Chair")
    done = undone(suite, run)
    assert done.code == 1
    assert actions(done)["conflict"] == 1
    found = person(suite)
    assert found["job_title"] == "Chair"
    assert [one["name"] for one in found["sales_accounts"]] == ["Old house", "Acme 1"]


def test_a_link_that_somebody_added_since_stays(suite: Machine) -> None:
    run = imported(suite)
    accounts = [{"id": one["id"], "is_primary": one["is_primary"]} for one in person(suite)["sales_accounts"]]
    other = suite.account.make("sales_accounts", name="Theirs")
    links = [*accounts, {"id": other["id"], "is_primary": False}]
    suite.account.change("contacts", person(suite)["id"], sales_accounts=links)
    assert undone(suite, run).code == 0
    assert [one["name"] for one in person(suite)["sales_accounts"]] == ["Old house", "Theirs"]


def test_a_created_record_that_somebody_has_changed_is_not_deleted(suite: Machine) -> None:
    run = imported(suite)
    contact = suite.account.one("contacts", "contact1@x.example")
    suite.account.change("contacts", contact["id"], last_name="Theirs now")
    done = undone(suite, run, "--delete-created")
    assert done.code == 1
    assert suite.account.one("contacts", "contact1@x.example")["last_name"] == "Theirs now"
    assert not suite.account.people("contacts", "contact2@x.example")


def test_a_second_undo_writes_nothing(suite: Machine) -> None:
    run = imported(suite)
    assert undone(suite, run).code == 0
    suite.account.forget()
    done = here(suite, "undo", run, "--yes")
    assert done.code == 0
    assert suite.account.writes == 0


def test_in_a_pipe_an_undo_tells_how_many_records_it_compared(suite: Machine) -> None:
    run = imported(suite)
    told = here(suite, "undo", run, "--yes").err
    assert re.search(r"^Compare: [1-9]\d* records in ", told, re.MULTILINE), told


def test_a_dry_run_of_an_undo_writes_nothing_and_shows_the_same(suite: Machine) -> None:
    run = imported(suite)
    suite.account.forget()
    shown = undone(suite, run, "--dry-run")
    assert shown.code == 0
    assert suite.account.writes == 0
    assert actions(shown)["update"] == actions(undone(suite, run))["update"] > 0


def test_an_undo_asks_first_and_off_a_terminal_wants_a_yes(suite: Machine) -> None:
    run = imported(suite)
    suite.account.forget()
    done = here(suite, "undo", run)
    assert done.code == 2
    assert "--yes" in done.err
    assert suite.account.writes == 0


def test_what_was_undone_can_be_imported_again(machine: Machine, ends: dict[str, State]) -> None:
    run = imported(machine)
    assert undone(machine, run, "--delete-created").code == 0
    done = here(machine, "import", str(machine.home / "events.jsonl"), "--json")
    assert (done.code, done.outcomes) == (0, {"applied": 33})
    assert not difference(machine.account.state(), ends[machine.account.edition])


@pytest.mark.usefixtures("fast")
def test_a_killed_undo_is_resumed(machine: Machine, untouched: State) -> None:
    run = imported(machine)
    machine.account.faults(*(Fault("slow", method=method, seconds=0.1) for method in ("PUT", "DELETE")))
    assert killed(machine, 20, "undo", run, "--yes", "--delete-created")
    killed(machine, 40, "resume")
    done = here(machine, "resume", "--json")
    assert done.code == 0, done.err
    assert not difference(machine.account.state(), untouched)
    machine.account.forget()
    assert here(machine, "undo", run, "--yes").code == 0
    assert machine.account.writes == 0


def test_an_address_that_an_import_changed_comes_back(suite: Machine) -> None:
    suite.account.empty()
    identify = {"type": "identify", "userId": "db-1", "timestamp": "2024-01-01T00:00:00Z"}
    old = {**identify, "messageId": "1", "traits": {"email": "old@x.example", "lastName": "A", "fsContact": True}}
    new = {**identify, "messageId": "2", "traits": {"email": "new@x.example"}, "timestamp": "2024-01-02T00:00:00Z"}
    assert here(suite, "import", suite.write("old.jsonl", [old])).code == 0
    done = here(suite, "import", suite.write("new.jsonl", [new]), "--json")
    assert done.code == 0
    assert suite.account.records()["contacts"][0]["email"] == "new@x.example"
    back = undone(suite, done.summary["run_id"])
    assert back.code == 0, back.err
    (contact,) = suite.account.records()["contacts"]
    assert (contact["email"], [one["value"] for one in contact["emails"]]) == ("old@x.example", ["old@x.example"])


@pytest.mark.parametrize("contact", [True, False])
def test_values_of_every_type_come_back(machine: Machine, contact: bool) -> None:
    first = identify(
        "kim@x.example", lastName="Doe", fsContact=contact, cfPlan="Pro", cfRegion="EMEA", cfSignupDate="2024-02-29",
        cfIsActive=True, cfSeats=7, cfLifetimeValue=10.5,
        cfInterests=["CRM", "Billing"], tags=["a", "b"], title="CEO",
        company={"name": "Acme", "employee_count": 250, "website": "https://acme.example", "cf_plan": "Free"},
        deal={"name": "Pilot", "amount": 4200.5, "expectedClose": "2024-06-30", "cfSourceSystem": "x"},
    )  # fmt: skip
    second = identify(
        "kim@x.example", lastName="Doe", fsContact=contact, cfPlan="Free", cfRegion="Asia", cfSignupDate="2025-01-01",
        cfIsActive=False, cfSeats=8, cfLifetimeValue=11,
        cfInterests=["CRM", "Support"], tags=["b", "c"], title="CTO",
        company={"name": "Acme", "employee_count": 20, "website": "https://acme2.example", "cf_plan": "Pro"},
        deal={"name": "Pilot", "amount": 4300, "expectedClose": "2025-06-30", "cfSourceSystem": "y"},
    )  # fmt: skip
    assert here(machine, "import", machine.write("first.jsonl", [first]), "--json").code == 0
    was = machine.account.state()
    done = here(machine, "import", machine.write("second.jsonl", [second]), "--json")
    assert done.code == 0
    assert difference(machine.account.state(), was)
    undo = undone(machine, str(done.summary["run_id"]))
    assert undo.code == 0, (undo.summary["reasons"], undo.changes)
    assert not difference(machine.account.state(), was)


def test_what_cannot_be_put_back_is_told_with_the_words_of_freshsales(suite: Machine, tmp_path: Path) -> None:
    suite.account.empty()
    strict: list[bool] = []

    def refuse(exchange: Exchange) -> None:
        if strict and exchange.method == "PUT":
            exchange.status, exchange.answer = 422, {"errors": {"code": 422, "message": ["This contact is archived"]}}

    with stranger.before(suite.account, refuse) as server:
        machine = Machine(suite.account, tmp_path, server.base_url)
        for title in ("CEO", "CTO"):
            events = [identify("kim@x.example", lastName="Doe", fsContact=True, title=title)]
            done = here(machine, "import", machine.write(f"{title}.jsonl", events), "--json")
        strict.append(True)
        back = undone(machine, done.summary["run_id"])
    assert back.code == 1
    assert "Not put back: 1 record;" in here(machine, "report", back.summary["run_id"]).out
    assert [(row["code"], row["count"]) for row in back.summary["reasons"]] == [("refused", 1)]
    (change,) = map(orjson.loads, back.changes.splitlines())
    assert change["warnings"] == ["refused: This contact is archived"]
    page = Page((Path(back.summary["run_dir"]) / "report.html").read_text())
    assert page.rows("changes-data") == [change]


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("method", ["DELETE", "PUT"])
def test_what_a_killed_undo_has_taken_back_can_be_imported_again_after_another_undo(
    machine: Machine, method: str
) -> None:
    """Its answer was lost with the process, and the other undo finds nothing of it any more."""
    before(machine.account)
    account, users = machine.account, ["known-contact@x.example", *(f"p{n}@x.example" for n in range(3))]
    path = machine.write("e.jsonl", [identify(user, title="CEO", fsContact=True) for user in users])
    assert here(machine, "import", path).code == 0
    wanted = account.state()
    account.faults(Fault("slow", method=method, seconds=0.5))
    process = start(machine, "undo", "--yes", "--delete-created")
    while not account.sandbox.stats()["faults"]:
        assert process.poll() is None
        time.sleep(0.005)
    held = account.state()
    process.kill()
    process.communicate()
    account.faults()
    while account.state() == held:
        time.sleep(0.01)
    assert here(machine, "undo", "--yes", "--delete-created").code == 0
    assert here(machine, "import", path).code == 0
    assert not difference(account.state(), wanted)
