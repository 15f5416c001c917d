"""A dry run that others have overtaken is applied without anything twice, and without overwriting what is newer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.between.refusing import coded, mend, refusing
from tests.between_runs.runs import PEOPLE, Event, did, entries, person, run_of, states
from tests.e2e import stranger
from tests.e2e.harness import Account, Machine, Result
from tests.e2e.stranger import Exchange
from tests.faults.process import killed

State = dict[str, list[str]]

HALVES = {
    "people": PEOPLE[:3],
    "two with their entries": [PEOPLE[0], PEOPLE[2], PEOPLE[3], PEOPLE[5]],
    "a contact with its entry": [PEOPLE[1], PEOPLE[4]],
    "all": PEOPLE,
}
"""What an import takes of the events while the plan of all of them lies there."""


@pytest.fixture(scope="session")
def whole(hosts: dict[str, Account], tmp_path_factory: pytest.TempPathFactory) -> dict[str, State]:
    """What one import of all of it ends in, by edition."""
    found = {}
    for edition, account in hosts.items():
        account.empty()
        Machine(account, tmp_path_factory.mktemp(edition)).imports(events=PEOPLE)
        found[edition] = account.state()
    return found


def planned(machine: Machine, events: Sequence[Event] = PEOPLE) -> str:
    done = machine.dry_runs(events=events)
    assert done.code == 0, done.err
    return run_of(done)


def applied(machine: Machine, run: str) -> Result:
    done = machine.run("apply", run)
    assert done.code == 0, done.out + done.err
    return done


@pytest.mark.parametrize("half", HALVES)
def test_a_plan_older_than_an_import_doubles_nothing(machine: Machine, whole: dict[str, State], half: str) -> None:
    dry = planned(machine)
    assert machine.imports(events=HALVES[half]).code == 0
    done = applied(machine, dry)
    assert machine.account.state() == whole[machine.account.edition]
    assert done.outcomes.get("applied", 0) == len(PEOPLE) - len(HALVES[half])
    machine.account.forget()
    assert set(machine.imports(events=PEOPLE).outcomes) == {"skipped"}
    assert machine.account.writes == 0


def test_two_plans_of_the_same_events_are_applied_as_one(machine: Machine, whole: dict[str, State]) -> None:
    """The older one although it is superseded, where somebody names it."""
    older, newer = planned(machine), planned(machine)
    applied(machine, newer)
    applied(machine, older)
    assert machine.account.state() == whole[machine.account.edition]


def test_plans_that_overlap_are_applied_in_either_order(machine: Machine, whole: dict[str, State]) -> None:
    first, last = planned(machine, PEOPLE[:4]), planned(machine, [*PEOPLE[:3], *PEOPLE[4:]])
    applied(machine, last)
    applied(machine, first)
    assert machine.account.state() == whole[machine.account.edition]


def test_a_plan_that_was_made_before_an_import_was_undone_leaves_what_was_undone_to_be_imported(
    machine: Machine, whole: dict[str, State]
) -> None:
    imported = run_of(machine.imports(events=HALVES["a contact with its entry"]))
    dry = planned(machine)
    assert machine.run("undo", imported, "--yes", "--delete-created").code == 0
    assert applied(machine, dry).outcomes == {"applied": 4, "skipped": 2}
    assert machine.imports(events=PEOPLE).outcomes == {"applied": 2, "skipped": 4}
    assert machine.account.state() == whole[machine.account.edition]


def test_a_stopped_import_that_another_one_has_overtaken_doubles_nothing(
    machine: Machine, whole: dict[str, State]
) -> None:
    path = machine.write("events.jsonl", PEOPLE)
    for budget in ("7", "12", "15"):
        assert machine.imports(path, "--max-requests", budget).code in (0, 5)
    assert machine.imports(path).code == 0
    for _ in range(3):
        assert machine.run("resume").code == 0
    assert machine.account.state() == whole[machine.account.edition]
    assert {*states(machine)} <= {"import done", "import superseded"}


def test_a_plan_of_older_values_overwrites_nothing_that_was_imported_since(machine: Machine) -> None:
    dry = planned(machine, [person("ada@x.example", "2024-01-01", title="Intern", phone="+31 1")])
    machine.imports(events=[person("ada@x.example", "2025-01-01", title="CEO")])
    done = applied(machine, dry)
    record = machine.account.one("leads" if machine.account.edition == "classic" else "contacts", "ada@x.example")
    assert (record["job_title"], record["work_number"]) == ("CEO", "+31 1")
    assert done.warnings["older job_title"] == 1


def test_what_somebody_else_has_changed_since_is_left_alone_and_its_entries_come_once(machine: Machine) -> None:
    """The conflict is the person's; an import in between has delivered the entries."""
    leads = "leads" if machine.account.edition == "classic" else "contacts"
    machine.account.seed(**{leads: [{"email": "ada@x.example", "last_name": "Old", "job_title": "Intern"}]})
    (id,) = [row["id"] for row in machine.account.records()[leads]]
    events = [person("ada@x.example", "2024-05-01", title="CEO"), did("ada@x.example", "2024-05-02", "Signed Up")]
    dry = planned(machine, events)
    machine.imports(events=events[1:])
    machine.account.change(leads, id, job_title="Chair")
    done = machine.run("apply", dry)
    assert done.code == 1
    assert machine.account.one(leads, "ada@x.example")["job_title"] == "Chair"
    assert len(entries(machine.account)) == 1


