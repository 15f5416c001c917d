"""The side of a process that helps: it takes one task after another, and answers; and how both go through a pipe."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import tempfile
import traceback
from contextlib import suppress
from functools import lru_cache
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Lock
from pathlib import Path
from typing import Any

_LOOK_S = 1.0
"""Seconds after which a process looks whether the first one is still there."""

_MOST_POSTED = 512
"""Bytes that go through a pipe at a time: one holds some sixteen thousand at least."""

_NICE = 7
"""How far the processes stand back behind the first one, which hands them their work: else they soon have none."""


def work_on(tasks: Connection, others: Connection, lock: Lock, answer: Connection, folder: Path) -> None:
    """What each process does: one task after another, each of which one of them takes, until there will be no more."""
    others.close()
    _init_worker()
    while True:
        try:
            with lock:
                number, content = tasks.recv()
        except EOFError:
            return
        try:
            work, task = opened(content)
            content = posted((work(task), None, ""), folder)
        except Exception as error:
            content = _failed(error)
        with suppress(BrokenPipeError):  # nobody is there any more
            answer.send((number, content))


def _failed(error: Exception) -> bytes:
    """The answer to a task that ended with this error, never in a file, for which there may be no room."""
    where = traceback.format_exc()
    try:
        content = pickle.dumps((None, error, where))
        pickle.loads(content)  # noqa: S301  # not every error can be made again
    except Exception:
        content = pickle.dumps((None, RuntimeError(repr(error)), where))
    return content


def posted(value: Any, folder: Path) -> bytes:
    """A value as it goes through a pipe: by itself or, if it is long, in a file.

    So no pipe ever is full of tasks or answers, and nobody waits for somebody who waits in turn.
    """
    content = pickle.dumps(value)
    return content if len(content) <= _MOST_POSTED else pickle.dumps(Path(filed(content, folder)))


def filed(content: bytes, folder: Path) -> str:
    """The path of a new file in the folder that has this content."""
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        file.write(content)
    return file.name


def opened(content: bytes) -> Any:
    """What was posted so; its file goes."""
    value = pickle.loads(content)  # noqa: S301  # what we wrote ourselves
    if isinstance(value, Path):
        content = value.read_bytes()
        value.unlink()
        value = pickle.loads(content)  # noqa: S301
    return value


@lru_cache(maxsize=4)
def shared(name: str) -> Any:
    """The value that `Processes.share` was given."""
    return pickle.loads(Path(name).read_bytes())  # noqa: S301  # what we wrote ourselves


def _init_worker() -> None:
    for each in (signal.SIGINT, signal.SIGHUP):  # an interruption is for the first process to handle
        signal.signal(each, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _end_with_parent()
    gc.disable()  # what they work on makes no cycles, see `no_cycles`
    os.nice(_NICE)


def _end_with_parent() -> None:
    """Look now and then whether the first process is still there, as whoever is at work doesn't see its end.

    A thread that waits for its end would make every lock and every allocation dearer, of which there are millions.
    """
    parent = parent_process()
    assert parent is not None
    signal.signal(signal.SIGALRM, lambda *_: None if os.getppid() == parent.pid else os._exit(1))
    signal.setitimer(signal.ITIMER_REAL, _LOOK_S, _LOOK_S)
