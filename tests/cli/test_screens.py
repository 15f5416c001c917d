"""Every command that shows something, as it is seen: on terminals of any width, without colours, in ASCII, in a pipe."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
from rich.cells import cell_len

from tests.cli.conftest import SAMPLES, Shell

ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[a-zA-Z]|\][^\x07]*\x07)")
COLOURS = re.compile(r"\x1b\[[0-9;]*3[0-9][0-9;]*m|\x1b\[[0-9;]*4[0-7][0-9;]*m")
COPIED = re.compile(r"fsseg |/|^# |= \{")
"""Lines that are as long as they are, since somebody copies them."""

SHOWING: dict[str, list[str]] = {
    "check": ["check", "--sandbox"],
    "fields": ["fields", "--sandbox", "--choices"],
    "inspect": ["inspect", "messy.jsonl", "--sandbox", "--suggest"],
    "dry-run": ["dry-run", "messy.jsonl", "--sandbox", "--again", "--no-progress"],
    "undo": ["undo", "--dry-run", "--sandbox", "--no-progress"],
    "runs list": ["runs", "list"],
    "runs show": ["runs", "show", "latest"],
    "report": ["report"],
    "report on a person": ["report", "--person", "tove@fjell.example"],
    "report on an event": ["report", "--event", "Order Completed"],
    "sandbox show": ["sandbox", "show"],
    "sandbox show NAME": ["sandbox", "show", "tove"],
    "help": ["help", "import"],
    "no such run": ["report", "2020"],
}
WHOLE_EVENTS = {"report on a person", "report on an event"}
"""Where failed events stand as they are."""


@pytest.fixture
def shell_of_people(after_import: Shell) -> Shell:
    (after_import.folder / "here").mkdir(exist_ok=True)
    (after_import.folder / "here" / "messy.jsonl").write_bytes((SAMPLES / "messy.jsonl").read_bytes())
    return after_import


def seen(shell: Shell, arguments: list[str]) -> str:
    """What stays on the screen, without the colours."""
    _, shown = shell.on_terminal(*arguments)
    return ESCAPES.sub("", shown).replace("\r\n", "\n")


@pytest.mark.parametrize("name", SHOWING)
def test_no_line_is_wider_than_the_terminal_but_those_to_be_copied(shell_of_people: Shell, name: str) -> None:
    for columns in (60, 80, 200):
        text = seen(shell_of_people.with_env(COLUMNS=str(columns)), SHOWING[name])
        assert all(cell_len(line) <= columns for line in text.split("\n") if "requests/hour" in line), columns
        wide = [line for line in text.split("\n") if cell_len(line) > columns and not COPIED.search(line)]
        assert not [line for line in wide if not (name in WHOLE_EVENTS and '{"' in line)], columns


@pytest.mark.parametrize("name", SHOWING)
def test_without_colours_there_are_none(shell_of_people: Shell, name: str) -> None:
    _, plain = shell_of_people.with_env(NO_COLOR="1").on_terminal(*SHOWING[name])
    assert not COLOURS.search(plain)


@pytest.mark.parametrize("name", SHOWING)
def test_where_nothing_but_ascii_can_be_shown_it_says_as_much(shell_of_people: Shell, name: str) -> None:
    """In a process of its own, as the encoding is settled when that starts."""
    env = {"PATH": os.environ["PATH"], "HOME": str(shell_of_people.folder), "LC_ALL": "POSIX", "PYTHONUTF8": "0"}
    env |= {"FSSEG_STATE_DIR": str(shell_of_people.state), "PYTHONCOERCECLOCALE": "0", "COLUMNS": "100"}
    command = [sys.executable, "-m", "fsseg", *SHOWING[name]]
    done = subprocess.run(command, cwd=shell_of_people.folder / "here", env=env, capture_output=True)
    assert (done.stdout + done.stderr).isascii()
    assert done.returncode == shell_of_people(*SHOWING[name]).code
    assert b"Traceback" not in done.stderr and (done.stdout + done.stderr).strip()


@pytest.mark.parametrize("name", [name for name in SHOWING if name != "help"])
def test_as_json_it_is_json_and_nothing_else_on_stdout(shell_of_people: Shell, name: str) -> None:
    done = shell_of_people(*SHOWING[name], "--json")
    assert json.loads(done.out) is not None
