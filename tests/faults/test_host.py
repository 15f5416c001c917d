"""A host that isn't the one that was meant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from tests.e2e.harness import Machine
from tests.faults.process import here
from tests.faults.story import mixed


@contextmanager
def listening(status: int, location: str = "") -> Iterator[tuple[str, list[str]]]:
    """A server that always gives the same answer; its address, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.path} {self.headers.get('Authorization', '')}")
            self.send_response(status)
            self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_a_redirect_to_another_host_is_refused_and_the_token_does_not_follow(classic: Machine) -> None:
    with listening(200) as (other, there), listening(302, f"{other}/api/leads") as (address, asked):
        done = here(classic, "import", classic.write("e.jsonl", mixed()), "--base-url", address)
    assert done.code == 3
    assert "redirected" in done.err
    assert len(asked) == 1
    assert not there


def test_plain_http_is_for_this_machine_only(classic: Machine) -> None:
    done = here(classic, "import", classic.write("e.jsonl", mixed()), "--base-url", "http://acme.example")
    assert done.code == 2
    assert "https" in done.err
