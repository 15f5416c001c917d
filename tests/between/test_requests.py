"""What a run says of its requests and waits is true of all the processes that it took."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from fsseg.freshsales import pacer
from fsseg.freshsales.clock import SystemClock
from fsseg.sandbox import Fault
from tests.between.gate import gate
from tests.between.refusing import coded, mend, refusing
from tests.between.runs import Events, done, planned, stopped
from tests.e2e.events import identify, track
from tests.e2e.harness import Machine
from tests.faults.clock import SPEED
from tests.faults.process import Ended

KIM = "kim@x.example"
DAY = 86_400.0


def events(entries: int = 2) -> Events:
    people = [identify(KIM, lastName="Vos"), identify("7", email="sam@x.example", lastName="Os")]
    return [*people, *(track(KIM, "Did") for _ in range(entries))]


def told(ended: Ended) -> int:
    return int(ended.summary["requests"]["total"])


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("at", ["GET .*/lookup", "(POST|PUT) .*/(leads|contacts)", "POST .*/sales_activities"])
def test_after_a_kill_and_a_resumption_the_requests_of_both_processes_count(machine: Machine, at: str) -> None:
    """But for the one whose answer never came, perhaps."""
    with gate(machine) as door:
        path = machine.write("e.jsonl", events())
        door.kill(door.start(f"^{at}", "import", path))
        ended = done(machine, "resume", "--json")
    assert machine.account.requests - 1 <= told(ended) <= machine.account.requests


def test_after_a_stop_a_resumption_and_a_retry_all_requests_count(machine: Machine) -> None:
    refusing(machine.account, "A")
    run = stopped(machine, coded("p", "B", "C", "A"), 1)
    total = told(done(machine, "report", run, "--json"))
    for command, code in (("resume", 1), ("retry", 0)):
        before = machine.account.requests
        ended = done(machine, command, "--json", code=code)
        total += machine.account.requests - before
        assert told(ended) == total
        if code:
            mend(machine.account, "A")


def test_an_apply_counts_its_own_requests(machine: Machine) -> None:
    run = planned(machine, events())
    machine.account.forget()
    ended = done(machine, "apply", run, "--json")
    assert told(ended) == machine.account.requests
    assert ended.summary["requests"]["write"] == machine.account.writes


@pytest.mark.usefixtures("fast")
def test_nobody_waits_longer_than_the_run_takes(machine: Machine) -> None:
    """Four workers, each of whom waits for what became of what it sent."""
    machine.account.faults(Fault("drop_after", method="POST", path="/sales_activities", limit=6))
    began = time.monotonic()
    done(machine, "import", machine.write("e.jsonl", events(entries=8)), "--max-requests", "15", code=5)
    ended = done(machine, "resume", "--json")
    took = (time.monotonic() - began) * SPEED
    assert 0 < ended.summary["requests"]["waited_s"] <= took
    assert len(machine.account.timeline(KIM)) == 8


@pytest.fixture
def windows(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many requests there were by the end of each window of the quota; whoever waits for the next is in it at once."""
    spent: list[int] = []

    class NextWindow(SystemClock):
        def time(self) -> float:
            return super().time() + len(spent) * DAY

        def wall(self) -> float:
            return super().wall() + len(spent) * DAY

        def sleep(self, seconds: float) -> None:
            spent.append(machine.account.requests)
            machine.account.configure(window=DAY + len(spent))  # another window begins to count anew

    monkeypatch.setattr(pacer, "SystemClock", NextWindow)
    return spent


def test_where_only_the_reserve_is_left_the_next_window_is_waited_for(machine: Machine, windows: list[int]) -> None:
    machine.account.configure(quota=10, window=DAY)
    ended = done(machine, "import", machine.write("e.jsonl", events()), "--reserve", "50%", "--json")
    assert ended.outcomes == {"applied": 4}
    assert windows
    assert [spent - before for before, spent in pairwise([0, *windows])] == [5] * len(windows)
    assert ended.summary["requests"]["waited_s"] > 0
    assert ended.summary["requests"]["rate_limited"] == 0
