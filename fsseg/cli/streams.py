"""The standard streams where what they lead to takes nothing, or no more: a full disk, a terminal that is gone."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any, TextIO, cast


class CannotPrint(Exception):
    """Standard output takes no more, for another reason than that its reader has gone (exit 5)."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"standard output can't be written: {error.strerror or error}")
        self.error = error


class _Stream:
    """All of a stream but how it is written."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Talk(_Stream):
    """Standard error: what can't be told there is left out, as no run is to end for that."""

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def leave_nothing(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            lead_nowhere(self._stream)


class _Data(_Stream):
    """Standard output, which raises `CannotPrint` once; where nobody reads it any more, `BrokenPipeError`."""

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError as error:
            raise self._lost(error) from None

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            raise self._lost(error) from None

    def _lost(self, error: OSError) -> Exception:
        if isinstance(error, BrokenPipeError):
            return error
        lead_nowhere(self._stream)
        return CannotPrint(error)


def take_streams() -> None:
    """Make standard output and error as above, and have those that were closed lead nowhere."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:  # else the next file that is opened would get what is printed
            os.open(os.devnull, os.O_RDWR)
    sys.stderr = cast(TextIO, _Talk(sys.stderr or open(2, "w", closefd=False)))  # noqa: SIM115  # to the end
    if sys.stdout is not None:
        sys.stdout = cast(TextIO, _Data(sys.stdout))


def leave_nothing() -> None:
    """Try once more to tell what couldn't be told on standard error; whatever is left would end Python with 120."""
    if isinstance(sys.stderr, _Talk):
        sys.stderr.leave_nothing()


def lead_nowhere(stream: TextIO) -> None:
    """Have what is still to be written to a stream be lost."""
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())
