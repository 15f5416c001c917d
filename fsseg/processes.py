"""Processes that a run's planning is spread over; with one job, what they would do is done here."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from itertools import islice
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


class ProcessLost(Exception):
    """One of the processes was ended from outside."""


class Processes:
    """So many processes as `jobs` says, which end with this one; none for one job.

    `folder` is where they put what they leave for each other, which goes when they are closed.
    """

    def __init__(self, jobs: int, folder: Path) -> None:
        self.jobs = jobs
        self._pool: ProcessPoolExecutor | None = None
        if jobs == 1:
            return
        self._shared = tempfile.TemporaryDirectory(dir=folder)
        self.folder = Path(self._shared.name)
        """The folder that is shared with them."""
        # A forked process has all modules at once; where threads run already, or forking isn't safe, it starts anew.
        method = "fork" if sys.platform == "linux" and threading.active_count() == 1 else "spawn"
        self._pool = ProcessPoolExecutor(jobs, get_context(method), initializer=_begin)
        self._pool.submit(int)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._shared.cleanup()

    def share(self, value: Any) -> str:
        """Let the processes have this value; what to ask `shared` for."""
        with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as file:
            pickle.dump(value, file)
        return file.name

    def results(self, work: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """What `work` gives for each task, in their order, a few of them under way at a time.

        `work` is a function of a module. Raises `ProcessLost` where a process is ended from outside.
        """
        if self._pool is None:
            yield from map(work, tasks)
            return
        rest = iter(tasks)
        try:
            under_way = deque(self._pool.submit(work, task) for task in islice(rest, 2 * self.jobs))
            while under_way:
                result = under_way.popleft().result()
                under_way.extend(self._pool.submit(work, task) for task in islice(rest, 1))
                yield result
        except BrokenProcessPool:
            raise ProcessLost("a process that helps was ended from outside, perhaps for want of memory") from None


@lru_cache(maxsize=4)
def shared(name: str) -> Any:
    """The value that `Processes.share` was given."""
    return pickle.loads(Path(name).read_bytes())  # noqa: S301  # what we wrote ourselves


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interruption is for the first process to handle
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    gc.disable()


def _end_with_parent() -> None:
    """A process that was killed can't tell its pool to end."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
