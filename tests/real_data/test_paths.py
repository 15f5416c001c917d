"""Odd paths stop nothing: names that are no text, a closed standard input."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.e2e.events import identify
from tests.e2e.harness import Machine


def test_a_name_that_is_not_utf_8_in_a_folder_stops_no_other(classic: Machine) -> None:
    folder = classic.home / "events"
    folder.mkdir()
    classic.write("events/a.jsonl", [identify("kim@north.example", lastName="Vos")])
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.jsonl")).write_bytes(b"{}\n")

    result = classic.imports(str(folder))

    assert (result.code, result.outcomes) == (1, {"applied": 1})
    assert "not UTF-8" in result.err


def test_closed_standard_input_is_told(classic: Machine) -> None:
    env = {**os.environ, **{name: value for name, value in classic.env().items() if value is not None}}
    command = [
        sys.executable,
        "-c",
        "import os, sys; os.close(0); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])",
    ]
    done = subprocess.run(
        [*command, "-m", "fsseg", "import", "-"], env=env, capture_output=True, check=False, text=True
    )
    assert (done.returncode, done.stdout) == (4, "")
    assert "standard input is closed" in done.stderr
    assert "Traceback" not in done.stderr
