from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.cells import cell_len

from fsseg.report.runs_table import RunRow, print_runs
from fsseg.state.run_folder import RunInfo, RunState

from .samples import HOSTILE, capturing, shown

ID = "2026-11-22-141200-3f"
OTHER = "2026-11-21-080000-a1"
LONG = "/data/exports/2026/customers-of-the-whole-year-and-the-one-before.jsonl.gz"


def row(id: str = ID, account: str = "acme.freshsales.io", records: Any = None, **what: Any) -> RunRow:
    given: dict[str, Any] = {
        "command": "import", "state": RunState.DONE, "started_at": "2026-11-22T14:12:00.000001Z", "seconds": 4.2,
        "inputs": ["/data/events.jsonl"], "outcomes": {"applied": 265, "unchanged": 12, "failed": 4},
    } | what  # fmt: skip
    info = RunInfo(id=id, account=account, edition="classic", **given)
    return RunRow(id, account, str(info.state), info, records or {})


def lines(*rows: RunRow, **console: Any) -> list[str]:
    out = capturing(**console)
    print_runs(out, rows)
    return shown(out).splitlines()


def on_terminal(width: int, *rows: RunRow) -> list[str]:
    """What somebody sees, without the colours."""
    return [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines(*rows, width=width, terminal=True)]


THIS_YEAR = f"{datetime.now().year}-06-02T03:04:05Z"
TWO = (
    row(inputs=[LONG, LONG], started_at=THIS_YEAR, state=RunState.SUPERSEDED, command="dry-run", dry=True),
    row(OTHER, command="undo", of=ID, started_at=THIS_YEAR, seconds=3900.0, records={"lead": {"update": 12}}),
)


def test_a_pipe_gets_one_line_for_each_run_and_nothing_is_cut() -> None:
    account, head, first, second = lines(row(inputs=[LONG]), row(OTHER, command="undo", of=ID, inputs=[]), width=40)
    assert account == "acme.freshsales.io"
    assert head.split() == ["run", "state", "command", "inputs", "started", "took", "outcome"]
    assert LONG.rpartition("/")[2] in first
    assert first.endswith("applied 265, failed 4")
    assert f"(undoes {ID})" in second
    assert not any(line != line.rstrip() for line in (head, first, second))


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ({}, "applied 265, failed 4"),
        ({"exit_code": 1}, "applied 265, failed 4, exit 1"),
        ({"exit_code": 0, "outcomes": {"applied": 12_345}}, "applied 12,345"),
        ({"outcomes": {"applied": 0, "unchanged": 7, "skipped": 1}}, "unchanged 7, skipped 1"),
        ({"outcomes": {"applied": 0, "unchanged": 0}}, "nothing read"),
        ({"outcomes": {}, "exit_code": 3}, "exit 3"),
        ({"outcomes": {}}, "–"),
        ({"command": "dry-run", "dry": True, "state": RunState.PLANNED}, "would apply 265, failed 4"),
        ({"command": "dry-run", "dry": True, "state": RunState.APPLIED}, "would apply 265, failed 4"),
        ({"state": RunState.DECLINED}, "would apply 265, failed 4"),
        ({"state": RunState.PLANNING}, "–"),
        ({"state": RunState.RUNNING}, "–"),
        ({"command": "undo"}, "–"),
        ({"command": "undo", "records": {"lead": {"update": 9}, "deal": {"update": 3}}}, "put back 12"),
        ({"command": "undo", "records": {"lead": {"delete": 3, "conflict": 1, "failed": 1}}}, "deleted 3, left alone 2"),
        ({"command": "undo", "records": {"lead": {"unchanged": 3}}}, "nothing to put back"),
        ({"command": "undo", "dry": True, "records": {"lead": {"unchanged": 3}}}, "nothing to put back"),
        ({"command": "undo", "state": RunState.STOPPED, "exit_code": 5, "records": {"lead": {"pending": 3}}}, "exit 5"),
        ({"command": "undo", "dry": True, "records": {"lead": {"update": 2, "delete": 1}}}, "would put back 2, delete 1"),
    ],
)  # fmt: skip
def test_the_outcome_is_told_in_few_words(what: dict[str, Any], told: str) -> None:
    _, head, line = lines(row(**what))
    assert line[head.index("outcome") :] == told


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ({"inputs": ["/data/events.jsonl", "b", "c", "d"]}, "events.jsonl +3"),
        ({"inputs": ["-"]}, "stdin"),
        ({"inputs": []}, "–"),
        ({"command": "apply", "of": OTHER}, f"(applies {OTHER})"),
        ({"command": "undo", "of": OTHER}, f"(undoes {OTHER})"),
        ({"inputs": [f"/data/{HOSTILE.replace('/', '')}\n"]}, r"<script>alert(1)<script>[bold]x\x1b[31m\u202egnp\n"),
    ],
)
def test_the_inputs_are_named_by_the_first_one(what: dict[str, Any], told: str) -> None:
    _, head, line = lines(row(**what))
    assert line[head.index("inputs") : head.index("started")].strip() == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.0, "–"), (0.4, "<1 s"), (4.2, "4 s"), (59.7, "1 m"), (750.0, "12 m"), (3899.6, "1 h 05 m"), (273_600.0, "3 d 4 h")],
)  # fmt: skip
def test_durations_are_as_exact_as_a_list_needs(seconds: float, told: str) -> None:
    *_, line = lines(row(seconds=seconds))
    before, _, _ = line.partition("  applied")
    assert before.endswith(f" {told}")


