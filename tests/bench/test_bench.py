from __future__ import annotations

import pytest

from tests.bench.__main__ import main


def test_the_benchmarks_run_and_print_a_table_each(capsys: pytest.CaptureFixture[str]) -> None:
    main(["stages", "memory", "requests", "start", "--scale", "0.001"])
    printed = capsys.readouterr().out
    for row in (
        "bare orjson.loads",
        "read, map, fold",
        "100 events of 20 people",
        "20 identify",
        "fsseg --help",
    ):
        assert row in printed
