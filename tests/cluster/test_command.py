"""`--cluster` for whoever types it: the same end as without, and what can't be is told before anything starts."""

from __future__ import annotations

import gzip
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fsseg import cluster as connection
from fsseg import pipeline
from fsseg.cli import session
from fsseg.cluster import Cluster
from fsseg.freshsales.errors import Halted, Interrupted
from fsseg.match.matching import Matching
from fsseg.match.people import match_people
from fsseg.settings import ConfigError
from tests.cluster.inline import InlineCluster
from tests.e2e.harness import Machine, Result
from tests.e2e.test_containers import FORTY
from tests.faults.process import finish, start
from tests.fold.test_engines import mixed as lines
from tests.store import Store

TABLES = ("record", "folded", "entry", "reject", "fragment", "input")


def plan(result: Result) -> dict[str, list[Any]]:
    """All that was planned."""
    assert result.folder is not None, result.err
    with closing(sqlite3.connect(result.folder / "plan.db")) as db:
        return {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}


@pytest.mark.parametrize("count", [1, 3])
def test_any_number_of_processes_of_this_machine_plan_the_same(classic: Machine, count: int) -> None:
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    path = classic.write("e.jsonl", b"\n".join(lines(1, 2_000)))
    flags = "--offline", "--with", "group", "--stitch-anonymous", path
    one = classic.dry_runs(*flags)
    spread = classic.spawn("dry-run", "--cluster", f"local:{count}", *flags)
    assert (spread.code, spread.outcomes, spread.reasons, spread.warnings) == (
        one.code, one.outcomes, one.reasons, one.warnings,
    )  # fmt: skip
    assert plan(spread) == plan(one)
    assert [path for path in classic.state.glob("*/runs/*/*") if path.is_dir()] == []


def test_an_import_ends_in_the_same_account_and_a_second_one_does_nothing(
    classic: Machine, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [*FORTY, *FORTY[:7]]
    classic.imports(events=events)
    expected = classic.account.state()
    classic.account.empty()
    other = Machine(classic.account, classic.home / "other")
    other.home.mkdir()
    path = other.write("e.jsonl", events)
    done = other.spawn("import", "--cluster", address, "e.jsonl")
    assert (done.code, done.outcomes) == (0, {"applied": 40, "skipped": 7}), done.err
    assert classic.account.state() == expected
    monkeypatch.setattr(session, "Cluster", lambda *given: InlineCluster(1, 2))
    again = other.imports(path, config=f'[cluster]\naddress = "{address}"\n')
    assert again.outcomes == {"skipped": 47}


def test_the_cluster_is_let_go_before_anything_is_matched(classic: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    inline = InlineCluster(1, 2)
    monkeypatch.setattr(session, "Cluster", lambda *given: inline)
    closed: list[bool] = []

    def match(matching: Matching) -> None:
        closed.append(inline.closed)
        match_people(matching)

    monkeypatch.setattr(pipeline, "match_people", match)
    assert classic.imports("--cluster", "tcp://127.0.0.1:1", events=FORTY).outcomes == {"applied": 40}
    assert closed == [True]


def test_six_hundred_objects_are_fetched_by_the_workers(classic: Machine, address: str, store: Store) -> None:
    content = lines(4, 3_000)
    for number in range(600):
        store.put(f"logs/{number:03d}.gz", gzip.compress(b"\n".join(content[number::600])))
    flags = "--offline", "--endpoint", store.endpoint, f"s3://{store.bucket}/logs/"
    one = classic.dry_runs(*flags)
    spread = classic.spawn("dry-run", "--cluster", address, *flags)
    assert plan(spread) == plan(one)
    assert len(plan(spread)["input"]) == 600


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--limit", "3"], "--limit"),
        (["-"], "standard input"),
        (["--cluster", "scheduler"], "tcp://scheduler:8786"),
        (["--cluster", "local:0"], "tcp://scheduler:8786"),
    ],
)
def test_what_cannot_be_is_told_before_anything_starts(classic: Machine, flags: list[str], told: str) -> None:
    result = classic.run("dry-run", "--cluster", "tcp://127.0.0.1:1", *flags, events=FORTY)
    assert (result.code, result.folder) == (2, None)
    assert told in result.err


