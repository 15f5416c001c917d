"""Processes that planning and the writing of changes.jsonl are spread over; with one job, all is done in this one."""

from __future__ import annotations

import gc
import os
import pickle
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


_PREFIX = "processes-"
"""How the folders begin that processes share."""


_WITH_THREADS = {"obstore", "pyarrow"}
"""Modules that have threads which Python doesn't count."""


_LOOK_S = 1.0
"""Seconds after which a process looks whether the first one is still there."""


_END_S = 20.0
"""Seconds that processes have to end what is under way, once nothing more is asked of them."""


_NICE = 7
"""How far the processes stand back behind the first one, which hands them their work: else they soon have none."""


class ProcessLost(Exception):
    """One of the processes was ended from outside."""

    def __init__(self) -> None:
        super().__init__("a process that helps was ended from outside, perhaps for want of memory")


class ProcessesRefused(Exception):
    """This machine lets no more processes be begun."""

    def __init__(self, jobs: int, error: Exception) -> None:
        super().__init__(f"--jobs {jobs}: not so many processes can be begun here: {getattr(error, 'strerror', error)}")


class Processes:
    """As many processes as `jobs` says, which end with this one; none for one job.

    `folder` is where they get a folder for what they leave for each other, which goes when they are closed. Raises
    `ProcessesRefused`.
    """

    def __init__(self, jobs: int, folder: Path) -> None:
        self.jobs = jobs
        self._pool: ProcessPoolExecutor | None = None
        for left in folder.glob(f"{_PREFIX}*"):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        if jobs == 1:
            return
        self._shared = tempfile.TemporaryDirectory(dir=folder, prefix=_PREFIX)
        self.folder = Path(self._shared.name)
        """The folder that is shared with them."""
        self._others = set(active_children())
        # A forked process has all modules at once; where threads run already, or forking isn't safe, it starts anew.
        has_threads = threading.active_count() > 1 or not _WITH_THREADS.isdisjoint(sys.modules)
        method = "fork" if sys.platform == "linux" and not has_threads else "spawn"
        try:
            self._pool = ProcessPoolExecutor(jobs, get_context(method), initializer=_init_worker)
            for _ in range(jobs):  # has all begun now, the forked ones before anything is open that they shouldn't hold
                self._pool.submit(int)
        except (OSError, RuntimeError) as error:
            for child in self._begun():  # else they would be waited for, and they for work
                child.kill()
            self._shared.cleanup()
            raise ProcessesRefused(jobs, error) from None

    def dismiss(self) -> None:
        """Let them end by themselves: nothing more is asked of them."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        if self._pool is None:
            return
        self.dismiss()
        until = time.monotonic() + _END_S
        for child in self._begun():
            child.join(max(0, until - time.monotonic()))
            if child.is_alive():  # it waits for a lock of another one, which was ended from outside
                child.kill()
        self._shared.cleanup()

    def _begun(self) -> set[BaseProcess]:
        """Those of the processes that haven't ended."""
        return set(active_children()) - self._others

    def share(self, value: Any) -> str:
        """Let the processes have this value; what to ask `shared` for."""
        with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as file:
            pickle.dump(value, file)
        return file.name

    def results(self, work: Callable[[Task], Result], tasks: Iterable[Task], ahead: int = 2) -> Iterator[Result]:
        """What `work` gives for each task, in their order.

        Where there are processes, so many tasks for each are under way at a time, and begin at once. `work` is a
        function of a module. To go through them raises `ProcessLost` where a process is ended from outside.
        """
        if self._pool is None:
            return map(work, tasks)
        rest = (self._submitted(work, task) for task in tasks)
        return _in_order(deque(islice(rest, ahead * self.jobs)), rest)

    def _submitted(self, work: Callable[[Task], Result], task: Task) -> Future[Result]:
        assert self._pool is not None
        try:
            return self._pool.submit(work, task)
        except BrokenProcessPool as error:
            lost: Future[Result] = Future()
            lost.set_exception(error)  # told to who asks for it, as that of a task which was begun
            return lost


def _in_order(under_way: deque[Future[Result]], rest: Iterator[Future[Result]]) -> Iterator[Result]:
    while under_way:
        try:
            result = under_way.popleft().result()
        except BrokenProcessPool:
            raise ProcessLost from None
        under_way.extend(islice(rest, 1))
        yield result


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
    """Look now and then whether the first process is still there: one that was killed can't tell its pool to end.

    A thread that waits for its end would make every lock and every allocation dearer, of which there are millions.
    """
    parent = parent_process()
    assert parent is not None
    signal.signal(signal.SIGALRM, lambda *_: None if os.getppid() == parent.pid else os._exit(1))
    signal.setitimer(signal.ITIMER_REAL, _LOOK_S, _LOOK_S)


@contextmanager
def no_cycles() -> Iterator[None]:
    """No search for reference cycles: events make none, and among so many it takes a third of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
