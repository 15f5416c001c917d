"""What lies in the state folder: private, never damaged by us, and without a secret."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fsseg import pipeline
from fsseg.sandbox import Fault
from fsseg.state.ledger import Ledger
from fsseg.state.plan_store import Store
from fsseg.state.run_folder import Run, RunState
from tests.e2e.harness import Machine
from tests.faults.process import finish, here, run, start, when
from tests.faults.server import TOKEN
from tests.faults.story import before, mixed

Spoil = Callable[[Path], None]

APPLICATION_TOKEN = "the-application-token-that-nobody-may-see-55"


def imported(machine: Machine) -> Path:
    """The folder of a run that was imported."""
    before(machine.account)
    done = here(machine, "import", machine.write("events.jsonl", mixed()), "--json")
    assert done.code == 0, done.err
    return Path(done.summary["run_dir"])


def ledger(machine: Machine) -> Path:
    (found,) = machine.state.glob("*/ledger.db")
    return found


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")


def older(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 1")


def overwritten(path: Path) -> None:
    path.write_bytes(b"this is no database" * 1000)


def damaged_inside(path: Path) -> None:
    """All pages but the first, so that it opens."""
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xaa" * (len(data) - 4096))


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


SPOILT = pytest.mark.parametrize("spoil", [newer, overwritten, damaged_inside, cut_off])


@pytest.mark.parametrize("spoil", [newer, older, overwritten, damaged_inside, cut_off])
def test_a_spoilt_ledger_is_refused_and_left_as_it_is(classic: Machine, spoil: Spoil) -> None:
    imported(classic)
    path = ledger(classic)
    spoil(path)
    data = path.read_bytes()
    classic.account.forget()
    done = here(classic, "import", classic.write("more.jsonl", mixed()))
    assert done.code == 2, done.err
    assert (spoil.__name__ if spoil in (newer, older) else "damaged") in done.err
    assert path.read_bytes() == data
    assert classic.account.writes == 0


@pytest.mark.parametrize("spoil", [newer, overwritten, damaged_inside, cut_off])
def test_a_spoilt_copy_of_the_account_is_told_and_made_anew(classic: Machine, spoil: Spoil) -> None:
    """There are enough people to ask for that they are copied."""
    imported(classic)
    people = [{"type": "identify", "userId": f"p{n}@x.example", "traits": {"title": "CEO"}} for n in range(60)]
    assert here(classic, "import", classic.write("people.jsonl", people)).code == 0
    (path,) = classic.state.glob("*/mirror.db")
    for command in ("import", "dry-run", "undo --yes"):
        spoil(path)
        args = [] if command.startswith("undo") else [classic.write("more.jsonl", people), "--again"]
        done = here(classic, *command.split(), *args)
        assert done.code == 0, done.err
        (line,) = [line for line in done.err.splitlines() if "mirror.db" in line]
        assert "made anew" in line
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)


@SPOILT
def test_a_spoilt_plan_is_refused_and_left_as_it_is(classic: Machine, spoil: Spoil) -> None:
    folder = imported(classic)
    path = folder / "plan.db"
    Run(folder).note(state=RunState.STOPPED)
    spoil(path)
    data = path.read_bytes()
    classic.account.forget()
    for command in ("resume", "retry", "undo --yes", "apply", "report", "runs show"):
        done = here(classic, *command.split(), folder.name)
        assert done.code == 2 or command in ("report", "runs show"), done.err
    assert here(classic, "runs", "list").code == 0
    assert path.read_bytes() == data
    assert classic.account.writes == 0


def test_of_two_runs_of_an_account_the_second_is_turned_away_and_told_of_the_first(classic: Machine) -> None:
    before(classic.account)
    path = classic.write("events.jsonl", mixed())
    process = start(classic, "import", path)
    assert when(classic, process, 3)
    process.send_signal(signal.SIGSTOP)
    (folder,) = classic.state.glob("*/runs/*")
    for command in (["import", path], ["dry-run", path], ["resume"]):
        second = run(classic, *command)
        assert second.code == 7, second.err
        assert folder.name in second.err
        assert str(process.pid) in second.err
    process.send_signal(signal.SIGCONT)
    assert finish(process).code == 0


def test_what_is_written_down_is_on_the_disk_before_the_request_leaves(classic: Machine) -> None:
    """A power failure takes what no `fsync` has seen: SQLite calls it at each commit only if it is told to."""
    run = imported(classic)
    with closing(Store(run / "plan.db")) as store, closing(Ledger(ledger(classic))) as known:
        for db in (store.db, known.db):
            assert db.execute("PRAGMA synchronous").fetchone() == (2,)
            assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_planning_does_not_wait_for_the_disk_and_what_leaves_does(
    classic: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int]] = []

    def watched(name: str) -> None:
        original: Callable[..., object] = getattr(pipeline, name)

        def look(work: Any, *more: Any) -> object:
            seen.append((name, work.store.db.execute("PRAGMA synchronous").fetchone()[0]))
            return original(work, *more)

        monkeypatch.setattr(pipeline, name, look)

    for name in ("match_people", "decide", "push"):
        watched(name)
    imported(classic)
    assert here(classic, "undo", "--yes").code == 0
    normal, full = 1, 2
    assert seen == [("match_people", normal), ("decide", normal), ("push", full), ("push", full)]


def test_the_lock_of_a_killed_run_holds_nobody_up(classic: Machine) -> None:
    before(classic.account, faults=[Fault("slow", seconds=0.05)])
    process = start(classic, "import", classic.write("events.jsonl", mixed()))
    assert when(classic, process, 10)
    process.kill()
    process.communicate()
    assert here(classic, "resume").code == 0


@pytest.mark.parametrize("killed", [False, True])
def test_all_files_are_their_owners_alone(classic: Machine, killed: bool) -> None:
    before(classic.account, faults=[Fault("slow", path="/sales_activities", seconds=0.2)] if killed else [])
    events = [*mixed(), {"type": "identify", "userId": "x"}]
    process = start(
        classic, "import", classic.write("events.jsonl", events), prefix=["sh", "-c", 'umask 0; exec "$0" "$@"']
    )
    if killed:
        assert when(classic, process, 45)
        process.kill()
        process.communicate()
    else:
        assert finish(process).code == 1
    seen = set()
    for path in (classic.state, *classic.state.rglob("*")):
        seen.add(path.name)
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert (
        {"plan.db-wal", "ledger.db"} if killed else {"failures.csv", "report.html", "ledger.db", "fields.json"} <= seen
    )


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_the_token_is_nowhere_however_loud_and_whatever_goes_wrong(machine: Machine) -> None:
    """Both are used: the one in a header, the other in the bodies of tracked events."""
    before(machine.account)
    machine.environment["FSSEG_APPLICATION_TOKEN"] = APPLICATION_TOKEN
    path = machine.write("events.jsonl", [*mixed(), {"type": "identify", "userId": "x"}])
    tracking = ("--config", machine.write("tracking.toml", '[timeline]\nvia = "tracking"\n'))
    kinds = ("error", "error_after", "drop_after", "garbage", "wrapped_429")
    machine.account.faults(*(Fault(kind, 0.1) for kind in kinds))
    spoken = ""
    for args in (("import", path, *tracking), ("retry",), ("undo", "--yes")):
        done = run(machine, *args, "--verbose", fast=True)
        spoken += done.out + done.err
    assert "POST /api/" in spoken
    assert "POST /track/" in spoken
    machine.account.configure(refuse_token=True)
    done = run(machine, "import", path, "--verbose")
    assert done.code == 3
    spoken += done.out + done.err
    for token in (TOKEN, APPLICATION_TOKEN):
        assert token not in spoken
        assert token.encode() not in bytes_of(machine.home)


def test_a_token_file_is_not_copied(classic: Machine) -> None:
    before(classic.account)
    classic.environment["FSSEG_API_TOKEN"] = None
    path = Path(classic.write("token", TOKEN))
    os.chmod(path, 0o600)
    done = run(classic, "import", classic.write("e.jsonl", mixed()), "--api-token-file", str(path), "--verbose")
    assert done.code == 0, done.err
    assert TOKEN not in done.out + done.err
    assert TOKEN.encode() not in bytes_of(classic.state)
