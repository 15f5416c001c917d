"""A reviewed dry run is pushed: that plan, once, and nothing over what has moved on since."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fsseg.sandbox import Fault
from fsseg.state.run_folder import Run
from tests.e2e.harness import Machine
from tests.faults.conftest import State
from tests.faults.process import here, killed
from tests.faults.story import before, difference, mixed


def reviewed(machine: Machine) -> Path:
    """The folder of a dry run of the mixed import."""
    before(machine.account)
    done = here(machine, "dry-run", machine.write("events.jsonl", mixed()), "--json")
    assert done.code == 0, done.err
    machine.account.forget()
    return Path(done.summary["run_dir"])


def test_an_applied_plan_ends_as_an_import_does_and_a_second_apply_writes_nothing(
    machine: Machine, ends: dict[str, State]
) -> None:
    run = reviewed(machine)
    done = here(machine, "apply", "--json")
    assert (done.code, done.outcomes) == (0, {"applied": 33}), done.err
    assert not difference(machine.account.state(), ends[machine.account.edition])
    machine.account.forget()
    again = here(machine, "apply", run.name)
    assert again.code == 2
    assert "already" in again.err
    assert here(machine, "import", str(machine.home / "events.jsonl")).code == 0
    assert machine.account.writes == 0


def test_what_has_moved_on_since_is_left_alone_and_told(machine: Machine) -> None:
    reviewed(machine)
    known = machine.account.one("contacts", "known-contact@x.example")
    machine.account.change("contacts", known["id"], job_title="Chair")
    machine.account.make("contacts", email="contact2@x.example", last_name="Theirs")
    done = here(machine, "apply", "--json")
    assert done.code == 1, done.err
    assert done.summary["records"]["contact"]["conflict"] == 2
    assert machine.account.one("contacts", "known-contact@x.example")["job_title"] == "Chair"
    assert machine.account.one("contacts", "contact2@x.example")["last_name"] == "Theirs"
    assert machine.account.one("contacts", "contact1@x.example")["last_name"] == "Contact 1"
    assert '"conflict"' in done.failures


def test_strictly_nothing_is_sent_if_anything_has_moved_on(suite: Machine) -> None:
    reviewed(suite)
    known = suite.account.one("contacts", "known-contact@x.example")
    suite.account.change("contacts", known["id"], job_title="Chair")
    suite.account.forget()
    done = here(suite, "apply", "--strict")
    assert done.code == 1
    assert "Nothing was written: 1 record has changed since the dry run" in done.out
    for format in ("markdown", "html"):
        shown = here(suite, "report", "--format", format).out
        assert "Nothing was written" in shown
        assert "fsseg resume" not in shown
    assert "nothing to resume" in here(suite, "resume").err
    assert suite.account.writes == 0


def test_a_plan_that_was_altered_is_refused(suite: Machine) -> None:
    run = reviewed(suite)
    with closing(sqlite3.connect(run / "plan.db")) as db, db:
        db.execute("UPDATE record SET fields = replace(fields, 'CTO', 'CIO')")
    done = here(suite, "apply", run.name)
    assert done.code == 2
    assert "was changed" in done.err
    assert suite.account.writes == 0


@pytest.mark.usefixtures("fast")
def test_a_killed_apply_is_resumed(suite: Machine, ends: dict[str, State]) -> None:
    reviewed(suite)
    suite.account.faults(Fault("slow", method="POST", seconds=0.2))
    assert killed(suite, 15, "apply")
    killed(suite, 12, "resume")
    done = here(suite, "resume", "--json")
    assert (done.code, done.outcomes) == (0, {"applied": 33}), done.err
    assert not difference(suite.account.state(), ends[suite.account.edition])


def test_an_apply_that_was_killed_as_it_took_the_plan_over_may_be_given_again(
    suite: Machine, ends: dict[str, State], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = reviewed(suite)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Run, "note", die)
        assert here(suite, "apply", run.name).code == 130
    done = here(suite, "apply", run.name, "--json")
    assert (done.code, done.outcomes) == (0, {"applied": 33}), done.err
    assert not difference(suite.account.state(), ends["suite"])
    assert here(suite, "apply", run.name).code == 2
