"""Runs over objects are stopped, gone on with, reported on and delivered once, as those over files are."""

from __future__ import annotations

import gzip
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler
from pathlib import Path
from threading import Event
from typing import Any

import orjson
import pytest

from fsseg.fold.engines import processes
from tests.cloud.web import served
from tests.e2e.harness import Machine
from tests.e2e.test_containers import FORTY, PLAIN
from tests.faults.process import finish, start
from tests.segment import exports
from tests.store import Store


def filled(store: Store) -> tuple[str, str, str]:
    for number in range(4):
        store.put(f"segment-logs/src/1746403200000/{number}.gz", exports.gz(exports.jsonl(FORTY[number::4])))
    return f"s3://{store.bucket}/segment-logs/", "--endpoint", store.endpoint


def test_events_in_a_store_end_as_those_in_a_file_and_from_both_arrive_once(
    classic: Machine, tmp_path: Path, store: Store
) -> None:
    path = tmp_path / "e.jsonl"
    path.write_bytes(PLAIN)
    assert classic.imports(*filled(store)).outcomes == {"applied": 40}
    state = classic.account.state()
    assert classic.imports(str(path)).outcomes == {"skipped": 40}
    assert classic.account.state() == state
    classic.account.empty()
    other = Machine(classic.account, tmp_path / "other")
    other.home.mkdir()
    assert other.imports(str(path)).outcomes == {"applied": 40}
    assert classic.account.state() == state


def test_a_run_that_stopped_goes_on(classic: Machine, store: Store) -> None:
    stopped = classic.imports(*filled(store), "--max-requests", "12")
    assert stopped.code == 5
    assert classic.run("resume").code == 0
    assert classic.imports(*filled(store)).outcomes == {}
    assert len(classic.account.records()["leads"]) == 4


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_run_that_was_killed_while_it_read_goes_on_with_the_same_store(
    classic: Machine, store: Store, jobs: str
) -> None:
    asked, over = Event(), Event()

    def wait() -> bytes:
        asked.set()
        over.wait(60)
        return PLAIN

    objects = filled(store)
    with bare(wait) as address:
        process = start(classic, "import", *objects, address, "--jobs", jobs)
        assert asked.wait(60)
        process.kill()
        process.communicate()
        over.set()
        assert classic.spawn("resume").code == 0
    assert classic.spawn("import", *objects).outcomes == {}  # it knows which of them it has finished


def test_what_failed_is_given_whole_from_its_object(classic: Machine, store: Store) -> None:
    rows = [{"user_id": "u-1", "email": "a@north.example"}, {"user_id": "u-2", "email": "no address"}]
    content = exports.table(["user_id", "email"], ([*row.values()] for row in rows))
    store.put("people.csv.gz", gzip.compress(content))
    done = classic.imports(f"s3://{store.bucket}/people.csv.gz", "--endpoint", store.endpoint)
    assert done.outcomes == {"applied": 1, "rejected": 1}
    (failure,) = done.failures
    assert failure["traits"] == {"email": "no address"}
    about: dict[str, Any] = failure["_fsseg"]
    assert (about["file"], about["line"]) == (f"s3://{store.bucket}/people.csv.gz", 3)


@contextmanager
def web(folder: Path) -> Iterator[str]:
    """A web server's address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Nobody wants to know."""

    with served(partial(Quiet, directory=str(folder))) as address:
        yield address


@contextmanager
def bare(content: Callable[[], bytes]) -> Iterator[str]:
    """The address of a file on a web server that tells nothing of it but its size."""

    class Bare(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            body = content()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                with suppress(ConnectionError):
                    self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody wants to know."""

    with served(Bare) as address:
        yield f"{address}/people.csv"


def test_a_file_behind_a_web_server_is_read(classic: Machine, tmp_path: Path, store: Store) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "e.jsonl.gz").write_bytes(exports.gz(PLAIN))
    with web(tmp_path / "web") as address:
        done = classic.imports(f"{address}/e.jsonl.gz")
        assert done.outcomes == {"applied": 40}
        gone = classic.imports(f"{address}/nothing.gz")
    assert gone.code == 4
    assert "it isn't there" in gone.err


def test_a_file_of_which_no_version_is_told_is_read_again(classic: Machine, tmp_path: Path, store: Store) -> None:
    def rows(*numbers: int) -> bytes:
        return exports.table(["user_id", "email"], ([f"u-{n}", f"p{n}@north.example"] for n in numbers))

    with bare(lambda: content) as address:
        content = rows(1, 2)
        assert classic.spawn("import", address).outcomes == {"applied": 2}
        content = rows(1, 3) + b"u-4,no address\n"
        done = classic.spawn("import", address)
        content = rows(1, 2)
        assert classic.spawn("import", address).outcomes == {"skipped": 2}
    assert done.outcomes == {"applied": 1, "skipped": 1, "rejected": 1}
    assert done.failures[0]["traits"] == {"email": "no address"}


def test_a_run_that_waits_for_a_store_that_says_nothing_ends_at_the_second_signal(
    classic: Machine, store: Store
) -> None:
    asked, over = Event(), Event()

    def wait() -> bytes:
        asked.set()
        over.wait(60)
        return b""

    with bare(wait) as address:
        process = start(classic, "import", address)
        assert asked.wait(60)
        for _ in range(2):
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        assert finish(process).code == 130
        assert time.monotonic() - begun < 10
        over.set()


def test_a_large_object_is_read_in_parts_by_several_processes(
    classic: Machine, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "PART", 3_000)
    store.put("e.jsonl", PLAIN)
    store.requests()
    done = classic.imports(f"s3://{store.bucket}/e.jsonl", "--endpoint", store.endpoint, "--jobs", "2")
    assert done.outcomes == {"applied": 40}
    ranges = {one["range"] for one in store.requests() if one["range"]}
    assert len(ranges) == len(PLAIN) // 3_000
    assert {row["email"] for row in classic.account.records()["leads"]} == {one["traits"]["email"] for one in FORTY[:4]}


def test_a_large_object_that_changes_while_its_parts_are_read_is_told_and_read_again(
    classic: Machine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "PART", 3_000)
    flags = (f"s3://{store.bucket}/e.jsonl", "--endpoint", store.endpoint, "--jobs", "2")
    store.put("e.jsonl", PLAIN + PLAIN)
    store.swap("e.jsonl", 2 * len(PLAIN), PLAIN)
    done = classic.imports(*flags)
    assert done.code == 1
    assert "e.jsonl: it was changed while it was read" in done.err
    assert classic.imports(*flags).outcomes == {"skipped": 40}


def test_a_dry_run_takes_note_of_nothing(classic: Machine, store: Store) -> None:
    for _ in range(2):
        assert classic.dry_runs(*filled(store)).outcomes == {"applied": 40}
    done = classic.imports(*filled(store), "--json")
    assert orjson.loads(done.out)["events"]["outcomes"]["applied"] == 40
