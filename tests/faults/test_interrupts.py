"""Somebody, or something, ends the run before it is done."""

from __future__ import annotations

import os
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
from tests.e2e.harness import Account, Machine
from tests.faults.conftest import State
from tests.faults.process import Ended, finish, here, run, start, when
from tests.faults.story import before, difference, mixed
from tests.forked import MEASURED

SLOW_ENTRIES = Fault("slow", path="/sales_activities", seconds=0.2)
"""Lets that take longer than it does to see how far it has come."""


@pytest.fixture
def path(classic: Machine) -> str:
    before(classic.account)
    return classic.write("events.jsonl", mixed())


def resumed(machine: Machine, ends: dict[str, State]) -> None:
    """What was left is done by one `fsseg resume`, and nothing twice."""
    done = here(machine, "resume", "--json")
    assert (done.code, done.outcomes) == (0, {"applied": 33}), done.err
    assert not difference(machine.account.state(), ends[machine.account.edition])


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


def answered(account: Account) -> bool:
    """Whether every request has been answered, or its connection been found closed."""
    stats = account.sandbox.stats()
    return bool(sum(stats["statuses"].values()) == stats["total"])


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


@pytest.mark.parametrize("blocks", [16, 100, 400, 700, 900])
def test_a_full_disk_is_told_and_once_there_is_room_the_run_goes_on(
    classic: Machine, path: str, ends: dict[str, State], blocks: int
) -> None:
    """`ulimit -f` lets no file grow beyond so many blocks of 512 bytes."""
    done = limited(classic, blocks, "import", path)
    assert done.code in (0, 5), done.err
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


def killed_at_the_first_lead(machine: Machine, events: list[dict[str, Any]]) -> None:
    """Import them, and kill that while the first requests that make somebody are answered."""
    machine.account.faults(Fault("slow", method="POST", path="/leads$", seconds=0.5))
    process = start(machine, "import", machine.write("e.jsonl", events))
    while "POST /api/leads" not in machine.account.sandbox.stats()["requests"]:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.communicate()


@pytest.mark.usefixtures("fast")
def test_nobody_is_made_twice_where_a_killed_run_left_creates_under_way(classic: Machine) -> None:
    account, events = classic.account, mixed()[5:8]
    killed_at_the_first_lead(classic, events)
    assert here(classic, "resume").code == 0
    assert sorted(row["email"] for row in account.records()["leads"]) == [f"db{n}@x.example" for n in range(3)]


SEES_CHILDREN = pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="there is no other way to see children of a process"
)


@SEES_CHILDREN
def test_a_process_that_reads_along_and_is_killed_stops_the_run_and_it_goes_on(
    classic: Machine, path: str, ends: dict[str, State]
) -> None:
    process = start(classic, "import", "--jobs", "2", path)
    readers: list[str] = []
    while not readers:
        assert process.poll() is None
        readers = [
            child for child in children(process) if b"tracker" not in Path("/proc", child, "cmdline").read_bytes()
        ]
    os.kill(int(readers[0]), signal.SIGKILL)
    done = finish(process)
    assert done.code == 5
    assert "ended from outside" in done.err
    assert "fsseg resume" in done.err
    resumed(classic, ends)


