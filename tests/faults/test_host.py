"""A host that isn't the one that was meant."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tests.e2e.harness import Machine
from tests.faults.process import here
from tests.faults.story import mixed


@contextmanager
def listening(
    status: int, location: str = "", context: ssl.SSLContext | None = None
) -> Iterator[tuple[str, list[str]]]:
    """A server, over TLS where there is a context, that always gives one answer; its address, and what it was asked."""
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

    class Server(HTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_a_redirect_to_another_host_is_refused_and_the_token_does_not_follow(classic: Machine) -> None:
    with listening(200) as (other, there), listening(302, f"{other}/api/leads") as (address, asked):
        done = here(classic, "import", classic.write("e.jsonl", mixed()), "--base-url", address)
    assert done.code == 3
    assert "redirected" in done.err
    assert len(asked) == 1
    assert not there


@pytest.mark.usefixtures("fast")
@pytest.mark.skipif(shutil.which("openssl") is None, reason="a certificate takes openssl to make")
def test_a_host_whose_certificate_nobody_vouches_for_is_told_nothing(classic: Machine) -> None:
    made = {name: str(classic.home / name) for name in ("key", "crt")}
    command = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([*command.split(), "-keyout", made["key"], "-out", made["crt"]], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made["crt"], made["key"])
    with listening(200, context=context) as (address, asked):
        done = here(classic, "import", classic.write("e.jsonl", mixed()), "--base-url", address)
    assert done.code == 5
    assert "certificate" in done.err
    assert not asked


def test_plain_http_is_for_this_machine_only(classic: Machine) -> None:
    done = here(classic, "import", classic.write("e.jsonl", mixed()), "--base-url", "http://acme.example")
    assert done.code == 2
    assert "https" in done.err
