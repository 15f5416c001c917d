"""The command by a fast clock, which can die at any step: `python tests/faults/fast.py import …`.

A step is a statement to SQLite, or a file that is made, written, moved or deleted. With `DIE_AT` in the environment the
process kills itself before the step of that number; with `STEPS_TO` it writes to that file how many it took.
"""

from __future__ import annotations

import atexit
import os
import signal
import sqlite3
import sys
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir")
WRITES = os.O_WRONLY | os.O_RDWR

_steps = count(1)
_last = int(os.environ.get("DIE_AT") or 0)


def step() -> None:
    if next(_steps) == _last:
        os.kill(os.getpid(), signal.SIGKILL)


class Mortal(sqlite3.Connection):
    """Each statement is a step."""

    def execute(self, *args: Any) -> sqlite3.Cursor:
        step()
        return super().execute(*args)

    def executemany(self, *args: Any) -> sqlite3.Cursor:
        step()
        return super().executemany(*args)

    def executescript(self, *args: Any) -> sqlite3.Cursor:
        step()
        return super().executescript(*args)


def watch(event: str, args: tuple[Any, ...]) -> None:
    """An audit hook."""
    if event in CHANGES or (event == "open" and args[2] & WRITES):
        step()


def tell(path: Path) -> None:
    """How many steps there were."""
    path.write_text(str(next(_steps)))


if __name__ == "__main__":
    from fsseg.__main__ import main
    from fsseg.freshsales import pacer
    from tests.faults.clock import FastClock

    vars(pacer)["SystemClock"] = FastClock
    sqlite3.connect = partial(sqlite3.connect, factory=Mortal)  # type: ignore[assignment]
    sys.addaudithook(watch)
    if told := os.environ.get("STEPS_TO"):
        atexit.register(tell, Path(told))
    main()
