"""A Freshsales that answers a little differently: a proxy before the sandbox which rewrites what goes by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import orjson

from tests.e2e.harness import Account


@dataclass
class Exchange:
    """One request and its answer; a rewriter changes `status` and `answer` in place."""

    method: str
    path: str
    body: Any
    status: int
    answer: Any


Rewrite = Callable[[Exchange], None]


@dataclass
class Stranger:
    base_url: str
    seen: list[Exchange] = field(default_factory=list)

    @property
    def writes(self) -> list[Exchange]:
        return [one for one in self.seen if one.method not in ("GET", "HEAD") and "/filtered_search/" not in one.path]


@contextmanager
def before(account: Account, rewrite: Rewrite) -> Iterator[Stranger]:
    """Serve `account` through `rewrite` until the block ends."""
    client = httpx.Client(base_url=account.sandbox.origin, trust_env=False)
    stranger = Stranger("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {
                name: value for name, value in self.headers.items() if name.lower() not in ("host", "accept-encoding")
            }
            answered = client.request(self.command, self.path, content=body, headers=headers)
            parsed = orjson.loads(answered.content) if "json" in answered.headers.get("content-type", "") else None
            exchange = Exchange(
                self.command, self.path, orjson.loads(body) if body else None, answered.status_code, parsed
            )
            rewrite(exchange)
            stranger.seen.append(exchange)
            text = answered.content if parsed is None else orjson.dumps(exchange.answer)
            self.send_response(exchange.status)
            self.send_header("content-type", answered.headers.get("content-type", "application/json"))
            self.send_header("content-length", str(len(text)))
            for name, value in answered.headers.items():
                if name.startswith("x-ratelimit"):
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    for method in ("GET", "POST", "PUT", "DELETE"):
        setattr(Handler, f"do_{method}", Handler._pass)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        path = account.sandbox.base_url.removeprefix(account.sandbox.origin)
        stranger.base_url = f"http://127.0.0.1:{server.server_address[1]}{path}"
        try:
            yield stranger
        finally:
            server.shutdown()
            client.close()
