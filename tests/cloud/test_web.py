"""Files behind a web server: taken up where a transfer broke, and told where they changed meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler

import pytest

from fsseg.segment import Input, UnreadableInput, objects, read, stores
from tests.cloud.web import served
from tests.e2e.harness import Machine
from tests.segment.messages import lines, message, outcomes

CONTENT = lines(*(message(messageId=f"m-{n}") for n in range(5_000)))


class Web:
    """What a web server serves: it breaks off after `cut` bytes of an answer, as often as told, and may change then."""

    def __init__(self) -> None:
        self.content, self.version, self.next = CONTENT, "one", b""
        self.cut, self.times = 300_000, 0
        self.has_ranges = True
        self.headers: dict[str, str] = {}
        self.ranges: list[str] = []
        self.paths: list[str] = []
        self.tells_length = True
        self.fails: set[str] = set()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """One file, or the rest of it."""
        wanted = request.headers.get("Range", "")
        self.ranges.append(wanted)
        self.paths.append(request.path)
        if request.path in self.fails:
            request.send_error(503)
            return
        if request.headers.get("If-Match") not in (None, f'"{self.version}"'):
            request.send_error(412)
            return
        found = re.fullmatch(r"bytes=(\d+)-\d*", wanted) if self.has_ranges else None
        start = int(found[1]) if found else 0
        request.send_response(206 if found else 200)
        if found:
            request.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        for name, value in self.headers.items():
            request.send_header(name, value.format(self.version))
        if self.tells_length:
            request.send_header("Content-Length", str(len(self.content) - start))
        request.end_headers()
        whole = self.content[start:]
        if self.times:
            self.times -= 1
            whole = whole[: self.cut]
            if self.next:
                self.content, self.version = self.next, "two"
        with suppress(ConnectionError):  # who has seen enough goes
            request.wfile.write(whole)


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Web, str]]:
    """The server, and the address of its file."""
    monkeypatch.setattr(objects, "_PAUSE", 0.001)
    with serving(web := Web()) as address:
        yield web, f"{address}/e.jsonl"


@contextmanager
def serving(web: Web) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.answer(self)

        def log_message(self, format: str, *args: object) -> None:
            """Nobody wants to know."""

    with served(Handler) as address:
        yield address


STRONG, WEAK = {"ETag": '"{}"'}, {"ETag": 'W/"{}"'}
DATED = {"Last-Modified": "Mon, 08 Jan 2024 00:00:00 GMT"}


@pytest.mark.parametrize("headers", [{}, DATED, STRONG, WEAK | DATED], ids=["bare", "dated", "strong", "weak"])
def test_a_broken_transfer_is_taken_up_where_it_broke(web: tuple[Web, str], headers: dict[str, str]) -> None:
    server, address = web
    server.times, server.headers = 2, headers
    assert outcomes(list(read(Input(address, 0)))) == [f"m-{n}" for n in range(5_000)]
    first, *others = server.ranges
    assert first == "" and len(others) == 2 and all(others)


@pytest.mark.parametrize("headers", [STRONG, WEAK | DATED], ids=["strong", "weak"])
def test_a_file_that_changes_while_it_is_read_is_told(web: tuple[Web, str], headers: dict[str, str]) -> None:
    server, address = web
    server.times, server.headers, server.next = 1, headers, CONTENT.replace(b"m-", b"x-")
    with pytest.raises(UnreadableInput, match="changed while it was read"):
        list(read(Input(address, 0)))


def test_a_file_that_changes_its_size_is_told_without_a_version_of_it(web: tuple[Web, str]) -> None:
    server, address = web
    server.times, server.next = 1, CONTENT + lines(message())
    with pytest.raises(UnreadableInput, match="changed while it was read"):
        list(read(Input(address, 0)))


def test_from_a_server_without_ranges_it_is_fetched_again_and_nothing_is_read_twice(web: tuple[Web, str]) -> None:
    server, address = web
    server.times, server.has_ranges = 1, False
    assert outcomes(list(read(Input(address, 0)))) == [f"m-{n}" for n in range(5_000)]


def test_a_transfer_that_breaks_at_the_same_place_each_time_is_told(web: tuple[Web, str]) -> None:
    server, address = web
    server.times, server.has_ranges = 99, False
    with pytest.raises(UnreadableInput):
        list(read(Input(address, 0)))
    assert len(server.ranges) < 15


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that fails is given up at once."""
    monkeypatch.setattr(stores, "_PATIENCE", timedelta(seconds=0.1))
    stores.store_of.cache_clear()


@pytest.mark.usefixtures("impatient")
def test_of_a_server_that_answers_no_more_the_other_files_are_not_waited_for(web: tuple[Web, str]) -> None:
    server, address = web
    server.fails = {f"/{n}.jsonl" for n in range(1, 7)}
    files = [address.replace("/e.", f"/{n}.") for n in range(8)]
    assert outcomes(list(read(Input(files[0], 0)))) == [f"m-{n}" for n in range(5_000)]
    for file in files[1:4]:
        with pytest.raises(UnreadableInput):
            list(read(Input(file, 0)))
    before = len(server.paths)
    for file in files[4:]:
        with pytest.raises(UnreadableInput, match="answered for none of the objects before it: import again"):
            list(read(Input(file, 0)))
    assert len(server.paths) == before


@pytest.mark.usefixtures("impatient")
def test_a_file_that_a_server_fails_to_give_costs_no_other_one(web: tuple[Web, str]) -> None:
    server, address = web
    server.fails = {f"/{n}.jsonl" for n in range(1, 20, 2)}
    for n in range(12):
        file = Input(address.replace("/e.", f"/{n}."), 0)
        if n % 2:
            with pytest.raises(UnreadableInput):
                list(read(file))
        else:
            assert len(list(read(file))) == 5_000


def test_what_was_read_before_a_transfer_broke_for_good_is_inspected(web: tuple[Web, str], classic: Machine) -> None:
    server, address = web
    server.times, server.has_ranges, server.content = 99, False, lines(*[message()] * 20_000)
    server.cut = len(server.content) - 1_000
    done = classic.run("inspect", address)
    assert done.code == 1
    assert f"error: {address}: " in done.err and "nothing to read" not in done.err
    assert re.match(r"1\d,\d+ events · 1\d,\d+ identify", done.out)


@pytest.mark.parametrize("name", ["a%20b%23%C3%A9.jsonl", "a b#é.jsonl"])
def test_a_file_is_asked_for_as_a_browser_does_it(web: tuple[Web, str], name: str) -> None:
    server, address = web
    path = address.replace("e.jsonl", name)
    assert len(list(read(Input(path, 0)))) == 5_000
    assert server.paths == ["/a%20b%23%C3%A9.jsonl"]
    assert stores.stamp(path) is not None


def test_a_server_that_tells_no_length_is_told_with_what_to_do(web: tuple[Web, str]) -> None:
    server, address = web
    server.tells_length = False
    with pytest.raises(UnreadableInput, match="pipe it in"):
        list(read(Input(address, 0)))
    assert len(server.paths) == 1


def test_an_address_that_cannot_be_asked_for_is_told_at_once(web: tuple[Web, str]) -> None:
    server, address = web
    with pytest.raises(UnreadableInput, match="empty path segment"):
        list(read(Input(f"{address}//e.jsonl", 0)))
    assert server.paths == []
