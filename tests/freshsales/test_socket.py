"""The client against a real socket on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from fsseg.freshsales.account import resolve
from fsseg.freshsales.errors import HostDown, ReadOnlyViolation, Unavailable
from fsseg.freshsales.http import Http
from fsseg.freshsales.pacer import Pacer
from fsseg.freshsales.reader import Reader
from fsseg.freshsales.secret import Token
from fsseg.freshsales.writer import Writer

from .clocks import FakeClock


class Host(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[str] = []
        self.faults: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Host

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append(f"{self.command} {self.path.partition('?')[0]}")
        fault = self.server.faults.pop(0) if self.server.faults else ""
        if fault == "drop":
            self.close_connection = True
            return
        body = json.dumps({"lead": {"id": 1}, "fields": [], "leads": [], "meta": {"total": 0}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if fault == "cut" else body)
        self.close_connection = fault == "cut"

    do_GET = do_PUT = do_DELETE = do_POST

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def host() -> Iterator[Host]:
    with Host() as host:
        thread = threading.Thread(target=host.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield host
        host.shutdown()
        thread.join()


def connect(url: str, *, read_only: bool = False) -> Http:
    return Http(resolve(None, "classic", url), Token("k3y"), pacer=Pacer(clock=FakeClock()), read_only=read_only)


@pytest.mark.parametrize("fault", ["drop", "cut"])
def test_a_connection_dropped_after_sending_leaves_a_create_open(host: Host, fault: str) -> None:
    host.faults = [fault]
    with connect(host.url) as http, pytest.raises(Unavailable) as caught:
        Writer(http).create("lead", {"email": "ada@example.com"})
    assert caught.value.sent
    assert host.seen == ["POST /api/leads"]


@pytest.mark.parametrize("fault", ["drop", "cut"])
def test_a_connection_dropped_after_sending_repeats_an_upsert(host: Host, fault: str) -> None:
    host.faults = [fault, fault]
    with connect(host.url) as http:
        assert Writer(http).upsert("lead", {"emails": "ada@example.com"}, {}) == {"id": 1}
    assert host.seen == ["POST /api/leads/upsert"] * 3


def test_where_nobody_listens_nothing_was_sent(host: Host) -> None:
    url = host.url
    host.shutdown()  # a thread that still waits for somebody would let one in
    host.server_close()
    with connect(url) as http, pytest.raises(HostDown) as caught:
        Writer(http).create("lead", {})
    assert not caught.value.sent


def test_a_read_only_connection_lets_reads_through_and_no_write(host: Host) -> None:
    with connect(host.url, read_only=True) as http:
        Reader(http).fields("lead")
        Reader(http).filtered("lead", "lead_email.email", "is_in", "ada@example.com")
        writer = Writer(http)
        for write in (
            lambda: writer.create("lead", {}),
            lambda: writer.update("lead", 1, {}),
            lambda: writer.delete("lead", 1),
            lambda: writer.bulk_upsert("contact", []),
        ):
            with pytest.raises(ReadOnlyViolation):
                write()
    assert host.seen == ["GET /api/settings/leads/fields", "POST /api/filtered_search/lead"]


def test_many_threads_share_one_connection_pool(host: Host) -> None:
    with connect(host.url) as http:
        writer = Writer(http)
        threads = [threading.Thread(target=writer.create, args=("lead", {})) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)
        assert (http.pacer.total, http.pacer.write) == (20, 20)
    assert len(host.seen) == 20
