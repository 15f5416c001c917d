"""What an event costs does not grow with how many there are, whatever they are like."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.shapes import OPTIONS, SHAPES, TIMES, messages
from tests.bench.whole import dry_run

PEOPLE = 150


def hundreds_of_steps(folder: Path, shape: str, people: int) -> int:
    """What SQLite takes for a dry run: the same whatever else the machine does."""
    folder.mkdir()
    events = folder / "events.jsonl"
    events.write_bytes(b"".join(messages(shape, people)))
    arguments = [*dry_run(events)[3:], *OPTIONS]
    env = {**os.environ, "FSSEG_STATE_DIR": str(folder / "state"), "STEPS": str(folder / "steps")}
    done = subprocess.run([sys.executable, "-m", "tests.e2e.steps", *arguments], env=env, capture_output=True)
    assert done.returncode in (0, 1), done.stderr
    return int((folder / "steps").read_text())


@pytest.mark.parametrize("shape", SHAPES)
def test_four_times_as_many_people_take_four_times_as_many_steps(tmp_path: Path, shape: str) -> None:
    start, few, many = (hundreds_of_steps(tmp_path / str(count), shape, count) for count in (1, PEOPLE, TIMES * PEOPLE))
    assert many - start <= 1.25 * TIMES * (few - start)
