"""Two commands on one account at once, and commands that come while another is held up or was killed."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from fsseg.cli import continue_cmds
from fsseg.cli.session import session
from fsseg.state.run_folder import RunState
from tests.between.gate import gate
from tests.between.runs import Events, done, info_of, newest, planned
from tests.e2e.events import identify, track
from tests.e2e.harness import Machine
from tests.faults.process import here

KIM = "kim@x.example"
READ, WRITE, ENTRY = "^GET .*/lookup", "^(POST|PUT) .*/(leads|contacts)", "^POST .*/sales_activities"


@pytest.fixture
def events() -> Events:
    return [identify(KIM, lastName="Vos"), identify("7", email="sam@x.example", lastName="Os"), track(KIM, "Did")]


def all_is_there_once(machine: Machine) -> None:
    found = machine.account.records()
    assert sorted(row["email"] for row in found["leads"] + found["contacts"]) == [KIM, "sam@x.example"]
    assert len(found["sales_activities"]) == 1


@contextmanager
def frozen(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Beside the block, which it can't hinder but by what it holds."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@contextmanager
def before_the_lock(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> Iterator[None]:
    """What another process does once this one has looked at the plan, and before it asks for the lock."""

    def late(*args: Any, **more: Any) -> Any:
        monkeypatch.setattr(continue_cmds, "session", session)
        act()
        return session(*args, **more)

    monkeypatch.setattr(continue_cmds, "session", late)
    yield
    monkeypatch.setattr(continue_cmds, "session", session)


def test_an_apply_that_is_turned_away_leaves_the_plan_to_be_applied(classic: Machine, events: Events) -> None:
    with gate(classic) as door:
        run = planned(classic, events)
        process = door.start(READ, "import", classic.write("more.jsonl", [identify("lee@x.example", lastName="Lee")]))
        with frozen(process):
            turned_away = done(classic, "apply", run, code=7)
            assert str(process.pid) in turned_away.err
            assert info_of(classic, run).state is RunState.PLANNED
        assert door.finish(process).code == 0
        assert done(classic, "apply", run, "--json").outcomes == {"applied": 3}


def test_of_two_applies_of_one_plan_the_second_is_turned_away(classic: Machine, events: Events) -> None:
    with gate(classic) as door:
        run = planned(classic, events)
        first = door.start(WRITE, "apply", run)
        with frozen(first):
            second = done(classic, "apply", run, code=7)
            assert info_of(classic, run).by is not None
            assert str(info_of(classic, run).by) in second.err
        assert door.finish(first).code == 0
        assert done(classic, "apply", run, code=2)
    all_is_there_once(classic)


def test_so_it_is_if_both_have_seen_a_plan_that_nobody_has_applied(
    classic: Machine, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes = []
    with gate(classic) as door:
        run = planned(classic, events)
        with before_the_lock(monkeypatch, lambda: processes.append(door.start(WRITE, "apply", run))):
            done(classic, "apply", run, code=7)
        assert door.finish(processes[0]).code == 0
        assert info_of(classic, run).by == newest(classic)
    all_is_there_once(classic)


def test_an_apply_that_comes_to_the_lock_after_another_was_done_sends_nothing(
    classic: Machine, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = planned(classic, events)
    with before_the_lock(monkeypatch, lambda: done(classic, "apply", run)):
        second = done(classic, "apply", run, code=2)
    assert "was applied already" in second.err
    assert len(list(classic.state.glob("*/runs/*"))) == 2
    all_is_there_once(classic)


@pytest.mark.usefixtures("fast")
def test_where_an_apply_was_killed_the_next_says_how_to_go_on_and_that_ends_it(
    classic: Machine, events: Events
) -> None:
    with gate(classic) as door:
        run = planned(classic, events)
        door.kill(door.start(WRITE, "apply", run))
        told = done(classic, "apply", run, code=2)
        assert f"stopped on its way; go on with: fsseg resume {newest(classic)}" in told.err
        assert f"fsseg resume {newest(classic)}" in done(classic, "runs", "show", newest(classic)).out
        assert done(classic, "resume", "--json").outcomes == {"applied": 3}
    all_is_there_once(classic)


@pytest.mark.usefixtures("fast")
def test_a_plan_that_was_turned_away_by_an_import_of_its_events_doubles_nothing(
    classic: Machine, events: Events
) -> None:
    with gate(classic) as door:
        run = planned(classic, events)
        process = door.start(ENTRY, "import", str(classic.home / "planned.jsonl"))
        with frozen(process):
            done(classic, "apply", run, code=7)
        assert door.finish(process).code == 0
        assert "applied" not in done(classic, "apply", run, "--json").outcomes
    all_is_there_once(classic)


def test_an_import_that_was_turned_away_by_an_apply_of_its_events_doubles_nothing(
    classic: Machine, events: Events
) -> None:
    with gate(classic) as door:
        process = door.start(ENTRY, "apply", planned(classic, events))
        with frozen(process):
            done(classic, "import", str(classic.home / "planned.jsonl"), code=7)
        assert door.finish(process).code == 0
        assert done(classic, "import", str(classic.home / "planned.jsonl"), "--json").outcomes == {"skipped": 3}
    all_is_there_once(classic)


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("at", [READ, WRITE, ENTRY])
def test_where_an_import_was_killed_the_apply_of_an_older_plan_and_its_resumption_double_nothing(
    machine: Machine, events: Events, at: str
) -> None:
    with gate(machine) as door:
        run = planned(machine, events)
        process = door.start(at, "import", str(machine.home / "planned.jsonl"))
        door.kill(process)
        killed = newest(machine)
        assert here(machine, "apply", run).code in (0, 1)
        done(machine, "resume", killed)
    all_is_there_once(machine)
