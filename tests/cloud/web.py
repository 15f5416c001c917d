"""A web server on this machine."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def served(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address of a server whose requests are handled so."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class StoreHandler(BaseHTTPRequestHandler):
    """What stores do alike: an object that is asked for with HEAD is told of without its content."""

    CHANGED = "Tue, 09 Jan 2024 00:00:00 GMT"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        raise NotImplementedError

    def answer(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        """Send a whole answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Last-Modified", self.CHANGED)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody wants to know."""


def names_below(keys: Iterable[str], query: Mapping[str, str], after: str) -> list[str]:
    """The keys that a list holds from there on, or with a delimiter the folders and keys on that level, in order."""
    tail = r"[^/]*/?" if "delimiter" in query else ".*"
    wanted = re.compile(re.escape(query.get("prefix", "")) + tail)
    return sorted({found[0] for key in keys if (found := wanted.match(key)) and found[0] > after})
