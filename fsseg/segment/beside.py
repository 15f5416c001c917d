"""Work beside the thread that waits for it: the wait ends with Ctrl-C, which a call to a library doesn't see."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

A = TypeVar("A")


def beside(work: Callable[[], A]) -> Future[A]:
    """What the work will give; the process doesn't wait for its end to end."""
    future: Future[A] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)
        except BaseException as error:  # what a library in Rust panics with: nobody looks out for that
            future.set_exception(OSError(None, f"its library gave up: {error}"))

    Thread(target=run, daemon=True).start()
    return future


def interruptible(work: Callable[[], A]) -> A:
    """What the work gives. Raises what it raises, and KeyboardInterrupt before it has ended."""
    return beside(work).result()