def test_the_year_is_told_where_it_is_not_this_one() -> None:
    now = datetime.now().astimezone()
    this, earlier = now.astimezone(UTC).isoformat(), now.replace(year=now.year - 1, day=1).astimezone(UTC).isoformat()
    seen = lines(row(started_at=this), row(OTHER, started_at=earlier), width=140, terminal=True)
    assert f"  {now:%m-%d %H:%M}" in seen[2]
    assert f"  {now.year - 1}-{now:%m}-01 {now:%H:%M}" in seen[3]


def test_a_run_that_cannot_be_read_is_listed_all_the_same() -> None:
    _, _, line = lines(RunRow(ID, "acme.freshsales.io", "damaged", None))
    assert line.split() == [ID, "damaged", *"–––––"]


def test_a_time_that_is_none_is_left_out() -> None:
    _, head, line = lines(row(started_at="soon"))
    assert line[head.index("started") :].startswith("–")


def test_accounts_stand_above_their_runs_in_columns_of_the_same_width() -> None:
    seen = lines(row(), row(OTHER, "umbrella.myfreshworks.com", inputs=[LONG]), row("2026-11-20-080000-a1"))
    assert seen[0] == "acme.freshsales.io"
    assert [line.split()[0] for line in seen[2:4]] == [ID, "2026-11-20-080000-a1"]
    assert (seen[4], seen[5]) == ("", "umbrella.myfreshworks.com")
    assert seen[1] == seen[6]
    assert seen[7].split()[0] == OTHER
    assert len(seen) == 8


def test_a_narrow_terminal_shows_the_ends_of_names_and_the_outcome_beneath() -> None:
    seen = on_terminal(80, *TWO)
    assert "  …e.jsonl.gz +1  " in seen[2]
    assert seen[3] == "  would apply 265, failed 4"
    assert "  (undoes …0-3f)  " in seen[4]
    assert "  1 h 05 m" in seen[4]
    assert seen[5] == "  put back 12"


def test_a_wider_terminal_shows_more_of_the_names_and_then_the_outcome_beside() -> None:
    assert "  …-one-before.jsonl.gz +1  " in on_terminal(90, *TWO)[2]
    assert on_terminal(160, *TWO)[2].endswith("would apply 265, failed 4")


def test_a_very_narrow_terminal_keeps_the_ids_and_has_the_rest_beneath() -> None:
    seen = on_terminal(64, *TWO)
    assert [line.split()[0] for line in seen[2::2]] == [ID, OTHER]
    assert seen[3] == "  …ear-and-the-one-before.jsonl.gz +1  would apply 265, failed 4"
    assert seen[5] == f"  (undoes {ID})  put back 12"


@pytest.mark.parametrize("width", [1, 7, 20, 40, 64, 70, 80, 81, 100, 119, 120, 200])
def test_no_line_is_longer_than_the_terminal_is_wide(width: int) -> None:
    rows = [*TWO, row(account="a" * 90), row(OTHER, inputs=["/x/" + "名" * 60]), row(outcomes={"applied": 10**9})]
    assert max(map(cell_len, on_terminal(width, *rows))) <= width


def test_only_a_terminal_gets_colours() -> None:
    stopped = row(state=RunState.STOPPED)
    assert "\x1b[33mstopped\x1b[0m" in lines(stopped, terminal=True)[2]
    assert "\x1b[31mdamaged\x1b[0m" in lines(RunRow(ID, "a", "damaged", None), terminal=True)[2]
    assert "\x1b" not in "".join(lines(stopped))


def test_an_encoding_without_room_for_signs_gets_none() -> None:
    console = {"width": 80, "terminal": True, "encoding": "ascii"}
    seen = lines(row(inputs=[LONG]), RunRow(OTHER, "acme.freshsales.io", "damaged", None), **console)
    assert ".jsonl.gz" in seen[2].partition("  ...")[2]
    assert "damaged\x1b[0m  -        -" in seen[4]
