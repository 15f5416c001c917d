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
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkContext, SpawnContext
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Lock
from pathlib import Path
from typing import Any, TypeVar, cast

Task = TypeVar("Task")
Result = TypeVar("Result")
Answer = list[Any]
"""The result of a task, and the error that it ended with, if it did, and where."""


_PREFIX = "processes-"
"""How the folders begin that processes share."""


_WITH_THREADS = {"obstore", "pyarrow"}
"""Modules that have threads which Python doesn't count."""


_LOOK_S = 1.0
"""Seconds after which a process looks whether the first one is still there."""


_END_S = 20.0
"""Seconds that processes have to end what is under way, once nothing more is asked of them."""


_MOST_POSTED = 512
"""Bytes that go through a pipe at a time: one holds some sixteen thousand at least."""


_NICE = 7
"""How far the processes stand back behind the first one, which hands them their work: else they soon have none."""


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
        self._is_lost = False
        for left in folder.glob(f"{_PREFIX}*"):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        if jobs == 1:
            return
        self._shared = tempfile.TemporaryDirectory(dir=folder, prefix=_PREFIX)
        self.folder = Path(self._shared.name)
        """The folder that is shared with them."""
        # A forked process has all modules at once; where threads run already, or forking isn't safe, it starts anew.
        has_threads = threading.active_count() > 1 or not _WITH_THREADS.isdisjoint(sys.modules)
        is_safe = sys.platform == "linux" and not has_threads
        try:
            self._begin(get_context("fork") if is_safe else get_context("spawn"))
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
                target=_work, args=(tasks, self._tasks, self._lock, answer, self.folder), daemon=True
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
        for process in self._begun:
            process.join(max(0, until - time.monotonic()))
        self._kill()
        self._shared.cleanup()

    def _kill(self) -> None:
        for process in self._begun:
            process.kill()
            process.join()
        self._begun.clear()

    def share(self, value: Any) -> str:
        """Let the processes have this value; what to ask `shared` for."""
        return _filed(pickle.dumps(value), self.folder)

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
        if self._begun:
            self._ask(work, task, wanted=False)

    def _ask(self, work: Callable[[Task], object], task: Task, *, wanted: bool) -> int:
        """The number by which this task's result is found."""
        self._asked += 1
        if wanted:
            self._wanted.add(self._asked)
        with suppress(BrokenPipeError):  # all are lost, as whoever waits for a result is told
            self._tasks.send_bytes(_posted((self._asked, work, task), self.folder))
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
        if self._is_lost:
            raise ProcessLost
        for answers in cast(list[Connection], wait(self._answers)):
            try:
                number, *answer = _opened(answers.recv_bytes())
            except EOFError:
                self._is_lost = True
                self._wanted.clear()
                self._kill()  # those left may wait for a lock that this one held
                raise ProcessLost from None
            if number in self._wanted:
                self._wanted.remove(number)
                self._results[number] = answer


def _work(tasks: Connection, others: Connection, lock: Lock, answer: Connection, folder: Path) -> None:
    """What each process does: one task after another, each of which one of them takes, until there will be no more."""
    others.close()
    _init_worker()
    while True:
        try:
            with lock:
                content = tasks.recv_bytes()
        except EOFError:
            return
        number, work, task = _opened(content)
        try:
            content = _posted((number, work(task), None, ""), folder)
        except Exception as error:
            content = _failed(number, error)
        with suppress(BrokenPipeError):  # nobody is there any more
            answer.send_bytes(content)


def _failed(number: int, error: Exception) -> bytes:
    """The answer to a task that ended with this error, never in a file, for which there may be no room."""
    where = traceback.format_exc()
    try:
        content = pickle.dumps((number, None, error, where))
        pickle.loads(content)  # noqa: S301  # not every error can be made again
    except Exception:
        content = pickle.dumps((number, None, RuntimeError(repr(error)), where))
    return content


def _posted(value: Any, folder: Path) -> bytes:
    """A value as it goes through a pipe: by itself or, if it is long, in a file.

    So no pipe ever is full of tasks or answers, and nobody waits for somebody who waits in turn.
    """
    content = pickle.dumps(value)
    return content if len(content) <= _MOST_POSTED else pickle.dumps(Path(_filed(content, folder)))


def _filed(content: bytes, folder: Path) -> str:
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        file.write(content)
    return file.name


def _opened(content: bytes) -> Any:
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
