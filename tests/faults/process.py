"""The command as a process of its own, to be watched, stopped and killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tests.e2e.harness import Account, Machine
from tests.forked import forked

FAST = str(Path(__file__).with_name("fast.py"))


@dataclass
class Ended:
    """A process that has ended."""

    code: int
    out: str
    err: str

    @property
    def summary(self) -> dict[str, Any]:
        """What `--json` printed."""
        return dict(orjson.loads(self.out))

    @property
    def outcomes(self) -> dict[str, int]:
        """Those that there are."""
        events = self.summary["events"]
        assert sum(events["outcomes"].values()) == events["read"], events
        return {name: count for name, count in events["outcomes"].items() if count}

    @property
    def failures(self) -> str:
        """The text of failures.jsonl."""
        return self._file("failures.jsonl")

    @property
    def changes(self) -> str:
        """The text of changes.jsonl."""
        return self._file("changes.jsonl")

    def _file(self, name: str) -> str:
        path = Path(self.summary["run_dir"]) / name
        return path.read_text() if path.exists() else ""


def start(
    machine: Machine, *args: str, fast: bool = False, prefix: Sequence[str] = (), stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """The command, not waited for; `fast` by a quick clock, `prefix` what it is to be run by."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FSSEG_")}
    env = {name: value for name, value in {**kept, **machine.env()}.items() if value is not None}
    pipe = subprocess.PIPE
    if not prefix:
        command = [FAST if fast else "fsseg", *args]
        return forked(command, stdin=stdin, stdout=pipe, stderr=pipe, env=env, cwd=machine.home)
    command = [*prefix, sys.executable, *([FAST] if fast else ["-m", "fsseg"]), *args]
    return subprocess.Popen(command, stdin=stdin, stdout=pipe, stderr=pipe, env=env, cwd=machine.home)


def finish(process: subprocess.Popen[bytes]) -> Ended:
    """Wait for its end, which is never a traceback."""
    out, err = (data.decode() for data in process.communicate(timeout=120))
    assert "Traceback" not in err, err
    return Ended(process.returncode, out, err)


def run(machine: Machine, *args: str, fast: bool = False, prefix: Sequence[str] = ()) -> Ended:
    """The command from its start to its end."""
    return finish(start(machine, *args, fast=fast, prefix=prefix))


def when(machine: Machine, process: subprocess.Popen[bytes], requests: int) -> bool:
    """Wait until the server has had so many more requests; False if the process ended before."""
    until = machine.account.requests + requests
    while process.poll() is None:
        if machine.account.requests >= until:
            return True
        time.sleep(0.005)
    return False


def here(machine: Machine, *args: str) -> Ended:
    """The command in this process."""
    done = machine.run(*args)
    return Ended(done.code, done.out, done.err)


def killed(machine: Machine, requests: int, *args: str) -> bool:
    """Run the command and kill it after so many requests; whether it hadn't ended by then."""
    process = start(machine, *args)
    when(machine, process, requests)
    process.kill()
    process.communicate()
    return process.returncode == -9


def answered(account: Account) -> bool:
    """Whether every request has been answered, or its connection been found closed."""
    stats = account.sandbox.stats()
    return bool(sum(stats["statuses"].values()) == stats["total"])


def kill_once(process: subprocess.Popen[bytes], is_time: Callable[[], object]) -> None:
    """Kill the process once it is time, which has to be before it ends by itself."""
    while not is_time():
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.communicate()


def await_answers(account: Account) -> None:
    """Wait until nothing is under way any more of what was asked."""
    while not answered(account):
        time.sleep(0.01)
