"""Tables for people: none wider than the terminal, nothing cut in a pipe."""

from __future__ import annotations

import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from fsseg.cli.table import heading, print_table

COLUMNS = ("file", "kind", "count", "field")
FILE = "s3://acme-archive/segment-logs/9sJr2mKqZs/1704153600000/2024-01-02-0000.gz"
ROWS = [
    (FILE, "jsonl", "1,204", "job_title"),
    ("a.jsonl", "csv: identifies", "3", "a remark of several words that goes on and on until nobody reads it any more"),
    ("日本語のファイル名がここにあります.jsonl", "jsonl", "12", ""),
]


def printed(width: int | None, *, giving: tuple[str, ...] = (), ends: tuple[str, ...] = ()) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=width is not None, color_system=None, markup=False)
    print_table(console, COLUMNS, ROWS, right=("count",), giving=giving, ends=ends)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [50, 60, 80, 100, 200])
@pytest.mark.parametrize("giving", [(), ("file",)])
def test_no_line_is_wider_than_the_terminal_and_the_last_cell_is_whole(width: int, giving: tuple[str, ...]) -> None:
    lines = printed(width, giving=giving, ends=("file",))
    assert max(map(cell_len, lines)) <= width
    assert ROWS[1][-1] in " ".join(" ".join(lines).split())
    assert any(line.split()[0].endswith("2024-01-02-0000.gz") for line in lines if "1,204" in line)


def test_what_gives_way_lets_the_last_cell_stay_beside_it() -> None:
    assert [line for line in printed(80, giving=("file",)) if "job_title" in line and "1,204" in line]
    assert not [line for line in printed(80) if "job_title" in line and "1,204" in line]


def test_in_a_pipe_nothing_is_cut_or_wrapped() -> None:
    head, *lines = printed(None)
    assert head.split() == [*COLUMNS]
    assert [re.split(r" {2,}", line.strip()) for line in lines] == [
        [cell for cell in row if cell] for row in ROWS
    ]  # fmt: skip


def test_a_heading_is_wrapped_between_words() -> None:
    out = io.StringIO()
    heading(
        Console(file=out, width=30, force_terminal=True, color_system=None), "12 events · 3 identify · 9 track calls"
    )
    assert out.getvalue().splitlines() == ["12 events · 3 identify · 9", "track calls"]