def test_files_that_the_workers_do_not_have_are_told(
    classic: Machine, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = classic.write("e.jsonl", FORTY)
    monkeypatch.setattr(connection, "absolute", lambda path: f"/elsewhere{path}")
    with pytest.raises(ConfigError, match="isn't there for the worker tcp://"):
        Cluster(address, [path], tmp_path)


def test_where_nobody_answers_the_run_stops_and_can_be_resumed_elsewhere(
    classic: Machine, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PATIENCE", 0.5)
    stopped = classic.dry_runs("--offline", "--cluster", "tcp://127.0.0.1:1", events=FORTY)
    assert stopped.code == 5
    assert "no scheduler answers at tcp://127.0.0.1:1" in stopped.err
    classic.environment["FSSEG_API_TOKEN"] = None  # what was begun offline needs none later either
    assert classic.spawn("resume", "--cluster", address).code == 0


def test_who_waits_for_a_scheduler_is_told_and_may_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    monkeypatch.setattr(connection, "_KNOCK", 0.1)
    said: list[str] = []
    with pytest.raises(Interrupted):
        Cluster("tcp://127.0.0.1:1", [], tmp_path, stop, said.append)
    assert said == ["waiting for the scheduler at tcp://127.0.0.1:1"]


def test_who_waits_for_a_worker_is_told_and_may_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    said: list[str] = []
    late = [0]
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + sum(late), sleep=time.sleep)
    with scheduler(tmp_path, workers=0) as (own, process):
        with pytest.raises(Interrupted):
            Cluster(own, [], tmp_path, stop, said.append)
        monkeypatch.setattr(connection, "time", clock)
        with pytest.raises(Halted, match="no worker has come to the scheduler"):
            Cluster(own, [], tmp_path, lambda count: late.append(1_000))
        os.killpg(process.pid, signal.SIGKILL)
    assert said == [f"waiting for a worker to come to the scheduler at {own}"]


def test_who_waits_for_processes_of_this_machine_may_stop(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    with pytest.raises(Interrupted):
        Cluster("local:1", [], tmp_path, stop)
    assert list(tmp_path.iterdir()) == []


def stop(count: int) -> None:
    """Somebody wants to stop."""
    raise Interrupted("interrupted")


def test_a_cluster_with_certificates_takes_some(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    with pytest.raises(ConfigError, match="takes certificates") as caught:
        Cluster("tls://127.0.0.1:1", [], tmp_path)
    assert "DASK_DISTRIBUTED__COMM__TLS__CA_FILE" in caught.value.__notes__[0]


@pytest.mark.parametrize("name", ["Python", "fsseg", "dask"])
def test_versions_that_differ_are_told_with_both_numbers(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    ours: list[str] = []
    real = connection._versions

    def older(told: dict[str, Any]) -> dict[str, str | None]:
        found = real(told)
        if not ours:  # this machine is looked at first
            ours.append(str(found[name]))
            return found
        return {**found, name: "0.0.7"}

    monkeypatch.setattr(connection, "_versions", older)
    with pytest.raises(ConfigError, match=rf"has {name} 0\.0\.7, this machine {name} [0-9]") as caught:
        Cluster(address, [], tmp_path)
    assert ours[0] in str(caught.value)


def test_a_missing_extra_is_told_with_what_to_install(classic: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("dask", "dask.dataframe", "distributed"):
        monkeypatch.setitem(sys.modules, name, None)
    result = classic.dry_runs("--offline", "--cluster", "tcp://127.0.0.1:1", events=FORTY)
    assert (result.code, result.folder) == (2, None)
    assert "pip install 'fsseg[cluster]'" in result.err


def test_a_scheduler_that_goes_away_leaves_nothing_half_planned(classic: Machine, address: str) -> None:
    path = classic.write("e.jsonl", b"\n".join(lines(1, 10_000)))
    with scheduler(classic.home) as (own, process):
        begun = start(classic, "dry-run", "--offline", "--cluster", own, path)
        (run,) = wait_for_run(classic, begun)
        os.killpg(process.pid, signal.SIGKILL)
        ended = finish(begun)
    assert ended.code == 5, ended.err
    assert re.search(r"scheduler at tcp://\S+ is gone", ended.err)
    with closing(sqlite3.connect(run / "plan.db")) as db:
        assert [db.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ("record", "entry")] == [(0,)] * 2
    again = classic.spawn("resume", "--cluster", address)
    assert again.code in (0, 1)
    whole = classic.dry_runs("--offline", path)
    with closing(sqlite3.connect(run / "plan.db")) as db:
        assert db.execute("SELECT count(*) FROM record").fetchone()[0] == len(plan(whole)["record"])


def test_ctrl_c_leaves_nothing_to_the_workers(classic: Machine, address: str, cluster: Cluster) -> None:
    path = classic.write("e.jsonl", b"\n".join(lines(1, 30_000)))
    begun = start(classic, "dry-run", "--offline", "--cluster", address, path)
    wait_for_run(classic, begun)
    begun.send_signal(signal.SIGINT)
    ended = finish(begun)
    assert ended.code == 130, ended.err
    assert "fsseg resume" in ended.err
    deadline = time.monotonic() + 60
    while any(cluster._client.processing().values()):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def wait_for_run(machine: Machine, process: subprocess.Popen[bytes]) -> list[Path]:
    """The run that has begun to read."""
    while True:
        assert process.poll() is None, process.communicate()
        for plan in machine.state.glob("*/runs/*/plan.db"):
            with closing(sqlite3.connect(plan)) as db:
                try:
                    if db.execute("SELECT count(*) FROM input").fetchone()[0]:
                        return [plan.parent]
                except sqlite3.OperationalError:
                    pass


@contextmanager
def scheduler(folder: Path, workers: int = 1) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A cluster that can be ended as a whole."""
    command = [sys.executable, "-m", "fsseg.local_cluster", str(workers), str(folder / "cluster")]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        assert process.stdout
        yield process.stdout.readline().decode().strip(), process
