"""How a command ends that is interrupted, or that nobody listens to any more."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import struct
import termios
import time
from io import FileIO
from pathlib import Path

import pytest

from tests.cli.conftest import SAMPLES, Shell

PERSON = {"type": "identify", "userId": "ada@example.com", "messageId": "m1", "traits": {"title": "CEO"}}


def test_ctrl_c_while_events_are_waited_for_ends_130_and_says_so(shell: Shell) -> None:
    pipe = shell.write("pipe")
    pipe.unlink()
    os.mkfifo(pipe)
    with shell.started("inspect", pipe.name) as process, open(pipe, "wb", buffering=0) as events:
        events.write(json.dumps(PERSON).encode() + b"\n")
        while _unread(events):
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "interrupted"
    assert "Traceback" not in err


def _unread(pipe: FileIO) -> int:
    """How many bytes nobody has taken out of it yet."""
    (count,) = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))
    return int(count)


@pytest.mark.parametrize(
    "command", [["inspect", SAMPLES / "messy.jsonl", "--top", "0"], ["fields", "--sandbox"], ["--help"]], ids=str
)
def test_what_nobody_reads_ends_quietly(shell: Shell, command: list[str | Path]) -> None:
    code, err = shell.unheard(*command)
    assert code == 1
    assert "pipe" not in err


@pytest.mark.parametrize("flag", ["--json", "--no-progress"])
def test_an_import_whose_report_nobody_reads_is_done_all_the_same(shell: Shell, flag: str) -> None:
    shell.unheard("import", "--sandbox", shell.write("a.jsonl", PERSON), flag)
    (run,) = shell("runs", "list", "--json").json
    assert (run["state"], run["outcomes"]["applied"]) == ("done", 1)
