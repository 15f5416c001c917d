"""The command as a process of its own, forked from one that has imported everything: its start takes a tenth.

It has its own pid, descriptors, folder and environment, and can be stopped and killed as any other. Only what comes
before its first line is left out, which other tests have.

`python tests/forked.py DESCRIPTOR`: the process that all are forked from.
"""

from __future__ import annotations

import atexit
import fcntl
import gc
import os
import pkgutil
import runpy
import select
import socket
import subprocess
import sys
import termios
import time
import warnings
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO, cast

import orjson

ROOT = Path(__file__).parents[1]
MEASURED = "COVERAGE_PROCESS_CONFIG"
"""The variable by which a process is told to note which lines it runs, and where."""

LONGEST = 200_000
"""Bytes of an order: arguments and environment."""


def forked(args: list[str], *, terminal: bool = False, **how: Any) -> subprocess.Popen[Any]:
    """A `Popen` of `fsseg`, or of a script where `args` begins with one; started as usual where it can't be forked.

    With `terminal`, its standard input becomes the terminal that it is controlled by.
    """
    if hasattr(os, "pidfd_open"):
        return _Forked(args, terminal, **how)
    if terminal:
        how |= {"start_new_session": True, "preexec_fn": _take_terminal}
    return subprocess.Popen([sys.executable, *([] if args[0].endswith(".py") else ["-m"]), *args], **how)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class _Forked(subprocess.Popen[Any]):
    """All of `Popen` but how a process comes to be, and how its end is learnt of."""

    def __init__(self, args: list[str], terminal: bool, **how: Any) -> None:
        self._terminal = terminal
        super().__init__(args, **how)

    def _execute_child(self, args: list[str], *more: Any) -> None:
        folder, environment, pipes = more[4] or Path.cwd(), more[5] or dict(os.environ), more[9:15]
        reading, writing = os.pipe()
        self._status = open(reading, "rb", buffering=0)  # noqa: SIM115  # closed with the end
        order = {"args": args, "folder": str(folder), "environment": environment, "terminal": self._terminal}
        theirs = [given if given >= 0 else own for own, given in enumerate((pipes[0], pipes[3], pipes[5]))]
        socket.send_fds(_origin(), [orjson.dumps(order)], [writing, *theirs])
        os.close(writing)
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]
        told = self._status.readline()
        assert told, "the process that all are forked from has ended"
        self.pid = int(told)

    def _wait(self, timeout: float | None) -> int:
        if self.returncode is None:
            if timeout is not None and not select.select([self._status], [], [], max(0, timeout))[0]:
                raise subprocess.TimeoutExpired(self.args, timeout)
            self.returncode = int(self._status.readline())
            self._status.close()
        return self.returncode

    def _internal_poll(self, *_: Any, **__: Any) -> int | None:
        try:
            return self._wait(0)
        except subprocess.TimeoutExpired:
            return None


@cache
def _origin() -> socket.socket:
    """Orders to the process that all are forked from, which ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        command = [sys.executable, __file__, str(theirs.fileno())]
        env = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH", MEASURED) if name in os.environ
        }
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, cwd=ROOT, env=env)

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def prepare() -> None:
    """Import all there is, without a warning, and build what can be shared."""
    sys.path[0] = str(ROOT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        import fsseg
        from tests.once import build_once

        for module in pkgutil.walk_packages(fsseg.__path__, "fsseg."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
    build_once(setattr)
    from typer.main import get_command

    from fsseg.cli.app import full_app
    from fsseg.report.formats import html

    get_command(full_app())
    html.template()
    gc.collect()
    gc.freeze()


def orders(channel: socket.socket) -> dict[str, Any] | None:
    """Returns in each process that is forked, with what it is to do, and here at the end."""
    ends: dict[int, tuple[int, int]] = {}
    while True:
        ready, _, _ = select.select([channel.fileno(), *ends], [], [])
        for end in ends.keys() & set(ready):
            child, status = ends.pop(end)
            os.close(end)
            os.write(status, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            os.close(status)
        if channel.fileno() not in ready:
            continue
        message, fds, _, _ = socket.recv_fds(channel, LONGEST, 4)
        if not message:
            return None
        status, *streams = fds
        if (child := os.fork()) == 0:
            channel.close()
            _take_on(streams, [status, *(fd for one, (_, other) in ends.items() for fd in (one, other))])
            return dict(orjson.loads(message))
        os.write(status, b"%d\n" % child)
        ends[os.pidfd_open(child)] = child, status
        for fd in streams:
            os.close(fd)


def _take_on(streams: list[int], others: list[int]) -> None:
    """These as standard streams, and none of the others."""
    for place, fd in enumerate(streams):
        os.dup2(fd, place)
    for fd in (*streams, *others):
        os.close(fd)


def become(order: dict[str, Any]) -> None:
    """What is asked for, as if it had just been started."""
    measured = {MEASURED: os.environ[MEASURED]} if MEASURED in os.environ else {}
    os.environ.clear()
    os.environ.update(order["environment"] | measured)
    os.chdir(order["folder"])
    time.tzset()
    if order["terminal"]:
        os.setsid()
        _take_terminal()
    if filters := os.environ.get("PYTHONWARNINGS"):
        warnings.simplefilter(filters)  # type: ignore[arg-type]
    sys.stdin = _stream(0, "r", -1, "strict")
    sys.stdout = _stream(1, "w", 1 if os.isatty(1) else -1, "strict")
    sys.stderr = _stream(2, "w", 1, "backslashreplace")
    script, *args = order["args"]
    sys.argv = [script, *args]
    if script.endswith(".py"):
        sys.path.insert(0, str(Path(script).parent))
        runpy.run_path(script, run_name="__main__")
    else:
        runpy.run_module(script, run_name="__main__", alter_sys=True)


def _stream(fd: int, mode: str, buffering: int, errors: str) -> TextIO:
    return cast(TextIO, open(fd, mode, buffering, "utf-8", errors, closefd=False))


if __name__ == "__main__":
    prepare()
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        order = orders(channel)
    if order is not None:
        become(order)