@SEES_CHILDREN
def test_processes_that_read_along_end_with_the_one_that_was_killed(classic: Machine) -> None:
    events = ({**mixed()[0], "messageId": str(number)} for number in range(40_000))
    process = start(classic, "dry-run", "--jobs", "2", classic.write("e.jsonl", events))
    found: list[str] = []
    while len(found) < 2:
        assert process.poll() is None
        found = children(process)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 20
    while any(map(_alive, found)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (folder,) = classic.state.glob("*/runs/*")
    assert [path for path in folder.iterdir() if path.is_dir()]
    assert here(classic, "resume").code == 0
    assert [path for path in folder.iterdir() if path.is_dir()] == []


def children(process: subprocess.Popen[bytes]) -> list[str]:
    """The ids of the processes that it has started."""
    return Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()


def _alive(pid: str) -> bool:
    stat = Path("/proc", pid, "stat")
    return stat.exists() and ") Z " not in stat.read_text()


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
    while not answered(classic.account):
        time.sleep(0.01)
    assert here(classic, "import", path).code == 0
    assert not difference(classic.account.state(), ends["classic"])


def killed_at_the_deals(machine: Machine, events: list[dict[str, Any]]) -> None:
    """Import them, and kill that while the bulk job that makes deals is taken, of which it never hears again."""
    account = machine.account
    account.faults(Fault("slow", method="POST", path="deals", seconds=0.5))
    process = start(machine, "import", machine.write("deals.jsonl", events))
    while not account.sandbox.stats()["faults"]:
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.communicate()
    account.faults()
    while not answered(account) or not account.records()["deals"]:
        time.sleep(0.01)


def with_deals(count: int) -> list[dict[str, Any]]:
    return [
        {"type": "identify", "userId": f"p{n}@x.example", "messageId": f"m{n}", "traits": {
            "lastName": "P", "fsContact": True,
            "deal": {"name": f"Deal {n}", "amount": 7, "expected_close": "2025-01-01"}}}
        for n in range(count)
    ]  # fmt: skip


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("links", ["lose", "keep"])
@pytest.mark.parametrize("count", [6, 12])
def test_deals_that_a_killed_run_has_made_are_known_to_the_same_import_after_another(
    machine: Machine, links: str, count: int
) -> None:
    """They may belong to nobody yet, and their account was told by other calls, which were delivered."""
    machine.account.configure(deal_links_in_bulk=links)
    firms = [
        {**event, "messageId": f"f{n}", "traits": {"fsContact": True, "company": f"Firm {n}"}}
        for n, event in enumerate(with_deals(count))
    ]
    killed_at_the_deals(machine, [*firms, *with_deals(count)])
    assert here(machine, "import", machine.write("other.jsonl", mixed()[:1])).code == 0
    assert here(machine, "import", str(machine.home / "deals.jsonl")).code == 0
    deals = machine.account.records()["deals"]
    assert sorted(row["name"] for row in deals) == sorted(f"Deal {n}" for n in range(count))
    assert all(row["contact_ids"] for row in deals)


@pytest.mark.usefixtures("fast")
def test_an_undo_finds_the_deals_that_a_killed_run_had_sent(machine: Machine) -> None:
    account = machine.account
    killed_at_the_deals(machine, with_deals(6))
    done = here(machine, "undo", "--yes", "--delete-created")
    assert done.code == 0, done.out + done.err
    assert not any(account.records().values())
    assert here(machine, "import", str(machine.home / "deals.jsonl")).code == 0
    assert len(account.records()["deals"]) == 6


@pytest.mark.usefixtures("fast")
def test_who_a_killed_run_has_made_is_known_to_the_import_after_it(classic: Machine) -> None:
    """By a database id, which nothing in Freshsales tells; the answer was never heard."""
    account, events = classic.account, mixed()[5:8]
    killed_at_the_first_lead(classic, events)
    account.faults()
    while not answered(account):
        time.sleep(0.01)
    assert here(classic, "import", classic.write("other.jsonl", [*events, *mixed()[:2]])).code == 0
    assert sorted(row["email"] for row in account.records()["leads"] if "db" in row["email"]) == [
        f"db{n}@x.example" for n in range(3)
    ]


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(("user", "method"), [("known-contact@x.example", "PUT"), ("new@x.example", "POST")])
def test_an_undo_takes_back_what_a_killed_run_had_only_sent(machine: Machine, user: str, method: str) -> None:
    """None of its answers was written down, so nothing counts as written."""
    account = machine.account
    before(account)
    untouched = account.state()
    account.faults(Fault("slow", method=method, path="/contacts/(upsert|[0-9])", seconds=0.5))
    event = {**mixed()[0], "userId": user, "traits": {"title": "Head of things", "fsContact": True}}
    process = start(machine, "import", machine.write("e.jsonl", [event]))
    while not account.sandbox.stats()["faults"]:
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.communicate()
    account.faults()
    while not answered(account):
        time.sleep(0.01)
    assert difference(account.state(), untouched)
    done = here(machine, "undo", "--yes", "--delete-created")
    assert done.code == 0, done.err
    assert not difference(account.state(), untouched)
