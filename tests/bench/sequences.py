"""What random sequences of commands over overlapping files leave behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.bench.table import table
from tests.faults.sequences import STEPS, play

EDITIONS = ("classic", "suite")


def sequences(count: int, first: int = 1_000) -> str:
    """The table of so many sequences, half of them in each edition: records lost and doubled against one import of all."""
    rows = []
    for edition in EDITIONS:
        lost = doubled = 0
        for seed in range(first, first + count // len(EDITIONS)):
            with tempfile.TemporaryDirectory() as folder:
                found = play(Path(folder) / "world", edition, seed)
            lost, doubled = lost + len(found.lost), doubled + len(found.doubled)
        rows.append((edition, str(count // len(EDITIONS)), str(lost), str(doubled)))
    title = f"Random sequences of {STEPS} commands over overlapping files, two accounts, kills and faults in between"
    return table(title, ("", "sequences", "records lost", "records doubled"), rows)
