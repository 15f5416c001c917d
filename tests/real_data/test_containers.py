"""Files as they come: several objects on a line, and files that are no export at all."""

from __future__ import annotations

import gzip

import orjson

from tests.e2e.events import identify
from tests.e2e.harness import Machine

GOOD = [identify("kim@north.example", lastName="Vos")]


def test_thousands_of_objects_on_one_line(classic: Machine) -> None:
    events = [identify(f"p{n}@north.example", lastName="P") for n in range(3000)]
    path = classic.write("firehose.json", b"".join(map(orjson.dumps, events)))
    assert classic.dry_runs("--offline", path).outcomes == {"applied": 3000}
    assert classic.dry_runs("--offline", "--jobs", "2", path).outcomes == {"applied": 3000}


def test_a_foreign_file_is_told_once_and_the_good_ones_go_on(classic: Machine) -> None:
    paths = [
        classic.write("table.csv", b"name,city\n" + b"Kim,Oslo\n" * 1000),
        classic.write("page.jsonl", b"<!DOCTYPE html>\n<html>\n" + b"<p>x</p>\n" * 100),
        classic.write("good.jsonl", GOOD),
        classic.write(
            "pack.jsonl.gz", gzip.compress(b"e".ljust(257, b"\0") + b"ustar  \0".ljust(255, b"\0") + b"{}\n")
        ),
    ]

    result = classic.imports(*paths)

    assert (result.code, result.outcomes) == (1, {"applied": 1})
    told = [row for row in result.summary["inputs"] if "unreadable" in row]
    assert [row["path"].rpartition("/")[2] for row in told] == ["table.csv", "page.jsonl", "pack.jsonl.gz"]
    for word in ("a table", "web page", "the archive is damaged"):
        assert result.err.count(word) == 1
    again = classic.imports(*paths)
    assert (again.code, again.outcomes) == (1, {"skipped": 1})


def test_nothing_but_foreign_files_is_exit_4(classic: Machine) -> None:
    path = classic.write("table.csv", b"name,city\n" + b"Kim,Oslo\n" * 1000)
    for arguments in ((path,), (path, "--jobs", "2")):
        result = classic.imports(*arguments)
        assert (result.code, result.out) == (4, "")
        assert result.err.count("a table") == 1
    piped = classic.run("import", "-", stdin=b"name,city\n" + b"Kim,Oslo\n" * 1000)
    assert piped.code == 4
    assert "a table" in piped.err
    assert not list(classic.state.glob("*/runs/*"))


def test_what_could_not_be_read_stays_what_it_was_and_nobody_is_told_to_mend_it_there(classic: Machine) -> None:
    rows = b"type,event,userId,messageId\nidentify,,kim@north.example,m1\nidentify,,kim,m2,too,many,cells,here\n"
    cut = gzip.compress(orjson.dumps(identify("kim@north.example", lastName="Vos")) * 500)[:-20]
    first = classic.imports(
        classic.write("table.csv", rows), classic.write("cut.jsonl.gz", cut), classic.write("a.jsonl", b"{no\n")
    )
    codes = {"bad_row": 1, "truncated": 1, "not_json": 1}
    assert first.code == 1
    assert {code: first.reasons[code] for code in codes} == codes
    assert "Mend " not in first.out
    failures = classic.write("failures.jsonl", first.file("failures.jsonl"))
    for _ in range(2):
        again = classic.imports(failures)
        assert {code: again.reasons[code] for code in codes} == codes
        assert sum("a.jsonl line 1)" in row["_fsseg"]["message"] for row in again.failures) == 1
        failures = classic.write("failures.jsonl", again.file("failures.jsonl"))
