"""The command on a terminal, with somebody who reads what it says before they type."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.harness import Machine
from tests.forked import forked

PATIENCE = 60.0
"""Seconds after which nothing more is to be expected."""

CTRL_C = "\x03"
QUESTION = "[y/N/d]"


class Terminal:
    """A process on a terminal of 100 columns, and all that was to be seen of it."""

    def __init__(self, process: subprocess.Popen[bytes], ours: int) -> None:
        self.process = process
        self.ours = ours
        self._raw = b""

    @property
    def seen(self) -> str:
        """All that was printed so far, without colours and the moves of bars."""
        text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self._raw.decode(errors="replace"))
        return text.replace("\r\n", "\n")

    def until(self, text: str, times: int = 1) -> None:
        """Read on until this has been printed so often."""
        while self.seen.count(text) < times:
            assert self._read(), f"{text!r} never came:\n{self.seen}"

    def type(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def interrupt(self, question: str = "[y/N", times: int = 1) -> None:
        """Press Ctrl-C once the answer to this question is waited for; a moment before, the key could get lost."""
        self.until(question, times)
        self.until("]: ", times)
        status = Path(f"/proc/{self.process.pid}/stat")
        while status.exists() and ") S " not in status.read_text():
            time.sleep(0.005)
        self.type(CTRL_C)

    def answer(self, keys: str, question: str = QUESTION, times: int = 1) -> None:
        """Wait for the question, then type an answer and press return."""
        self.until(question, times)
        self.type(f"{keys}\r")

    def close(self) -> None:
        """Shut the window; the process's end is waited for."""
        os.close(self.ours)
        self.ours = -1
        self.process.wait(PATIENCE)

    def end(self) -> int:
        """Read to the end, which is never a traceback; the exit code."""
        while self._read():
            pass
        code = self.process.wait(PATIENCE)
        assert "Traceback" not in self.seen, self.seen
        return code

    def _read(self) -> bool:
        ready, _, _ = select.select([self.ours], [], [], PATIENCE)
        assert ready, f"nothing more came:\n{self.seen}"
        try:
            piece = os.read(self.ours, 65_536)
        except OSError:  # how Linux says that the other end is closed
            piece = b""
        self._raw += piece
        return bool(piece)


@contextmanager
def on_terminal(machine: Machine, *args: str) -> Iterator[Terminal]:
    """The command, under way."""
    ours, theirs = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FSSEG_")}
    env = {**kept, **machine.env(), "TERM": "xterm", "COLUMNS": "100"}
    env = {name: value for name, value in env.items() if value is not None}
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    with forked(["fsseg", *args], terminal=True, cwd=machine.home, env=env, **streams) as process:
        os.close(theirs)
        terminal = Terminal(process, ours)
        try:
            yield terminal
        finally:
            process.kill()
            if terminal.ours >= 0:
                os.close(ours)


def answered(machine: Machine, *args: str, answers: Sequence[str] = ()) -> tuple[int, str]:
    """The command with an answer for each of its questions; its exit code and all that was to be seen."""
    with on_terminal(machine, *args) as terminal:
        for number, answer in enumerate(answers, 1):
            if answer == CTRL_C:
                terminal.interrupt(times=number)
            else:
                terminal.answer(answer, "[y/N", number)
        return terminal.end(), terminal.seen