def test_what_an_import_wrote_before_the_plan_is_not_its_own_again_where_somebody_puts_it_back(
    machine: Machine,
) -> None:
    machine.imports(events=[person("ada@x.example", "2024-01-01", title="Intern")])
    leads = "leads" if machine.account.edition == "classic" else "contacts"
    id = machine.account.one(leads, "ada@x.example")["id"]
    machine.account.change(leads, id, job_title="Chair")
    dry = planned(machine, [person("ada@x.example", "2024-05-01", title="CEO")])
    machine.imports(events=[person("ada@x.example", "2024-04-01", phone="+31 1")])
    machine.account.change(leads, id, job_title="Intern")
    assert machine.run("apply", dry).code == 1
    assert machine.account.one(leads, "ada@x.example")["job_title"] == "Intern"


def test_a_plan_to_create_what_an_import_has_made_meanwhile_updates_it(machine: Machine) -> None:
    dry = planned(machine, [person("ada@x.example", "2024-05-02", title="CEO", firstName="Ada")])
    machine.imports(events=[person("ada@x.example", "2024-05-01", title="Intern", phone="+31 1")])
    done = applied(machine, dry)
    record = machine.account.one("leads" if machine.account.edition == "classic" else "contacts", "ada@x.example")
    assert (record["job_title"], record["first_name"], record["work_number"]) == ("CEO", "Ada", "+31 1")
    assert done.outcomes == {"applied": 1}


@pytest.mark.parametrize("part", ["the older", "the newer"])
def test_a_person_of_whom_one_event_was_imported_meanwhile_ends_as_by_both(machine: Machine, part: str) -> None:
    older = person(
        "ada@x.example", "2024-01-01", title="Intern", phone="+31 1", fsContact=True, company={"name": "Acme"}
    )
    newer = person(
        "ada@x.example", "2025-01-01", title="CEO", fsContact=True, company={"name": "Acme", "city": "Delft"}
    )
    seen = did("ada@x.example", "2024-05-01")
    dry = planned(machine, [older, newer, seen])
    machine.imports(events=[older if part == "the older" else newer])
    applied(machine, dry)
    record = machine.account.one("contacts", "ada@x.example")
    (account,) = machine.account.records()["sales_accounts"]
    assert (record["job_title"], record["work_number"], account["city"]) == ("CEO", "+31 1", "Delft")
    assert len(entries(machine.account)) == 1


