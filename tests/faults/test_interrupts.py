"""Somebody, or something, ends the run before it is done."""

from __future__ import annotations

import errno
import re
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fsseg import pipeline
from fsseg.sandbox import Fault
from fsseg.state.outcomes import Totals, count_outcomes
from tests.between_runs.runs import runs
from tests.between_runs.terminal import on_terminal
from tests.e2e.harness import Machine
from tests.faults.conftest import State, resumed
from tests.faults.process import Ended, answered, await_answers, finish, here, run, start, when
from tests.faults.story import before, difference, mixed
from tests.forked import MEASURED

SLOW_ENTRIES = Fault("slow", path="/sales_activities", seconds=0.2)
"""Lets that take longer than it does to see how far it has come."""


def at_the_timeline(machine: Machine, process: subprocess.Popen[bytes]) -> bool:
    """Wait until a few entries were asked for; False if the process ended before."""
    before = machine.account.sandbox.stats()["requests"].get("POST /api/sales_activities", 0)
    while process.poll() is None:
        if machine.account.sandbox.stats()["requests"].get("POST /api/sales_activities", 0) > before + 3:
            return True
        time.sleep(0.005)
    return False


def under_way(machine: Machine) -> int:
    """How many rows of the newest run are neither planned nor settled."""
    (plan,) = machine.state.glob("*/runs/*/plan.db")
    with closing(sqlite3.connect(plan)) as db:
        counts = [db.execute(f"SELECT count(*) FROM {table} WHERE status = 'sent'") for table in ("record", "entry")]
        return sum(int(count.fetchone()[0]) for count in counts)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_settles_what_is_under_way_and_says_how_to_go_on(
    classic: Machine, path: str, ends: dict[str, State], number: signal.Signals
) -> None:
    classic.account.faults(SLOW_ENTRIES)
    process = start(classic, "import", path)
    assert at_the_timeline(classic, process)
    process.send_signal(number)
    done = finish(process)
    assert done.code == 130
    assert "fsseg resume" in done.err
    assert under_way(classic) == 0, done.err
    resumed(classic, ends)


def test_a_window_that_is_shut_lets_what_is_under_way_finish_and_the_run_is_reported(
    classic: Machine, path: str, ends: dict[str, State]
) -> None:
    """So that nothing is in doubt when it is gone on with; the laptop's lid and a lost connection end it so, too."""
    classic.account.faults(SLOW_ENTRIES)
    with on_terminal(classic, "import", path, "--yes") as terminal:
        assert at_the_timeline(classic, terminal.process)
        terminal.process.send_signal(signal.SIGHUP)
        terminal.close()
        assert terminal.process.returncode == 130
    assert under_way(classic) == 0
    (run,) = runs(classic)
    assert (run["state"], run["exit_code"]) == ("stopped", 130)
    resumed(classic, ends)


def test_under_nohup_a_window_that_is_shut_ends_nothing(classic: Machine, path: str) -> None:
    classic.account.faults(SLOW_ENTRIES)
    process = start(classic, "import", path, prefix=["nohup"])
    assert at_the_timeline(classic, process)
    process.send_signal(signal.SIGHUP)
    assert finish(process).code == 0


def test_sigusr1_asks_how_far_a_run_is_and_changes_nothing(classic: Machine, path: str) -> None:
    classic.account.faults(SLOW_ENTRIES)
    process = start(classic, "import", path)
    assert at_the_timeline(classic, process)
    process.send_signal(signal.SIGUSR1)
    done = finish(process)
    assert done.code == 0
    assert re.search(r"^(Deals|Timeline): \d+/\d+ ", done.err, re.MULTILINE), done.err


def test_two_signals_end_a_run_that_waits_for_its_input(classic: Machine) -> None:
    """Standard input gives no end, so the run can't have come further."""
    before(classic.account)
    process = start(classic, "import", classic.write("events.jsonl", mixed()), "-", stdin=subprocess.PIPE)
    assert process.stdin is not None
    while not list(classic.state.glob("*/runs/*/*stdin*")):
        assert process.poll() is None
        time.sleep(0.005)
    interrupt_twice(process)
    done = finish(process)
    assert done.code == 130
    assert classic.account.writes == 0


def interrupt_twice(process: subprocess.Popen[bytes]) -> None:
    """By two signals, as two of a kind that come too close are one."""
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)


def test_the_second_signal_ends_at_once_and_the_run_is_resumable(
    classic: Machine, path: str, ends: dict[str, State]
) -> None:
    account = classic.account
    account.faults(Fault("slow", method="POST", path="/sales_activities", seconds=4.0, limit=1))
    process = start(classic, "import", path)
    while not account.sandbox.stats()["faults"]:
        assert process.poll() is None
        time.sleep(0.01)
    interrupt_twice(process)
    done = finish(process)
    assert not answered(account)
    assert done.code == 130
    assert "fsseg resume" in done.err
    assert under_way(classic) > 0
    resumed(classic, ends)


