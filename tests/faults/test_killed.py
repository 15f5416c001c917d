"""What a killed run had sent is known to whatever follows it: the same import, another one, or an undo."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from fsseg.sandbox import Fault
from tests.e2e.harness import Machine
from tests.faults.conftest import State, resumed
from tests.faults.process import await_answers, finish, here, kill_once, start
from tests.faults.story import before, difference, mixed


def killed_at_the_first_lead(machine: Machine, events: list[dict[str, Any]]) -> None:
    """Import them, and kill that while the first requests that make somebody are answered."""
    machine.account.faults(Fault("slow", method="POST", path="/leads$", seconds=0.5))
    process = start(machine, "import", machine.write("e.jsonl", events))
    kill_once(process, lambda: "POST /api/leads" in machine.account.sandbox.stats()["requests"])


@pytest.mark.usefixtures("fast")
def test_nobody_is_made_twice_where_a_killed_run_left_creates_under_way(classic: Machine) -> None:
    account, events = classic.account, mixed()[5:8]
    killed_at_the_first_lead(classic, events)
    assert here(classic, "resume").code == 0
    assert sorted(row["email"] for row in account.records()["leads"]) == [f"db{n}@x.example" for n in range(3)]


def killed_at_the_deals(machine: Machine, events: list[dict[str, Any]]) -> None:
    """Import them, and kill that while the bulk job that makes deals is taken, of which it never hears again."""
    account = machine.account
    account.faults(Fault("slow", method="POST", path="deals", seconds=0.5))
    process = start(machine, "import", machine.write("deals.jsonl", events))
    kill_once(process, lambda: account.sandbox.stats()["faults"])
    account.faults()
    await_answers(account)
    while not account.records()["deals"]:
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
    await_answers(account)
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
    kill_once(process, lambda: account.sandbox.stats()["faults"])
    account.faults()
    await_answers(account)
    assert difference(account.state(), untouched)
    done = here(machine, "undo", "--yes", "--delete-created")
    assert done.code == 0, done.err
    assert not difference(account.state(), untouched)


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
@pytest.mark.parametrize("command", ["import", "dry-run"])
def test_a_process_that_is_killed_while_freshsales_is_asked_costs_nothing(
    classic: Machine, path: str, ends: dict[str, State], command: str
) -> None:
    """All is read by then, so one process can do what is left."""
    account = classic.account
    account.faults(Fault("slow", path="/filters$|/view/|/filtered_search|/lookup", seconds=0.5))
    process = start(classic, command, "--jobs", "2", path)
    while not account.sandbox.stats()["faults"]:
        assert process.poll() is None
    helpers = children(process)
    assert len(helpers) >= 2
    for helper in helpers:
        os.kill(int(helper), signal.SIGKILL)
    account.faults()
    done = finish(process)
    assert (done.code, "Traceback" in done.err) == (0, False), done.err
    (folder,) = classic.state.glob("*/runs/*")
    changes = [orjson.loads(line)["entity"] for line in (folder / "changes.jsonl").read_bytes().splitlines()]
    summary = orjson.loads((folder / "summary.json").read_bytes())
    assert Counter(changes) == {kind: sum(counts.values()) for kind, counts in summary["records"].items() if counts}
    if command == "import":
        assert not difference(account.state(), ends["classic"])


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
