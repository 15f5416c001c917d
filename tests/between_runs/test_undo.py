"""Undo asks with numbers, takes a no for a no, says what it did, and goes on to no other run by itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.between_runs.runs import PEOPLE, Event, person, run_of, runs, states
from tests.between_runs.terminal import CTRL_C, QUESTION, answered, on_terminal
from tests.e2e.harness import Machine

EVENTS: list[Event] = [*PEOPLE, person("eve@x.example", "2024-05-01", title="CFO")]


@pytest.fixture
def imported(machine: Machine) -> str:
    """The run that has changed two people who were there, and made everything else."""
    known = [{"email": f"{name}@x.example", "last_name": "Old", "job_title": "Intern"} for name in ("ada", "eve")]
    machine.account.seed(**{"leads" if machine.account.edition == "classic" else "contacts": known})
    done = machine.imports(events=EVENTS)
    assert done.code == 0, done.err
    machine.account.forget()
    return run_of(done)


def titles(machine: Machine) -> dict[str, str | None]:
    records = machine.account.records()
    people = [row for kind in ("leads", "contacts") for row in records.get(kind, ())]
    return {row["email"].partition("@")[0]: row["job_title"] for row in people}


def declined(machine: Machine, run: str, answer: str) -> int:
    """Undo it, answering so; the exit code."""
    code, seen = answered(machine, "undo", answers=[answer])
    assert "2 records" in seen.partition(QUESTION)[0]
    assert run in seen.partition(QUESTION)[0]
    assert "nothing was written" in seen
    assert "nobody to ask" not in seen
    assert "--yes" not in seen
    assert machine.account.writes == 0
    assert states(machine) == ["import done"]
    return code


def test_a_no_sends_nothing_and_leaves_no_run(machine: Machine, imported: str) -> None:
    assert declined(machine, imported, "n") == 0


@pytest.mark.parametrize("machine", ["classic"], indirect=True)
def test_ctrl_c_at_the_question_sends_nothing_and_leaves_no_run(machine: Machine, imported: str) -> None:
    assert declined(machine, imported, CTRL_C) == 130


def test_a_yes_puts_back_as_many_as_were_asked_for_and_says_so_without_zeros(machine: Machine, imported: str) -> None:
    code, seen = answered(machine, "undo", "--delete-created", answers="y")
    assert code == 0
    assert f"Put back 2 records that run {imported} changed and delete 6 records that it created?" in seen
    assert "Put back 2 records, deleted 6" in seen
    assert not re.findall(r"^\s+\w+(?: +0)+\s*$", seen, re.MULTILINE), seen
    assert titles(machine) == {"ada": "Intern", "eve": "Intern"}
    assert not machine.account.records()["sales_activities"]
    assert states(machine) == ["undo done", "import undone"]


def test_what_is_none_is_not_asked_for(classic: Machine) -> None:
    run = run_of(classic.imports(events=PEOPLE))
    code, seen = answered(classic, "undo", run, "--delete-created", answers="y")
    assert code == 0
    assert not any(classic.account.records().values())
    assert not re.search(r"\b0 records", seen), "nothing is to be put back"


def test_where_there_is_nobody_to_ask_it_wants_to_be_told(classic: Machine) -> None:
    classic.imports(events=PEOPLE)
    classic.account.forget()
    done = classic.run("undo")
    assert done.code == 2
    assert "--yes" in done.err
    assert classic.account.requests == 0


def test_without_a_run_it_names_the_one_that_it_undoes(classic: Machine) -> None:
    older, newer = (
        run_of(classic.imports(events=[person("ada@x.example", "2024-05-01", title=title)])) for title in "ab"
    )
    done = classic.run("undo", "--yes", "--delete-created")
    assert newer in done.out + done.err
    assert older not in done.out + done.err


@pytest.mark.parametrize("again", [("--yes",), ("--yes", "--delete-created")])
def test_typed_once_more_it_takes_back_nothing_of_the_run_before(machine: Machine, again: tuple[str, ...]) -> None:
    """What was undone is: how the run before it goes, too, is told."""
    older, newer = (run_of(machine.imports(events=[person(f"{name}@x.example", "2024-05-01")])) for name in ("a", "b"))
    assert machine.run("undo", "--yes", "--delete-created").code == 0
    machine.account.forget()
    done = machine.run("undo", *again)
    assert (done.code, machine.account.writes) == (0, 0)
    assert f"run {newer} is undone already" in done.err
    assert f"fsseg undo {older}" in done.err
    assert titles(machine).keys() == {"a"}
    assert machine.run("undo", older, "--yes", "--delete-created").code == 0
    assert not titles(machine)
    done = machine.run("undo", *again)
    assert f"run {newer} is undone already" in done.err
    assert "fsseg undo" not in done.err


def test_what_it_advises_for_what_is_left_there_is_what_it_does_next(classic: Machine) -> None:
    """`--delete-created deletes it`, and nothing of another run."""
    older = run_of(classic.imports(events=[person("old@x.example", "2024-05-01", title="CEO")]))
    newer = run_of(classic.imports(events=[person("new@x.example", "2024-05-01", title="CEO")]))
    done = classic.run("undo", "--yes")
    assert "--delete-created deletes it" in done.out
    classic.run("undo", "--yes", "--delete-created")
    assert titles(classic).keys() == {"old"}, f"{newer} was to be undone, not {older}"


def test_a_run_of_which_nothing_was_put_back_is_not_undone(machine: Machine) -> None:
    run = run_of(machine.imports(events=PEOPLE))
    state = machine.account.state()
    done = machine.run("undo", "--yes", run)
    assert "Nothing to put back" in done.out
    assert machine.account.state() == state
    assert {one["run_id"]: one["state"] for one in runs(machine)}[run] == "done"
    assert "has undone it" not in machine.run("resume", run).err


def test_an_undo_that_was_only_tried_out_says_nothing_of_an_import(classic: Machine) -> None:
    classic.imports(events=PEOPLE)
    done = classic.run("undo", "--dry-run", "--delete-created")
    assert "To delete: 7 records" in done.out
    assert "An import takes" not in done.out


def test_what_it_says_it_will_cost_is_what_it_costs(classic: Machine) -> None:
    events = [*PEOPLE, *(person(f"p{n}@x.example", "2024-05-01", title="CEO") for n in range(20))]
    run = run_of(classic.imports(events=events))
    summary = classic.run("undo", run, "--yes", "--delete-created").summary
    assert abs(summary["forecast"]["requests"] - summary["requests"]["total"]) <= 3


def test_an_undone_run_is_imported_anew_and_its_undo_has_nothing_left(machine: Machine, imported: str) -> None:
    path = machine.write("again.jsonl", EVENTS)
    state = machine.account.state()
    assert machine.run("undo", imported, "--yes", "--delete-created").code == 0
    assert machine.imports(path).outcomes == {"applied": 7}
    assert machine.account.state() == state
    machine.account.forget()
    assert "Nothing to put back" in machine.run("undo", imported, "--yes", "--delete-created").out
    assert machine.account.writes == 0


def test_after_an_undo_that_left_what_was_made_an_import_doubles_nothing(machine: Machine, imported: str) -> None:
    state = machine.account.state()
    assert machine.run("undo", "--yes").code == 0
    assert titles(machine)["ada"] == "Intern"
    assert machine.imports(events=EVENTS).code == 0
    assert machine.account.state() == state


def test_many_are_not_asked_for_only_to_be_refused(classic: Machine) -> None:
    """The brake is told before the question, not after a yes."""
    classic.account.seed(
        leads=[{"email": f"p{n}@x.example", "last_name": "P", "job_title": "Intern"} for n in range(101)]
    )
    events = [person(f"p{n}@x.example", "2024-05-01", title="CEO") for n in range(101)]
    assert classic.imports("--allow-mass-changes", events=events).code == 0
    with on_terminal(classic, "undo") as terminal:
        terminal.type("y\r")
        assert (terminal.end(), QUESTION in terminal.seen) in [(0, True), (6, False)]


def test_a_run_that_only_added_entries_is_the_latest_to_undo(machine: Machine) -> None:
    machine.imports(events=PEOPLE[:3])
    newest = run_of(machine.imports(events=PEOPLE[3:]))
    done = machine.run("undo", "--yes", "--delete-created")
    assert done.code == 0, done.out
    assert f"undoing {newest}" in done.err
    assert not machine.account.records()["sales_activities"]
    assert titles(machine).keys() == {"ada", "bo", "cy"}


def test_what_another_run_has_said_at_the_very_same_time_stays(machine: Machine, imported: str) -> None:
    """Neither run is the later one; the value is what both have said."""
    retold = person("ada@x.example", "2024-05-01", id="told by another", title="CEO")
    assert machine.imports(events=[retold]).code == 0
    done = machine.run("undo", imported, "--yes")
    assert done.code == 1, done.out
    assert titles(machine) | {"ada": "CEO", "eve": "Intern"} == titles(machine)


def test_what_an_import_was_told_again_to_send_is_still_put_back(machine: Machine, imported: str) -> None:
    assert machine.imports("--again", events=EVENTS).code == 0
    done = machine.run("undo", imported, "--yes")
    assert done.code == 0, done.out
    assert titles(machine)["ada"] == "Intern"


def test_an_undo_says_what_stays_and_shows_what_it_would_put_back(machine: Machine, imported: str) -> None:
    code, seen = answered(machine, "undo", answers=["d", "y"])
    before, _, after = seen.partition("Put back 2 records")
    assert code == 0
    assert "6 records that it created stay: --delete-created deletes" in before, "3 of them are timeline entries"
    assert re.search(r"job_title +CEO . Intern", after), after
    assert "created: 6" in after


def test_an_undo_shows_what_it_would_delete(classic: Machine) -> None:
    classic.imports(events=PEOPLE[:1])
    code, seen = answered(classic, "undo", "--delete-created", answers=["d", "n"])
    assert code == 0
    assert re.search(r"- lead +ada@x.example", seen), seen


def test_an_undone_run_is_told_to_be_one(classic: Machine) -> None:
    classic.account.seed(leads=[{"email": "ada@x.example", "last_name": "Old", "job_title": "Intern"}])
    run = run_of(classic.imports(events=PEOPLE[:1]))
    classic.run("undo", run, "--yes")
    undoing = runs(classic)[0]["run_id"]
    assert f"undoing {run}, which run {undoing} has undone already" in classic.run("undo", run, "--yes").err


def test_an_import_names_the_undo_that_stopped_before_it(machine: Machine, imported: str) -> None:
    """What that undo has still to put back counts as delivered."""
    path = machine.write("again.jsonl", EVENTS)
    first = run_of(machine.imports(path, "--again"))
    machine.account.forget()
    for budget in range(5, 40):
        if machine.run("undo", first, "--yes", "--delete-created", "--max-requests", str(budget)).code == 0:
            break
        undo = runs(machine)[0]["run_id"]
        said = machine.imports(path).err
        assert f"run {undo}, which undoes {first}, stopped" in said
        assert f"fsseg resume {undo}" in said
        assert machine.run("resume", undo).code in (0, 1)
        assert "stopped" not in machine.imports(path).err
        return


def test_an_undo_that_nobody_has_agreed_to_waits_for_somebody(classic: Machine) -> None:
    classic.account.seed(leads=[{"email": "ada@x.example", "last_name": "Old", "job_title": "Intern"}])
    classic.imports(events=PEOPLE[:1])
    with on_terminal(classic, "undo", "--max-requests", "6") as terminal:
        assert terminal.end() == 5
    undo = runs(classic)[0]["run_id"]
    classic.account.forget()
    bare = classic.run("resume").err
    assert "nothing to resume" in bare and f"nobody has agreed to it; if it is meant: fsseg resume {undo} --yes" in bare
    refused = classic.run("resume", undo)
    assert (refused.code, "--yes" in refused.err) == (2, True)
    assert classic.account.writes == 0
    code, seen = answered(classic, "resume", answers="y")
    assert (code, "Put back 1 record that" in seen) == (0, True)
    assert titles(classic) == {"ada": "Intern"}


def test_an_undo_that_another_one_has_finished_has_nothing_left(machine: Machine, imported: str) -> None:
    """What was imported since stays."""
    path = machine.write("again.jsonl", EVENTS)
    machine.run("undo", imported, "--dry-run")
    budget = machine.account.requests + 1
    assert machine.run("undo", imported, "--yes", "--max-requests", str(budget)).code == 5
    stopped = [one["run_id"] for one in runs(machine) if one["state"] == "stopped"]
    assert machine.run("undo", imported, "--yes").code == 0
    assert machine.imports(path).code == 0
    state = machine.account.state()
    assert "superseded" in {one["state"] for one in runs(machine)}
    for command in (["resume"], ["resume", *stopped]):
        done = machine.run(*command)
        assert done.code == 0
        assert "nothing to resume" in done.err
    assert machine.account.state() == state
    assert titles(machine)["ada"] == "CEO"


@pytest.mark.parametrize("existing", ["update", "newer", "fill"])
@pytest.mark.parametrize("called", ["North Ltd", "Northern Ltd"])
def test_an_account_that_a_contact_was_given_goes_however_it_is_called_by_then(
    machine: Machine, existing: str, called: str
) -> None:
    """Events may spell it otherwise, and somebody may have renamed it since."""
    made = machine.account.seed(
        contacts=[{"email": "ada@x.example", "last_name": "Old"}], sales_accounts=[{"name": "North Ltd"}]
    )
    (account,) = made["sales_accounts"]
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    done = machine.imports("--existing", existing, events=[person("ada@x.example", soon, company="NORTH ltd")])
    assert done.code == 0, done.err
    assert [row["id"] for row in machine.account.one("contacts", "ada@x.example")["sales_accounts"]] == [account]
    if called != "North Ltd":
        machine.account.change("sales_accounts", account, name=called)

    assert machine.run("undo", "--yes").code in (0, 1)

    assert machine.account.one("contacts", "ada@x.example")["sales_accounts"] == []


@pytest.mark.parametrize("count", [1, 6])
@pytest.mark.parametrize("status", ["Churned", None])
def test_the_status_that_a_lifecycle_stage_has_brought_goes_with_it(
    suite: Machine, status: str | None, count: int
) -> None:
    had = suite.account.choice("contact_statuses", status) if status else None
    people = [f"p{n}@x.example" for n in range(count)]
    ids = suite.account.seed(contacts=[{"email": email, "last_name": "P"} for email in people])["contacts"]
    for id in ids if had else ():
        suite.account.change("contacts", id, contact_status_id=had)

    def stages() -> list[tuple[int | None, int | None]]:
        rows = suite.account.records()["contacts"]
        return [(row["lifecycle_stage_id"], row["contact_status_id"]) for row in rows]

    before = stages()
    events = [person(email, "2024-05-01", lifecycle_stage_id="Lead") for email in people]
    assert suite.imports(events=events).code == 0
    assert not set(stages()) & set(before)

    assert suite.run("undo", "--yes").code == 0

    assert stages() == before