@pytest.mark.parametrize(("signals", "code"), [(1, 0), (2, 130)])
def test_signals_while_the_run_is_accounted_for_end_it_no_earlier_than_the_second(
    classic: Machine, path: str, ends: dict[str, State], monkeypatch: pytest.MonkeyPatch, signals: int, code: int
) -> None:
    def interrupted(*args: Any, **more: Any) -> Totals:
        for _ in range(signals):
            signal.raise_signal(signal.SIGINT)
        return count_outcomes(*args, **more)

    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "count_outcomes", interrupted)
        done = here(classic, "import", path)
    assert done.code == code, done.err
    assert ("fsseg resume" in done.err) == bool(code)
    if code:
        resumed(classic, ends)


def test_a_host_that_goes_down_stops_the_run_and_once_it_is_back_the_run_goes_on(
    classic: Machine, path: str, ends: dict[str, State]
) -> None:
    server = classic.account.sandbox
    server.faults(SLOW_ENTRIES)
    process = start(classic, "import", path, "--json", fast=True)
    assert at_the_timeline(classic, process)
    server.kill()  # type: ignore[attr-defined]
    done = finish(process)
    server.start()  # type: ignore[attr-defined]
    assert done.code == 5
    assert "fsseg resume" in done.err
    assert done.outcomes["pending"] > 0
    assert done.outcomes.get("failed", 0) <= 1
    resumed(classic, ends)


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("blocks", [16, 100, 400, 700, 900])
def test_a_full_disk_is_told_and_once_there_is_room_the_run_goes_on(
    classic: Machine, path: str, ends: dict[str, State], blocks: int, jobs: str
) -> None:
    """`ulimit -f` lets no file grow beyond so many blocks of 512 bytes."""
    done = limited(classic, blocks, "import", path, "--jobs", jobs)
    assert done.code in (0, 5), done.err
    assert not done.code or "error: the state folder" in done.err
    assert ("fsseg resume" in done.err) == bool(done.code and list(classic.state.glob("*/runs/*/run.json")))
    assert limited(classic, blocks, "resume").code in (0, 5)
    if "nothing to resume" in here(classic, "resume").err:  # the run had not even begun
        assert here(classic, "import", path).code == 0
    assert not difference(classic.account.state(), ends["classic"])


def limited(machine: Machine, blocks: int, *args: str) -> Ended:
    machine.environment[MEASURED] = None  # there is no room to note its lines either
    machine.environment["PYTHONDONTWRITEBYTECODE"] = "1"  # nor for compiled modules, which all that follows would read
    shell = ["sh", "-c", 'ulimit -f "$0"; exec "$@"', str(blocks)]
    return run(machine, *args, prefix=shell)


@pytest.mark.usefixtures("fast")
def test_a_run_that_was_stopped_by_its_own_limit_goes_on_with_another(
    classic: Machine, path: str, ends: dict[str, State]
) -> None:
    done = here(classic, "import", path, "--json", "--max-requests", "30")
    assert (done.code, done.summary["requests"]["total"]) == (5, 30)
    assert Path(done.summary["run_dir"], "summary.json").exists()
    resumed(classic, ends)


@pytest.mark.usefixtures("fast")
def test_a_run_that_the_quota_would_keep_too_long_goes_on_later(
    classic: Machine, path: str, ends: dict[str, State]
) -> None:
    classic.account.configure(quota=40, window=1e7, retry_after="seconds")
    done = here(classic, "import", path, "--json", "--max-time", "50m")
    assert done.code == 5
    assert "the time is up" in done.err
    assert "fsseg resume" in done.err
    classic.account.configure(quota=1_000_000)
    resumed(classic, ends)


def test_what_was_delivered_before_a_second_signal_is_known_to_the_next_import(
    classic: Machine, path: str, ends: dict[str, State]
) -> None:
    """Not only to `resume`: the same file again makes nobody twice."""
    process = start(classic, "import", path)
    at_the_timeline(classic, process)
    classic.account.faults(Fault("slow", method="POST", path="/sales_activities", seconds=4.0, limit=1))
    when(classic, process, 3)
    interrupt_twice(process)
    finish(process)
    classic.account.faults()
    await_answers(classic.account)
    assert here(classic, "import", path).code == 0
    assert not difference(classic.account.state(), ends["classic"])


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_offline_dry_run_that_stopped_as_it_wrote_its_report_goes_on(
    classic: Machine, monkeypatch: pytest.MonkeyPatch, jobs: str
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    path = classic.write("events.jsonl", mixed())
    with monkeypatch.context() as spoilt:
        spoilt.setattr(pipeline, "count_outcomes", full)
        stopped = here(classic, "dry-run", path, "--offline", "--jobs", jobs)
    assert stopped.code == 5 and "fsseg resume" in stopped.err, stopped.err
    done = here(classic, "resume", "--json")
    again = here(classic, "dry-run", path, "--offline", "--json")
    assert done.code == again.code, done.err
    assert done.summary["events"] == again.summary["events"]
    assert done.summary["records"] == again.summary["records"]
