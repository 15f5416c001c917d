"""The local Freshsales as a process of its own, which can be killed and come back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson

from fsseg.sandbox import Fault
from tests.e2e.harness import Account

TOKEN = "the-token-that-nobody-may-see-7f3a"


@dataclass
class Server:
    """Has what `tests.e2e.harness.Account` asks of a sandbox, over HTTP."""

    db: Path
    edition: str
    token: str = TOKEN
    origin: str = ""
    base_url: str = ""
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False), repr=False)

    def start(self) -> None:
        """Serve, at the same address as before if there was one."""
        command = [sys.executable, "-m", "fsseg.sandbox", "--db", str(self.db), "--edition", self.edition]
        command += ["--token", self.token, "--port", self.origin.rpartition(":")[2] or "0"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        ready = orjson.loads(self._process.stdout.readline())
        self.origin, self.base_url = ready["origin"], ready["base_url"]

    def kill(self) -> None:
        """As a host that goes down."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def close(self) -> None:
        """Close what we hold of it ourselves."""
        self._http.close()

    def configure(self, **options: Any) -> None:
        self._post("options", options)

    def faults(self, *faults: Fault, seed: int = 0) -> None:
        self._post("faults", {"faults": faults, "seed": seed})

    def stats(self) -> Mapping[str, Any]:
        return dict(self._http.get(f"{self.origin}/_sandbox/stats").json())

    def _post(self, what: str, body: Any) -> None:
        content = orjson.dumps(body, default=sorted)
        answer = self._http.post(f"{self.origin}/_sandbox/{what}", content=content)
        assert answer.is_success, answer.text


def account(db: Path, edition: str) -> Account:
    """An account behind a server that was just started; `stop` ends both."""
    server = Server(db, edition)
    server.start()
    return Account(edition, server, db)  # type: ignore[arg-type]


def stop(account: Account) -> None:
    account.close()
    account.sandbox.close()  # type: ignore[attr-defined]
    account.sandbox.kill()  # type: ignore[attr-defined]
