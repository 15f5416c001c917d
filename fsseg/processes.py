"""Processes that planning and the writing of changes.jsonl are spread over; with one job, all is done in this one."""

from __future__ import annotations

import gc
import pickle
import shutil
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar, cast

from fsseg.working_process import filed, opened, posted, work_on

Task = TypeVar("Task")
Result = TypeVar("Result")
Answer = tuple[Any, Exception | None, str]
"""The result of a task, and the error that it ended with, if it did, and where."""


_PREFIX = "processes-"
"""How the folders begin that processes share."""


_WITH_THREADS = {"obstore", "pyarrow"}
"""Modules that have threads which Python doesn't count."""


_END_S = 20.0
"""Seconds that processes have to end what is under way, once nothing more is asked of them."""


class ProcessLost(Exception):
    """One of the processes was ended from outside."""

    def __init__(self) -> None:
        super().__init__("a process that helps was ended from outside, perhaps for want of memory")


class RaisedElsewhere(Exception):
    """Where in another process an error came up, as Python tells it."""


class ProcessesRefused(Exception):
    """This machine lets no more processes be begun."""

    def __init__(self, jobs: int, error: Exception) -> None:
        super().__init__(f"--jobs {jobs}: not so many processes can be begun here: {getattr(error, 'strerror', error)}")


class Processes:
    """As many processes as `jobs` says, which end with this one; none for one job.

    They are asked and answer through pipes, without a thread in this process: as soon as it has one, every lock of
    SQLite's and Python's takes longer, of which there are some for each row. `folder` is where they get a folder for
    what they leave for each other, which goes when they are closed. Raises `ProcessesRefused`.
    """

    def __init__(self, jobs: int, folder: Path) -> None:
        self.jobs = jobs
        self._begun: list[BaseProcess] = []
        self._answers: list[Connection] = []
        self._asked = 0
        self._wanted: set[int] = set()
        """The numbers of the tasks whose results somebody still waits for."""
        self._results: dict[int, Answer] = {}
        for left in folder.glob(f"{_PREFIX}*"):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        if jobs == 1:
            return
        self._shared = tempfile.TemporaryDirectory(dir=folder, prefix=_PREFIX)
        self.folder = Path(self._shared.name)
        """The folder that is shared with them."""
        # A forked process has all modules at once; where threads run already, or forking isn't safe, it starts anew.
        has_threads = threading.active_count() > 1 or not _WITH_THREADS.isdisjoint(sys.modules)
        context = get_context("fork") if sys.platform == "linux" and not has_threads else get_context("spawn")
        try:
            self._begin(context)
        except (OSError, RuntimeError, ImportError) as error:  # the last without semaphores
            self._kill()
            self._shared.cleanup()
            raise ProcessesRefused(jobs, error) from None

    def _begin(self, context: ForkContext | SpawnContext) -> None:
        """Begin all, before anything is open that they shouldn't hold."""
        tasks, self._tasks = context.Pipe(duplex=False)
        self._lock = context.Lock()  # which a process that starts anew finds only as long as it is there
        for _ in range(self.jobs):
            answers, answer = context.Pipe(duplex=False)
            self._answers.append(answers)
            # With the other end of the pipe, which they close, so that all of them see when nothing more will come.
            process = context.Process(
                target=work_on, args=(tasks, self._tasks, self._lock, answer, self.folder), daemon=True
            )
            process.start()
            self._begun.append(process)
            answer.close()  # else the next one has it as well, and it stays open when this one is lost
        tasks.close()

    def dismiss(self) -> None:
        """Let them end: by themselves, once all is done, or at once, if nobody will look at what they are doing."""
        if not self._begun:
            return
        self._tasks.close()
        if self._wanted:
            self._kill()

    def close(self) -> None:
        """End them, with what is left of their files."""
        if self.jobs == 1:
            return
        self.dismiss()
        until = time.monotonic() + _END_S
        while (left := [one.sentinel for one in self._begun if one.exitcode is None]) and time.monotonic() < until:
            if any(one.exitcode for one in self._begun):
                break  # it was ended from outside, and the others may wait for a lock that it held
            wait(left, until - time.monotonic())
        self._kill()
        self._shared.cleanup()

    def _kill(self) -> None:
        for process in self._begun:
            process.kill()
            process.join()
        self._begun.clear()

    def share(self, value: Any) -> str:
        """Let the processes have this value; what to ask `shared` for."""
        return filed(pickle.dumps(value), self.folder)

    def results(self, work: Callable[[Task], Result], tasks: Iterable[Task], ahead: int = 2) -> Iterator[Result]:
        """What `work` gives for each task, in their order.

        Where there are processes, so many tasks for each are under way at a time, and begin at once. `work` is a
        function of a module. To go through them raises what `work` raises, and `ProcessLost` where a process is ended
        from outside.
        """
        if self.jobs == 1:
            return map(work, tasks)
        rest = (self._ask(work, task, wanted=True) for task in tasks)
        return self._in_order(deque(islice(rest, ahead * self.jobs)), rest)

    def meanwhile(self, work: Callable[[Task], object], task: Task) -> None:
        """Have something done by one of the processes that nobody waits for; nothing, where there are none."""
        if self._begun and not self._tasks.closed:
            self._ask(work, task, wanted=False)

    def _ask(self, work: Callable[[Task], object], task: Task, *, wanted: bool) -> int:
        """The number by which this task's result is found."""
        self._asked += 1
        if wanted:
            self._wanted.add(self._asked)
        with suppress(BrokenPipeError):  # all are lost, as whoever waits for a result is told
            self._tasks.send((self._asked, posted((work, task), self.folder)))
        return self._asked

    def _in_order(self, under_way: deque[int], rest: Iterator[int]) -> Iterator[Any]:
        while under_way:
            number = under_way.popleft()
            while number not in self._results:
                self._receive()
            value, error, where = self._results.pop(number)
            if error is not None:
                raise error from RaisedElsewhere(where)
            under_way.extend(islice(rest, 1))
            yield value

    def _receive(self) -> None:
        """Wait for answers."""
        if not self._begun:
            raise ProcessLost
        for answers in cast(list[Connection], wait(self._answers)):
            try:
                number, content = answers.recv()
            except (EOFError, OSError):  # the second where it was ended while it answered
                self._kill()  # those left may wait for a lock that this one held
                raise ProcessLost from None
            answer = opened(content)
            if number in self._wanted:
                self._wanted.remove(number)
                self._results[number] = answer


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
