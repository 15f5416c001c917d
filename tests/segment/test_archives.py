"""Archives hold inputs, each with a name of its own, whatever they are packed in."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fsseg.segment import Input, archives, expand, read
from fsseg.segment.archives import open_member
from tests.segment.exports import PACKINGS, Files, gz, jsonl, parquet, table, tarred, zipped
from tests.segment.messages import lines, message, outcomes

ONE, TWO, THREE = (lines(message(messageId=f"m-{number}")) for number in (1, 2, 3))
FILES = {
    "segment-logs/abc/1704672000000/1.gz": gz(ONE),
    "segment-logs/abc/1704758400000/2.gz": gz(TWO),
    "segment-logs/dummy-object.txt": b"test",
    "__MACOSX/segment-logs/._1.gz": b"x",
    ".DS_Store": b"x",
    "data/_SUCCESS": b"",
    "README.md": b"# Export",
    "last.jsonl": THREE,
}
NAMES = ["segment-logs/abc/1704672000000/1.gz", "segment-logs/abc/1704758400000/2.gz", "last.jsonl"]
ARCHIVES: dict[str, Callable[[Files], bytes]] = {
    "zip": zipped,
    "tar": tarred,
    **{f"tar.{kind}": (lambda files, pack=pack: pack(tarred(files))) for kind, pack in PACKINGS.items()},  # type: ignore[misc]
    "zip.gz": lambda files: gz(zipped(files)),
}


def read_paths(paths: list[str]) -> list[str]:
    return [one for number, path in enumerate(paths) for one in outcomes(list(read(Input(path, number))))]


@pytest.mark.parametrize("kind", ARCHIVES)
def test_files_in_archives_are_inputs(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "export"  # told by content, not by name
    path.write_bytes(ARCHIVES[kind](FILES))
    files, unreadable = expand([str(path)])
    assert (files, unreadable) == ([f"{path}!{name}" for name in NAMES], [])
    assert read_paths(files) == ["m-1", "m-2", "m-3"]
    assert read_paths(files[::-1]) == ["m-3", "m-2", "m-1"]


@pytest.mark.parametrize("outer", ARCHIVES)
@pytest.mark.parametrize("inner", ARCHIVES)
def test_archives_may_be_nested(tmp_path: Path, outer: str, inner: str) -> None:
    path = tmp_path / f"all.{outer}"
    path.write_bytes(ARCHIVES[outer]({"a.jsonl": ONE, "in/ner": ARCHIVES[inner]({"b.jsonl": TWO}), "c.jsonl": THREE}))
    files, unreadable = expand([str(path)])
    assert (files, unreadable) == ([f"{path}!a.jsonl", f"{path}!in/ner!b.jsonl", f"{path}!c.jsonl"], [])
    assert read_paths(files) == ["m-1", "m-2", "m-3"]


def test_a_file_in_an_archive_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    path.write_bytes(zipped({"a.jsonl": ONE, ".b.jsonl": TWO}))
    assert expand([f"{path}!.b.jsonl"]) == ([f"{path}!.b.jsonl"], [])
    assert expand([f"{path}!c.jsonl"]) == ([], [(f"{path}!c.jsonl", "the archive has no such file")])


def test_an_exclamation_mark_may_be_part_of_a_name(tmp_path: Path) -> None:
    path = tmp_path / "wow!.jsonl"
    path.write_bytes(ONE)
    assert expand([str(path)]) == ([str(path)], [])
    assert read_paths([str(path)]) == ["m-1"]


def test_archives_among_other_files_of_a_folder_are_looked_into(tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_bytes(zipped({"x": TWO}))
    (tmp_path / "a.jsonl").write_bytes(ONE)
    (tmp_path / "c.jsonl").write_bytes(THREE)
    files, _ = expand([str(tmp_path)])
    assert [os.path.relpath(file, tmp_path) for file in files] == ["a.jsonl", "b.zip!x", "c.jsonl"]
    assert read_paths(files) == ["m-1", "m-2", "m-3"]


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.zst", "tar.bz2", "tar.xz"])
def test_a_damaged_archive_is_told_with_what_could_be_read(tmp_path: Path, kind: str) -> None:
    many = {f"{number}.jsonl": os.urandom(5_000).hex().encode() for number in range(40)}
    path = tmp_path / "all"
    path.write_bytes(ARCHIVES[kind]({"a.jsonl": ONE} | many)[:-60_000])
    files, unreadable = expand([str(path)])
    assert [reason for _, reason in unreadable if "damaged" in reason] or kind == "tar.bz2"  # whose blocks are large
    assert kind in ("zip", "tar.bz2") or f"{path}!a.jsonl" in files


@pytest.mark.parametrize(
    ("local", "central", "told"), [(6, 8, "it is encrypted"), (8, 10, "Deflate64: unpack it first")],
    ids=["encrypted", "Deflate64"],
)  # fmt: skip
def test_a_file_of_an_archive_that_cannot_be_unpacked_is_told_and_the_others_are_read(
    tmp_path: Path, local: int, central: int, told: str
) -> None:
    data = bytearray(zipped({"a.jsonl": ONE, "b.jsonl": TWO}))
    for sign, offset in ((b"PK\x03\x04", local), (b"PK\x01\x02", central)):
        data[data.index(sign) + offset] |= 1  # the flag of an encrypted file, or what makes Deflate another method
    path = tmp_path / "all.zip"
    path.write_bytes(data)
    files, unreadable = expand([str(path)])
    assert files == [f"{path}!b.jsonl"]
    assert told in unreadable[0].reason


@pytest.mark.parametrize("name", ["./a.jsonl", "../a.jsonl", "./x/../a.jsonl", "/a.jsonl"])
def test_files_are_read_whatever_way_they_are_named_in_the_archive(tmp_path: Path, name: str) -> None:
    for archive, content in (("all.tgz", gz(tarred({name: ONE}))), ("all.zip", zipped({name: ONE}))):
        path = tmp_path / archive
        path.write_bytes(content)
        files, unreadable = expand([str(path)])
        assert (read_paths(files), unreadable) == (["m-1"], [])


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_files_with_one_name_the_second_is_told(tmp_path: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for content in (ONE, TWO):
            archive.writestr("a.jsonl", content)
    path = tmp_path / "all.zip"
    path.write_bytes(held.getvalue())
    files, unreadable = expand([str(path)])
    assert read_paths(files) == ["m-1"]
    assert unreadable == [(f"{path}!a.jsonl", "the archive has another file of this name: unpack it")]


@pytest.mark.parametrize("pack", [bytes, gz])
@pytest.mark.parametrize(
    "content",
    [
        tarred({"one.jsonl": ONE}) + tarred({"two.jsonl": TWO}),
        tarred({"one.jsonl": ONE, "two.jsonl": TWO}).replace(b"two.jsonl", b"two.jsonx"),
    ],
    ids=["another archive", "a damaged name"],
)
def test_what_follows_an_early_end_of_an_archive_is_told(
    tmp_path: Path, pack: Callable[[bytes], bytes], content: bytes
) -> None:
    path = tmp_path / "both.tar"
    path.write_bytes(pack(content))
    files, unreadable = expand([str(path)])
    assert [Path(file).name for file in files] == ["both.tar!one.jsonl"]
    assert [(one.path, "what follows is not read" in one.reason) for one in unreadable] == [(str(path), True)]
    assert read_paths(files) == ["m-1"]


def test_a_zip_archive_before_another_is_told(tmp_path: Path) -> None:
    path = tmp_path / "both.zip"
    path.write_bytes(zipped({"one.jsonl": ONE}) + zipped({"two.jsonl": TWO}))
    files, ((told, reason),) = expand([str(path)])
    assert ([Path(file).name for file in files], told) == (["both.zip!two.jsonl"], str(path))
    assert "another archive stands before it" in reason


@pytest.mark.parametrize(
    ("pack", "more"), [(lambda tar: gz(tar)[:-8], 0), (lambda tar: gz(tar)[:-8], 100), (bytes, 100)]
)
def test_an_archive_that_is_cut_between_its_files_is_told(
    tmp_path: Path, pack: Callable[[bytes], bytes], more: int
) -> None:
    whole = tarred({"one.jsonl": ONE, "two.jsonl": TWO})
    path = tmp_path / "cut.tgz"
    path.write_bytes(pack(whole[: whole.index(b"two.jsonl") + more]))
    files, unreadable = expand([str(path)])
    assert [Path(file).name for file in files] == ["cut.tgz!one.jsonl"]
    assert ["ends too early" in one.reason for one in unreadable] == [True]


def test_damage_is_told_in_plain_words(tmp_path: Path) -> None:
    damaged = bytearray(zipped({"a.jsonl": ONE * 50}))
    damaged[60] ^= 0xFF
    for name, content in (
        ("a.tar", tarred({"in.zip": bytes(damaged), "b.jsonl": TWO})),
        ("b.tgz", gz(tarred({"in.zip": bytes(damaged)[:90], "b.jsonl": TWO}))),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        files, ((_, reason),) = expand([str(path)])
        assert read_paths(files) == ["m-2"]
        assert "damaged" in reason and "Errno" not in reason and reason.count("archive is damaged") <= 1


def test_a_workbook_is_no_archive(tmp_path: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("xl/sheet1.xml", "<x/>")
    path = tmp_path / "leads.xlsx"
    path.write_bytes(held.getvalue())
    assert expand([str(path)]) == ([], [(str(path), "an Office document: save its sheet as CSV")])


def test_an_archive_is_read_once_for_all_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "all.tar.gz"
    path.write_bytes(gz(tarred({f"{number}.jsonl": ONE for number in range(50)})))
    files, _ = expand([str(path)])
    begun: list[str] = []
    whole = archives.members

    def counted(archive: str) -> Iterator[archives.Member]:
        begun.append(archive)
        return whole(archive)

    monkeypatch.setattr(archives, "members", counted)
    assert read_paths(files) == ["m-1"] * 50
    assert begun == [str(path)]


def test_what_is_gone_from_an_archive_is_told(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    path.write_bytes(zipped({"a.jsonl": ONE}))
    with pytest.raises(FileNotFoundError):
        open_member(f"{path}!b.jsonl")


COLUMNS = ["id", "anonymous_id", "user_id", "received_at", "timestamp", "event", "event_text"]


def rows_of(ending: str, *more: str) -> bytes:
    row = dict.fromkeys([*COLUMNS, *more], "x")
    if ending == "csv":
        return table([*row], [[*row.values()]])
    return parquet([row]) if ending == "parquet" else jsonl([row])


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("between", [".", "/0001."])
def test_the_tracks_table_comes_after_the_tables_of_the_events(tmp_path: Path, ending: str, between: str) -> None:
    for name, content in (("tracks", rows_of(ending)), ("trial_started", rows_of(ending, "plan"))):
        path = tmp_path / f"{name}{between}{ending}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    files = [str(Path(file).relative_to(tmp_path)) for file in expand([str(tmp_path)])[0]]
    assert files == [f"trial_started{between}{ending}", f"tracks{between}{ending}"]


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_tracks_table_of_another_name_comes_after_the_tables_of_the_events_too(tmp_path: Path, ending: str) -> None:
    for name, content in (("dump", rows_of(ending)), ("trial_started", rows_of(ending, "plan"))):
        (tmp_path / f"{name}.{ending}").write_bytes(content)
    files = [Path(file).stem for file in expand([str(tmp_path)])[0]]
    assert files == ["trial_started", "dump"]
