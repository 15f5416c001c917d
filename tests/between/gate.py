"""Stopping a command at a certain request: what it asked for is done, and the answer doesn't come."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from tests.e2e import stranger
from tests.e2e.harness import Machine
from tests.e2e.stranger import Exchange
from tests.faults.process import Ended, finish, start

PATIENCE = 60.0


class Gate:
    """Lets everything by until it is shut; then holds the first request that fits, and whoever waits for its answer."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._shut: re.Pattern[str] | None = None
        self._reached, self._open = Event(), Event()
        self._started: list[subprocess.Popen[bytes]] = []

    def __call__(self, exchange: Exchange) -> None:
        if self._shut is not None and self._shut.search(f"{exchange.method} {exchange.path}"):
            self._shut = None
            self._reached.set()
            assert self._open.wait(PATIENCE)

    def start(self, at: str, *args: str) -> subprocess.Popen[bytes]:
        """A process of the command, which is held where it waits for the answer to the first such request."""
        self._reached.clear()
        self._open.clear()
        self._shut = re.compile(at)
        process = start(self._machine, *args)
        self._started.append(process)
        assert self._reached.wait(PATIENCE), process.poll()
        return process

    def finish(self, process: subprocess.Popen[bytes]) -> Ended:
        """Let it go on to its end."""
        self._open.set()
        return finish(process)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """The answer is never read."""
        process.kill()
        process.communicate()
        self._open.set()

    def close(self) -> None:
        """Leave nobody waiting, and no process behind."""
        self._open.set()
        for process in self._started:
            if process.poll() is None:
                process.kill()
                process.communicate()


@contextmanager
def gate(machine: Machine) -> Iterator[Gate]:
    """Everything that `machine` asks goes through this gate until the block ends."""
    found = Gate(machine)
    with stranger.before(machine.account, found) as server:
        machine.base_url = server.base_url
        try:
            yield found
        finally:
            found.close()
