"""Signs of life of a long run: a line a minute where there are no bars, and one whenever SIGUSR1 asks."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from fsseg.report.progress import Progress

BEAT = 5.0
"""Seconds between two looks at whether it is time for a line."""


# Signals rather than a thread: processes are forked later, which threads don't survive.
@contextmanager
def heartbeat(progress: Callable[[], Progress]) -> Iterator[None]:
    """Let the progress that is shown now show life, and tell how far the run is when SIGUSR1 comes."""
    with ExitStack() as stack:
        if hasattr(signal, "SIGUSR1"):
            stack.enter_context(_on(signal.SIGUSR1, lambda: progress().tell()))
        if hasattr(signal, "setitimer"):
            stack.enter_context(_on(signal.SIGALRM, lambda: progress().beat()))
            signal.setitimer(signal.ITIMER_REAL, BEAT, BEAT)
            stack.callback(signal.setitimer, signal.ITIMER_REAL, 0)
        yield


@contextmanager
def _on(number: signal.Signals, act: Callable[[], None]) -> Iterator[None]:
    def handle(number: int, frame: Any) -> None:
        with suppress(RuntimeError):  # it came in the middle of another line
            act()

    before = signal.signal(number, handle)
    try:
        yield
    finally:
        signal.signal(number, before)
