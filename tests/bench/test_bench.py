from __future__ import annotations

import pytest

from tests.bench import sequences as bench_sequences
from tests.bench.__main__ import main
from tests.bench.faults import faults
from tests.bench.sequences import sequences
from tests.faults.story import Difference
from tests.faults.ways import imported


def test_the_benchmarks_run_and_print_a_table_each(capsys: pytest.CaptureFixture[str]) -> None:
    main(
        ["whole", "shares", "account", "stages", "memory", "requests", "start", "ledger", "people", "--scale", "0.001"]
    )
    printed = capsys.readouterr().out
    for row in (
        "bare orjson.loads",
        "dry-run --offline, 200 of 20 people",
        "read, map, dedupe, partition",
        "import, suite, 50% of the people there",
        "read, map, fold",
        "by a mapping of 60 rules",
        "100 events of 20 people",
        "look-up of 20 new events",
        "known by a database id",
        "20 identify",
        "fsseg --help",
    ):
        assert row in printed


def test_sequences_and_what_they_leave_behind_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_sequences, "play", lambda folder, edition, seed: Difference([], []))
    rows = [line.split() for line in sequences(2).splitlines()[-2:]]
    assert rows == [["classic", "1", "0", "0"], ["suite", "1", "0", "0"]]


def test_kills_and_what_they_leave_behind_are_counted() -> None:
    last = faults(2, 0, {"import": imported}).splitlines()[-1]
    assert last.split() == ["all", "2", "0", "0", "0", "0"]
