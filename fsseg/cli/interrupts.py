"""Ctrl-C before a command has begun: nothing is under way, so the process ends at once and without a traceback."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from types import FrameType

INTERRUPTED = 130


def end_quietly() -> None:
    """Until `raise_from_now_on`, Ctrl-C ends the process."""
    signal.signal(signal.SIGINT, _end)


def raise_from_now_on() -> None:
    """Ctrl-C raises `KeyboardInterrupt` from here on."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(number: int, frame: FrameType | None) -> None:
    with suppress(OSError):
        os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)
