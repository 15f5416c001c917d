from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fsseg.segment import expand
from tests.segment.exports import Files, tarred, zipped

ANY = b"{}\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b/2.gz", "b/10.gz", "a.jsonl", "c/d/e.jsonl", ".hidden", ".git/x", "b/.part"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"{}\n")
    return tmp_path


def names(root: Path, *paths: str) -> list[str]:
    files, unreadable = expand([str(root / path) if path != "-" else path for path in paths])
    assert unreadable == []
    return [os.path.relpath(file, root) if file != "-" else file for file in files]


def test_directories_are_read_recursively_in_order_without_hidden_files(tree: Path) -> None:
    assert names(tree, "") == ["a.jsonl", "b/10.gz", "b/2.gz", "c/d/e.jsonl"]


def test_what_lies_beside_the_events_in_a_directory_is_left_out_unless_it_is_named(tree: Path) -> None:
    (tree / "b" / "fsseg.toml").write_text("strict = true\n")
    (tree / "b" / "README.md").write_text("# Exports\n")
    assert names(tree, "b") == ["b/10.gz", "b/2.gz"]
    assert names(tree, "b/README.md") == ["b/README.md"]


def test_a_name_that_is_not_utf_8_is_told_and_stops_no_other(tree: Path) -> None:
    odd = os.fsencode(tree / "b") + b"/caf\xe9.jsonl"
    Path(os.fsdecode(odd)).write_bytes(b"{}\n")
    files, unreadable = expand([str(tree), str(tree / "b" / "*.jsonl")])
    assert [os.path.relpath(file, tree) for file in files] == ["a.jsonl", "b/10.gz", "b/2.gz", "c/d/e.jsonl"]
    assert {reason for _, reason in unreadable} == {"its name is not UTF-8: rename it"}
    assert all(path.endswith("caf\ufffd.jsonl") for path, _ in unreadable)


@pytest.mark.timeout(20)
def test_links_that_lead_upward_are_followed_once(tree: Path) -> None:
    for number in range(12):
        (tree / "c" / f"up-{number}").symlink_to(tree)
        (tree / "c" / "d" / f"up-{number}").symlink_to(tree / "c")
    assert names(tree, "**") == ["a.jsonl", "b/10.gz", "b/2.gz", "c/d/e.jsonl"]
    assert names(tree, "**/*.gz") == ["b/10.gz", "b/2.gz"]
    assert names(tree, "c/**/e.jsonl") == ["c/d/e.jsonl"]
    assert names(tree, "**/d/**/e.jsonl") == ["c/d/e.jsonl"]


def test_two_stars_begin_anywhere(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    assert expand(["**/e.jsonl"]) == (["c/d/e.jsonl"], [])
    assert expand(["**"])[0] == ["a.jsonl", "b/10.gz", "b/2.gz", "c/d/e.jsonl"]
    assert expand(["c/**"])[0] == ["c/d/e.jsonl"]


def test_closed_standard_input_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert expand(["-"]) == ([], [("-", "standard input is closed")])


def test_a_hidden_file_can_be_named(tree: Path) -> None:
    assert names(tree, ".hidden") == [".hidden"]


def test_patterns_work_without_a_shell(tree: Path) -> None:
    assert names(tree, "b/*.gz") == ["b/10.gz", "b/2.gz"]
    assert names(tree, "**/*.jsonl") == ["a.jsonl", "c/d/e.jsonl"]
    assert names(tree, "[bc]") == ["b/10.gz", "b/2.gz", "c/d/e.jsonl"]


def test_a_file_with_a_name_like_a_pattern_is_that_file(tree: Path) -> None:
    (tree / "x[1].jsonl").write_bytes(b"")
    assert names(tree, "x[1].jsonl") == ["x[1].jsonl"]


def test_each_file_is_read_once(tree: Path) -> None:
    (tree / "link").symlink_to(tree / "a.jsonl")
    assert names(tree, "b/2.gz", "b", "a.jsonl", "link", "b/../a.jsonl", "-", "-") == [
        "b/2.gz",
        "b/10.gz",
        "a.jsonl",
        "-",
    ]


def test_links_in_a_circle_end(tree: Path) -> None:
    (tree / "b" / "up").symlink_to(tree)
    assert names(tree, "b") == ["b/10.gz", "b/2.gz", "b/up/a.jsonl", "b/up/c/d/e.jsonl"]


def test_pipes_lying_about_are_left_alone_but_can_be_named(tree: Path) -> None:
    os.mkfifo(tree / "b" / "pipe")
    assert names(tree, "b") == names(tree, "b/*") == names(tree, "b/**") == ["b/10.gz", "b/2.gz"]
    assert names(tree, "b/pipe") == ["b/pipe"]


def test_what_cannot_be_read_is_told_and_the_rest_found(tree: Path) -> None:
    (tree / "b" / "dangling").symlink_to(tree / "gone")
    paths = [str(tree / name) for name in ("gone.jsonl", "b", "*.csv")]
    files, unreadable = expand(paths)
    assert len(files) == 2
    assert [(os.path.relpath(path, tree), bool(reason)) for path, reason in unreadable] == [
        ("gone.jsonl", True),
        ("b/dangling", True),
        ("*.csv", True),
    ]


def test_a_file_without_permission_is_told(tree: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (tree / "a.jsonl").chmod(0)
    assert expand([str(tree / "a.jsonl")])[0] == []


def test_files_of_a_folder_that_may_be_listed_and_not_entered_are_told(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "b").chmod(0o444)
    stat = os.stat

    def of_others(path: Any, **more: Any) -> os.stat_result:
        """As for who isn't root."""
        if str(path).startswith(f"{tree}/b/"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return stat(path, **more)

    monkeypatch.setattr(os, "stat", of_others)
    files, unreadable = expand([str(tree)])
    (tree / "b").chmod(0o755)
    assert len(files) == 2
    assert [(os.path.relpath(path, tree), reason) for path, reason in unreadable] == [
        ("b/10.gz", "Permission denied"), ("b/2.gz", "Permission denied"),
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["S3://bucket/x", "http://example.com/e.jsonl", "gcs://b/*.gz", "file:///tmp/e.jsonl"])
def test_an_address_of_no_known_kind_is_no_missing_file(path: str) -> None:
    files, unreadable = expand([path])
    assert files == []
    assert [(one.path, "s3://, gs://, az:// or https://" in one.reason) for one in unreadable] == [(path, True)]


def test_the_reserved_folders_of_a_data_lake_are_passed_over(tmp_path: Path) -> None:
    for name in ("data/s/segment_type=identify/day=2024-01-08/hr=00/a", "logs/x", "segment-stage/y", "segment-logs/z"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_bytes(ANY)
    assert [Path(file).name for file in expand([str(tmp_path)])[0]] == ["a"]
    assert [Path(file).name for file in expand([str(tmp_path / "segment-logs")])[0]] == ["z"]


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_the_reserved_folders_of_a_data_lake_are_passed_over_in_archives(
    tmp_path: Path, pack: Callable[[Files], bytes]
) -> None:
    lake = {
        "lake/data/s/segment_type=identify/day=2024-01-08/hr=00/a": ANY,
        "lake/logs/x": b"not for us",
        "logs/b": ANY,
    }
    (tmp_path / "lake.zip").write_bytes(pack({**lake, "lake/segment-stage/y.zip": zipped({"z": ANY})}))
    files, unreadable = expand([str(tmp_path)])
    assert ([Path(file).name for file in files], unreadable) == (["a", "b"], [])
