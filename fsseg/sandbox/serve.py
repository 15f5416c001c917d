"""Running the local Freshsales: in this process, on a thread of its own."""

from __future__ import annotations

import logging
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from fsseg.sandbox.options import Fault, Options

if TYPE_CHECKING:
    from fsseg.sandbox.app import Gate
    from fsseg.sandbox.browse import LatestRun

PREFIX = {"classic": "", "suite": "/crm/sales"}


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox: REST at `{base_url}/api/…`, tracking at `{base_url}/track/…`, `{origin}/_sandbox/…` beside."""

    origin: str
    base_url: str
    token: str = field(repr=False)
    application_token: str = field(repr=False)
    _gate: Gate = field(repr=False)

    def configure(self, **changes: Any) -> None:
        """Set options of the running server by name. Raises ValueError."""
        self._gate.configure(self._gate.crm.options.changed(changes))

    def faults(self, *faults: Fault, seed: int = 0) -> None:
        """Replace the faults in force; none given: none in force."""
        self.configure(faults=faults, seed=seed)

    def stats(self) -> Mapping[str, Any]:
        """What the server has seen; keys as in `fsseg.sandbox.options.Stats`."""
        return asdict(self._gate.stats)


@contextmanager
def running(
    db: Path,
    *,
    edition: str,
    token: str = "sandbox",  # noqa: S107 - no secret opens a toy on loopback
    application_token: str = "sandbox-app",  # noqa: S107
    options: Options | None = None,
    port: int = 0,
    latest_run: LatestRun | None = None,
) -> Iterator[Sandbox]:
    """Serve the file on 127.0.0.1 until the block ends; a file that is not there is made with the default account.

    Port 0 takes any free one. What `latest_run` tells is marked in the page at `/`. Raises ValueError where the file
    holds an account of the other edition, OSError where the port is taken.
    """
    import uvicorn

    from fsseg.sandbox.app import Gate, application
    from fsseg.sandbox.store import Store

    with closing(Store(db, edition)) as store, _listener(port) as listener:
        if store.account.edition != edition:
            raise ValueError(f"{db} holds a {store.account.edition} account, not {edition}")
        gate = Gate(store, options or Options(), token, application_token)
        config = uvicorn.Config(
            application(gate, *([latest_run] if latest_run else [])),
            log_config=None, log_level=logging.ERROR, access_log=False, proxy_headers=False,
            lifespan="off", ws="none", server_header=False, timeout_keep_alive=75, timeout_graceful_shutdown=1,
        )  # fmt: skip
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, args=([listener],), name="sandbox", daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.002)
        origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            yield Sandbox(origin, origin + PREFIX[edition], token, application_token, gate)
        finally:
            server.should_exit = True
            thread.join()


def serve_until_stopped(
    served: AbstractContextManager[Sandbox], ready: Callable[[Sandbox], None], stop: SimpleQueue[None] | None = None
) -> None:
    """What `running` gives is served until SIGINT, SIGTERM or an item of `stop`; `ready` is called once it is.

    Raises what `running` raises.
    """
    # Not an event: a signal that comes while that is looked at would wait for its lock, which this thread holds.
    stopped = stop or SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.put(None))
    with served as sandbox:
        ready(sandbox)
        # In steps, as a signal that another thread took is seen here only between two of them.
        while True:
            with suppress(Empty):
                return stopped.get(timeout=0.5)


def _listener(port: int) -> socket.socket:
    # Only with the protocol named does asyncio turn Nagle's algorithm off, which costs 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.close()
        raise
    return listener