@pytest.mark.usefixtures("fast")
def test_what_an_import_made_that_was_killed_at_its_first_write_is_no_conflict_of_a_plan(machine: Machine) -> None:
    dry = planned(machine)
    before = machine.account.requests
    machine.dry_runs(events=PEOPLE)
    planning = machine.account.requests - before
    path = machine.write("events.jsonl", PEOPLE)
    assert killed(machine, planning + 1, "import", path)
    done = applied(machine, dry)
    assert "conflict" not in done.out
    assert len(entries(machine.account)) == 3


DAILY = '[timeline]\naggregate = "daily"\n'


@pytest.mark.parametrize("meanwhile", [[1], [2], [1, 2], [1, 2, 3]])
def test_of_a_day_that_is_one_entry_only_what_no_import_has_told_meanwhile_is_told(
    machine: Machine, meanwhile: list[int]
) -> None:
    ada = "ada@x.example"
    events = [
        person(ada, "2024-05-01", title="CEO"),
        *(did(ada, f"2024-05-02T{hour}:00:00.000Z") for hour in ("09", "10", "11")),
        *(did(ada, f"2024-05-03T{hour}:00:00.000Z") for hour in ("09", "10")),
    ]
    dry = run_of(machine.dry_runs(events=events, config=DAILY))
    assert machine.imports(events=[events[0], *(events[at] for at in meanwhile)]).code == 0
    done = applied(machine, dry)
    assert done.outcomes == {"applied": 5 - len(meanwhile), "unchanged": 1, "skipped": len(meanwhile)}
    titles = [str(entry["title"]) for entry in machine.account.timeline(ada)]
    left = 3 - len(meanwhile)
    together = [f"Did it ({left} times)"] if left > 1 else ["Did it"] * left
    assert sorted(titles) == sorted([*["Did it"] * len(meanwhile), *together, "Did it (2 times)"])
    assert set(machine.imports(events=events, config=DAILY).outcomes) == {"skipped"}


@pytest.mark.parametrize(("changed", "code"), [({"job_title": "Chair"}, 1), ({"city": "Oslo"}, 0)])
def test_where_nothing_tells_when_a_record_was_changed_its_planned_fields_do(
    machine: Machine, changed: dict[str, str], code: int
) -> None:
    leads = "leads" if machine.account.edition == "classic" else "contacts"
    machine.account.seed(**{leads: [{"email": "ada@x.example", "last_name": "Old", "job_title": "Intern"}]})

    def timeless(exchange: Exchange) -> None:
        exchange.answer = _without_times(exchange.answer)

    with stranger.before(machine.account, timeless) as server:
        machine.base_url = server.base_url
        dry = planned(machine, [person("ada@x.example", "2024-05-01", title="CEO")])
        machine.account.change(leads, machine.account.one(leads, "ada@x.example")["id"], **changed)
        done = machine.run("apply", dry)
    assert done.code == code, done.err
    record = machine.account.one(leads, "ada@x.example")
    assert {name: record[name] for name in changed} == changed
    assert record["job_title"] == ("Chair" if code else "CEO")


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_times(inner) for name, inner in value.items() if name != "updated_at"}
    return [_without_times(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("budget", range(10, 13))
def test_a_retry_overwrites_nothing_that_was_delivered_between_its_run_and_the_resumption(
    classic: Machine, budget: int
) -> None:
    """The run ends as it makes the contacts, so that the resumption brings up to date what has not failed."""
    refusing(classic.account, "A")
    others = [person(f"p{number}@x.example", "2024-05-01", title="CFO", fsContact=True) for number in range(8)]
    older = [*coded("refused", "A"), person("refused0@x.example", "2024-05-01", title="Intern", fsContact=True)]
    stopped = classic.imports("--max-requests", str(budget), events=older + others)
    assert stopped.code == 5
    classic.imports(events=[person("refused0@x.example", "2024-06-01", title="CEO", fsContact=True)])
    mend(classic.account, "A")
    for command in ("resume", "retry"):
        assert classic.run(command, run_of(stopped)).code in (0, 1)
    assert classic.account.one("contacts", "refused0@x.example")["job_title"] == "CEO"
