from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.bench import requests as bench_requests
from tests.bench import sequences as bench_sequences
from tests.bench.__main__ import main
from tests.bench.faults import faults
from tests.bench.sequences import sequences
from tests.faults.story import Difference
from tests.faults.ways import imported


def test_the_benchmarks_run_and_print_a_table_each(capsys: pytest.CaptureFixture[str]) -> None:
    main(
        [
            "whole",
            "shares",
            "shapes",
            "account",
            "stages",
            "rules",
            "containers",
            "archive",
            "memory",
            "requests",
            "start",
            "ledger",
            "people",
            "--scale",
            "0.001",
        ]
    )
    printed = capsys.readouterr().out
    for row in (
        "bare orjson.loads",
        "dry-run --offline, 200 of 20 people",
        "track, by an e-mail of before",
        "read, map, dedupe, partition",
        "import, suite, 50% of the people there",
        "read, map, fold",
        "CSV of AWS S3 (Actions)",
        "gzip in S3",
        "20 objects",
        "60 rules of all kinds",
        "100 events of 20 people",
        "look-up of 20 new events",
        "known by a database id",
        "20 identify",
        "fsseg --help",
    ):
        assert row in printed


@pytest.mark.parametrize("edition", bench_requests.EDITIONS)
def test_requests_are_those_that_the_readme_states(edition: str) -> None:
    """Within a twentieth, where the account merges, and where it replaces."""
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8").splitlines()
    stated = {cells[1]: cells[2:] for line in readme if len(cells := [cell.strip() for cell in line.split("|")]) == 5}
    rows = bench_requests.imports(1_000)
    assert rows.keys() <= stated.keys()
    for name in (next(iter(rows)), *list(rows)[-3:]):
        files, behaviour = rows[name]
        found = bench_requests.sent(edition, files, behaviour)
        said = re.findall(r"[\d,]+", stated[name][bench_requests.EDITIONS.index(edition)])
        for number, text in zip(found, said, strict=True):
            wanted = int(text.replace(",", ""))
            assert abs(number - wanted) <= max(1, wanted // 20), (name, found, said)


def test_sequences_and_what_they_leave_behind_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_sequences, "play", lambda folder, edition, seed: Difference([], []))
    rows = [line.split() for line in sequences(2).splitlines()[-2:]]
    assert rows == [["classic", "1", "0", "0"], ["suite", "1", "0", "0"]]


def test_kills_and_what_they_leave_behind_are_counted() -> None:
    last = faults(2, 0, {"import": imported}).splitlines()[-1]
    assert last.split() == ["all", "2", "0", "0", "0", "0"]
