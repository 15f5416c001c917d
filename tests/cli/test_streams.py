"""What a command does where its standard streams take nothing, or are closed, or lead to a terminal of no width."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import SAMPLES, Shell
from tests.cli.test_endings import PERSON


@pytest.mark.parametrize(
    "command",
    [
        ["--help"],
        ["--version"],
        ["help", "import"],
        ["fields", "--sandbox"],
        ["runs", "list", "--json"],
        ["inspect", SAMPLES / "messy.jsonl", "--json"],
    ],
    ids=str,
)
def test_what_cannot_be_printed_is_an_error_that_says_so_once(shell: Shell, command: list[str | Path]) -> None:
    done = shell.redirected(*command, stdout="/dev/full")
    assert done.code == 5
    assert done.err.count("error:") == 1
    assert "error: standard output can't be written: No space left on device\n" in done.err
    assert "hint: make room on that disk first" in done.err


@pytest.mark.parametrize("flag", ["--json", "--no-progress"])
def test_an_import_whose_report_cannot_be_printed_is_done_and_says_where_it_is_told(shell: Shell, flag: str) -> None:
    done = shell.redirected("import", "--sandbox", shell.write("a.jsonl", PERSON), flag, stdout="/dev/full")
    assert done.code == 5
    (run,) = shell("runs", "list", "--json").json
    assert (run["state"], run["outcomes"]["applied"]) == ("done", 1)
    (told,) = [line for line in done.err.splitlines() if "fsseg report" in line]
    _, *advised = told[told.index("fsseg report") :].split()
    assert "applied" in shell(*advised).out


def closed(shell: Shell, streams: str, *command: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Run it by a shell that closes some streams first."""
    line = ["sh", "-c", f'exec "$0" -m fsseg "$@" {streams}', sys.executable, *map(str, command)]
    env = {**os.environ, "HOME": str(shell.folder), "FSSEG_STATE_DIR": str(shell.state)}
    return subprocess.run(line, capture_output=True, env=env, stdin=subprocess.DEVNULL, check=False)


def unread(shell: Shell, *command: str | Path) -> int:
    """Run it with a stderr that nobody reads any more; its exit code."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return shell.redirected(*command, stderr=writing).code
    finally:
        os.close(writing)


def test_a_log_that_takes_nothing_changes_nothing_of_an_import(shell: Shell) -> None:
    """Nor of how it ends: 1 is for rejected events, 0 for none."""
    command = ("import", "--sandbox", "--again", "--verbose", shell.write("a.jsonl", PERSON))
    assert shell.redirected(*command, stderr="/dev/full").code == 0
    assert unread(shell, *command) == 0
    assert closed(shell, "2>&-", *command).returncode == 0
    runs = shell("runs", "list", "--json").json
    assert [(run["state"], run["exit_code"]) for run in runs] == [("done", 0)] * 3


@pytest.mark.parametrize(
    ("command", "code"), [(["nix"], 2), (["import", "nix.jsonl", "--sandbox"], 4), (["fields", "--sandbox"], 0)]
)
def test_how_a_command_ends_does_not_depend_on_who_hears_of_it(shell: Shell, command: list[str], code: int) -> None:
    assert shell.redirected(*command, stderr="/dev/full").code == code
    assert unread(shell, *command) == code
    assert closed(shell, "2>&- <&-", *command).returncode == code


def test_with_stderr_closed_stdout_holds_nothing_but_what_was_asked_for(shell: Shell) -> None:
    done = closed(shell, "2>&-", "import", "--sandbox", "--json", str(shell.write("a.jsonl", PERSON)))
    assert json.loads(done.stdout)["exit_code"] == 0


def test_no_file_of_a_run_takes_the_place_of_a_closed_stream(shell: Shell) -> None:
    done = closed(shell, "1>&- 2>&- <&-", "import", "--sandbox", "--verbose", str(shell.write("a.jsonl", PERSON)))
    assert done.returncode == 0
    assert shell("report").code == 0


@pytest.mark.parametrize("columns", ["0", "", "00"])
def test_a_terminal_that_does_not_know_its_width_is_told_all_the_same(shell: Shell, columns: str) -> None:
    shell = shell.with_env(COLUMNS=columns)
    assert "Usage:" in shell("--help").out
    assert "no such command" in shell("nix").err
    assert "job_title" in shell("fields", "--sandbox").out
