from __future__ import annotations

import stat
from pathlib import Path

import orjson
import pytest

from fsseg.report.files import JsonLines, read_lines, write_summary
from fsseg.state.private_file import replacing

from .samples import HOSTILE, import_summary


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_summary_is_read_back_as_it_was_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    write_summary(path, import_summary())
    assert orjson.loads(path.read_bytes()) == import_summary()
    assert mode(path) == 0o600


def test_a_file_with_open_rights_is_private_after_writing(tmp_path: Path) -> None:
    for name in ("summary.json", "failures.jsonl"):
        (tmp_path / name).touch(0o644)
    write_summary(tmp_path / "summary.json", {})
    JsonLines(tmp_path / "failures.jsonl").close()
    assert mode(tmp_path / "summary.json") == mode(tmp_path / "failures.jsonl") == 0o600


def test_a_failed_writing_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as file:
            file.write(b"half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert [p.read_text() for p in tmp_path.iterdir()] == ["old"]


def test_lines_replace_those_that_were_there_and_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "failures.jsonl"
    for n in (1, 2):
        with JsonLines(path) as lines:
            lines.write({"n": n, "text": HOSTILE})
            assert lines.written == 1
        assert list(read_lines(path)) == [{"n": n, "text": HOSTILE}]
    assert mode(path) == 0o600


@pytest.mark.parametrize("torn", [b'{"n":1}\n{"n', b'{"n', b'{"n":1}\n' + b"x" * 600_000])
def test_a_line_left_half_written_is_not_read(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "failures.jsonl"
    path.write_bytes(torn)
    assert list(read_lines(path)) == [{"n": 1}] * torn.count(b"\n")


@pytest.mark.parametrize("edited", [b"{oops\n", b"[1]\n", b"3\n", b"\xff\n", b" \n", b"\n"])
def test_a_line_that_somebody_has_edited_and_broken_hides_no_other(tmp_path: Path, edited: bytes) -> None:
    path = tmp_path / "failures.jsonl"
    path.write_bytes(b'{"n":1}\n' + edited + b'{"n":2}\n')
    assert list(read_lines(path)) == [{"n": 1}, {"n": 2}]


def test_a_missing_file_has_no_lines(tmp_path: Path) -> None:
    assert list(read_lines(tmp_path / "failures.jsonl")) == []
