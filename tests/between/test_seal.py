"""Nothing is sent but what was planned: a plan that somebody has changed is refused, whoever was to push it."""

from __future__ import annotations

from itertools import count

import pytest

from tests.between.left import KNOWN, NEW, Copied, before, events
from tests.between.runs import done, edit, newest, planned, rows
from tests.e2e.events import identify, track
from tests.e2e.harness import Machine


def refused(machine: Machine, run: str, *command: str) -> None:
    """In words, and with nothing written."""
    before = machine.account.writes
    ended = done(machine, *command, code=2)
    assert f"the plan of {run} was changed since fsseg made it" in ended.err, ended.err
    assert "import its files again" in ended.err
    assert ended.out == ""
    assert machine.account.writes == before


RECORD = {
    "a person's key": "key = 'else@x.example'",
    "by what they are found": "match_key = 'else@x.example'",
    "whether by e-mail": "by_email = 1 - by_email",
    "their ids": """keys = '["#8"]'""",
    "a value": "fields = replace(fields, 'CEO', 'CFO')",
    "a wanted value": "desired = replace(desired, 'CEO', 'CFO')",
    "the time of a value": "times = replace(times, '0', '1')",
    "the events that say so": "sources = '[]'",
    "what there was": "existing = '{}'",
    "what is done with it": "action = 'update'",
    "what it becomes": "entity = 'account'",
}
ENTRY = {
    "an entry's time": "time = '2020-01-01T00:00:00.000'",
    "whose it is": "person = 1",
    "what it says": "payload = replace(payload, 'Did', 'Didn''t')",
    "its event": "hash = hash + 1",
    "its address": "email = 'else@x.example'",
}
EDITS = {
    **{name: f"UPDATE record SET {change} WHERE key = '{NEW}'" for name, change in RECORD.items()},
    **{name: f"UPDATE entry SET {change} WHERE person = 2" for name, change in ENTRY.items()},
    "the contact of a deal": "UPDATE record SET parent = 1 WHERE kind = 'deal'",
    "the account of a deal": "UPDATE record SET account = NULL WHERE kind = 'deal'",
    "the settings": "UPDATE meta SET value = replace(value, 'clear', 'ignore') WHERE name = 'settings'",
    "a record less": "DELETE FROM record WHERE kind = 'deal'",
    "an entry less": "DELETE FROM entry WHERE id = 4",
    "an entry more": "INSERT INTO entry (key, person, position, hash, time, payload, action)"
    " SELECT key, person, position, hash + 1, time, payload, action FROM entry WHERE id = 4",
    "how a record stands": "UPDATE record SET status = iif(status = 'done', 'failed', 'done')",
    "how an entry stands": "UPDATE entry SET status = iif(status = 'done', 'failed', 'done')",
    "the mark of the plan itself": "DELETE FROM meta WHERE name = 'seal'",
}
IDS = {
    "an update": f"UPDATE record SET remote_id = remote_id + 1 WHERE key = '{KNOWN}'",
    "a record that was made": f"UPDATE record SET remote_id = remote_id - 1 WHERE key = '{NEW}' AND status = 'done'",
    "one that is another's": f"UPDATE record SET (remote_id, proof) = (SELECT remote_id, proof FROM record WHERE key ="
    f" 'Acme') WHERE key = '{NEW}' AND status = 'done'",
    "one without its mark": f"UPDATE record SET proof = NULL WHERE key = '{NEW}' AND status = 'done'",
    "an entry": "UPDATE entry SET remote_id = remote_id + 1 WHERE id = 2 AND status = 'done'",
}


@pytest.mark.parametrize("what", EDITS)
def test_a_plan_of_which_something_was_edited_is_refused(classic: Machine, left: Copied, what: str) -> None:
    commands = left(classic)
    for run in {command[1] for command in commands}:
        edit(classic, run, EDITS[what])
    for command in commands:
        refused(classic, command[1], *command)


@pytest.mark.parametrize("id", IDS)
def test_a_plan_of_which_an_id_was_edited_is_refused(machine: Machine, left: Copied, id: str) -> None:
    commands = left(machine)
    pushed = commands if id == "an update" else commands[1:]
    for run in {command[1] for command in pushed}:
        edit(machine, run, IDS[id])
    for command in pushed:
        refused(machine, command[1], *command)


def test_an_edit_that_is_taken_back_hinders_nobody(machine: Machine) -> None:
    before(machine.account)
    run = planned(machine, events())
    edit(machine, run, EDITS["a value"])
    refused(machine, run, "apply", run)
    assert len(list(machine.state.glob("*/runs/*"))) == 1
    edit(machine, run, f"UPDATE record SET fields = replace(fields, 'CFO', 'CEO') WHERE key = '{NEW}'")
    assert done(machine, "apply", run, "--json").outcomes == {"applied": 7}


READ = {
    "a person": "UPDATE record SET key = 'else@x.example', match_key = 'else@x.example'",
    "a value": "UPDATE record SET desired = replace(desired, 'CEO', 'CFO')",
    "what it was folded from": "UPDATE folded SET state = replace(CAST(state AS TEXT), 'CEO', 'CFO')",
    "a time": "UPDATE entry SET time = '2020-01-01T00:00:00.000'",
}


@pytest.mark.parametrize("what", READ)
def test_what_was_read_and_is_not_planned_yet_is_watched_too(classic: Machine, what: str) -> None:
    path = classic.write("e.jsonl", [identify(NEW, lastName="N", title="CEO"), track(NEW, "Did")])
    done(classic, "import", path, "--max-requests", "6", code=5)
    edit(classic, newest(classic), READ[what])
    refused(classic, newest(classic), "resume")


def pushing(machine: Machine, *command: str) -> str:
    """Let the command be stopped, and resumed, until it has done something and not all of it; its run."""
    for budget in count(8):
        done(machine, *command, "--max-requests", str(budget), code=5)
        command = ("resume",)
        if rows(machine, newest(machine), "SELECT 1 FROM record WHERE status = 'done' AND claimed_at IS NOT NULL"):
            break
    return newest(machine)


def test_the_copy_of_a_plan_that_is_being_applied_is_watched_too(machine: Machine) -> None:
    before(machine.account)
    applying = pushing(machine, "apply", planned(machine, events()))
    for statement in (IDS["an update"], EDITS["a value"]):
        edit(machine, applying, statement)
        refused(machine, applying, "resume")


def imported_only(machine: Machine) -> list[str]:
    """An import of the events, and the command that takes it back."""
    before(machine.account)
    done(machine, "import", machine.write("e.jsonl", events()))
    return ["undo", newest(machine), "--yes", "--delete-created"]


def test_an_undo_that_was_stopped_is_watched_too(machine: Machine) -> None:
    undoing = pushing(machine, *imported_only(machine))
    edit(machine, undoing, "UPDATE record SET remote_id = remote_id + 1")
    refused(machine, undoing, "resume")


def test_while_an_undo_compares_what_it_takes_back_is_watched_too(machine: Machine) -> None:
    command = imported_only(machine)
    done(machine, *command, "--max-requests", "7", code=5)
    edit(machine, command[1], f"UPDATE record SET fields = replace(fields, 'CTO', 'CIO') WHERE key = '{KNOWN}'")
    refused(machine, command[1], "resume")
