"""What `fsseg inspect` tells people: what is left out of a list, what doesn't fit, and on a narrow terminal all of it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Shell

TRAITS: dict[str, Any] = {"title": "CEO", "city": "Breda", "jobtitel": "x", "favoriteColor": "blue", "shoeSize": 9}


def identify(user: str, **traits: Any) -> dict[str, Any]:
    return {"type": "identify", "userId": user, "timestamp": "2024-01-02T03:04:05Z", "traits": traits}


@pytest.fixture
def path(shell: Shell) -> str:
    shell.write(
        "a.jsonl",
        identify("ada@example.com", **TRAITS),
        identify("ada@example.com", title={"no": "text"}, company={"name": "Acme", "employee_count": "a few"}),
        identify("kim@example.com", company={"name": "Acme", "employee_count": "some"}),
    )
    return "a.jsonl"


def test_a_list_says_how_much_it_leaves_out_and_names_what_is_ignored(shell: Shell, path: str) -> None:
    done = shell("inspect", path, "--top", "2")
    assert re.search(r"and \d+ more: --top 0 lists all", done.out)
    assert "Ignored too: " in done.out
    whole = shell("inspect", path, "--top", "0")
    assert "more: --top" not in whole.out
    assert "Ignored too" not in whole.out


def test_values_that_do_not_fit_are_counted_with_the_first_of_them(shell: Shell, path: str) -> None:
    done = shell("inspect", path)
    assert re.search(r"company\.employee_count .* 2 don't fit: .*\(first: a\.jsonl line 2\)", done.out)
    assert re.search(r"title\.no .* 1 doesn't fit: .*\(first: a\.jsonl line 2\)", done.out)


@pytest.mark.parametrize("columns", [50, 80])
def test_on_a_narrow_terminal_remarks_are_wrapped_and_whole(shell: Shell, path: str, columns: int) -> None:
    code, seen = shell.with_env(COLUMNS=str(columns)).on_terminal("inspect", path, "--no-progress")
    assert code == 0
    table = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen).replace("\r", "").partition("Traits")[2].partition("\n")[2]
    words = " ".join(table.split())
    assert "2 don't fit: number_of_employees takes a number from 1 on (first: a.jsonl line 2)" in words
    assert "ignored; did you mean job_title?" in words
    remarks = [line for line in table.splitlines() if "fit:" in line or "ignored" in line]
    assert max(map(len, remarks)) <= columns


SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_on_a_terminal_nothing_but_what_is_to_be_pasted_is_wider_than_it(shell: Shell, columns: int) -> None:
    shell.write("small.jsonl", identify("kim@example.com", nickname="Kim"))
    for name in ("backfill/events.jsonl", "messy.jsonl"):
        shutil.copy(SAMPLES / name, shell.folder / "here")
    shell = shell.with_env(COLUMNS=str(columns))
    code, seen = shell.on_terminal("inspect", ".", "--suggest", "--no-progress", "--top", "3")
    assert code == 1
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen).replace("\r", "").partition("To paste")[0]
    assert max(map(len, text.splitlines())) <= columns
    assert re.search(r"missing_email +the userId is no e-mail", text)


def test_in_a_pipe_places_and_values_are_whole(shell: Shell) -> None:
    far = shell.write("a-file-whose-name-is-so-long-that-it-fits-in-no-column-of-a-table.jsonl", identify("7"))
    done = shell("inspect", far, "--suggest")
    assert f"  {far}  jsonl" in done.out
    assert f"first: {far} line 1" in done.out


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="there is no file that can be opened but not read")
def test_a_file_that_cannot_be_read_is_named_and_the_others_are_told(shell: Shell, path: str) -> None:
    done = shell("inspect", path, "/proc/self/mem", "--json")
    assert (done.code, done.json["events"]["read"]) == (1, 3)
    assert "/proc/self/mem: " in done.err
    assert shell("inspect", "/proc/self/mem").code == 4


def test_quiet_prints_nothing(shell: Shell, path: str) -> None:
    assert shell("inspect", path, "--quiet").out == ""
