"""What spreadsheets and editors do to tables costs a row, and never the file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsseg.segment import Event, Input, Rejected, UnreadableInput, read, split
from fsseg.segment.open import Source
from fsseg.segment.tables.csv_rows import Fault, csv_rows
from fsseg.segment.tables.dialect import DELIMITERS
from tests.segment import exports
from tests.segment.messages import Write, read_all, told

HEADER = b"user_id,email,plan,note\n"


def good(number: int, note: str = "") -> bytes:
    return f"u-{number},p{number}@x.example,Pro,{note}\n".encode()


def rows(write: Write, *content: bytes) -> dict[int, str]:
    """What became of each row, by its number: the userId, or the code of a reject."""
    items = list(read(Input(str(write(b"".join(content), "people.csv")), 0)))
    assert len({item.line for item in items}) == len(items)
    return {item.line: item.code if isinstance(item, Rejected) else str(item.message.user_id) for item in items}


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b"u-2,caf\xe9@x.example,Pro,\n", "not_utf8"),
        (b"u-2,p2@x.example,Pro,a,b\n", "bad_row"),
        (b"u-2,p2@x.example\n", "bad_row"),
        (b'u-2,"p2@x.example,Pro,\n', "bad_row"),
        (b'u-2,p2@x.example,"Pro"x,\n', "bad_row"),
        (b"u-2,p2@x.example,[object Object],\n", "bad_row"),
        (b"u-2,p2@x.example," + b"x" * (2 << 20) + b",\n", "too_large"),
        (b"u-2," + b"ab" * 32 + b",Pro,\n", "bad_email"),
    ],
    ids=["not UTF-8", "too long", "too short", "open quote", "stray quote", "lost object", "too large", "hashed"],
)
def test_a_bad_row_is_one_reject_with_its_number_and_no_other_is_lost(write: Write, bad: bytes, code: str) -> None:
    found = rows(write, HEADER, good(1), bad, good(3), good(4))
    assert found == {2: "u-1", 3: code, 4: "u-3", 5: "u-4"}


def test_an_open_quote_in_the_last_row_is_one_reject(write: Write) -> None:
    assert rows(write, HEADER, good(1), b'u-2,"p2@x.example,Pro,\n') == {2: "u-1", 3: "bad_row"}


def test_an_open_quote_takes_no_row_of_a_long_file(write: Write) -> None:
    many = [good(number) for number in range(4, 20_000)]
    found = rows(write, HEADER, good(2), b'u-3,"p3@x.example,Pro,\n', *many)
    assert (found.pop(3), len(found)) == ("bad_row", 19_997)


def test_line_breaks_within_quotes_belong_to_the_row(write: Write) -> None:
    found = rows(write, HEADER, good(1, '"two\r\nlines, and ""quotes"""'), good(2), b"\n", good(3))
    assert found == {2: "u-1", 3: "u-2", 5: "u-3"}


@pytest.mark.parametrize("more", [b"", b"u-4,p4@x.example,Pro,caf\xe9\n"])
def test_what_warehouses_write_for_nothing_says_nothing(write: Write, more: bytes) -> None:
    content = HEADER + b'u-1,p1@x.example,\\N,"a, \\N"\n\\N,p2@x.example,"\\N",\\n\n' + good(3, "\\N") + more
    items = read(Input(str(write(content, "people.csv")), 0))
    told = [item.original["traits"] for item in items if isinstance(item, Event)]
    assert told == [
        {"email": "p1@x.example", "note": "a, \\N"}, {"email": "p2@x.example", "note": "\\n"},
        {"email": "p3@x.example", "plan": "Pro"},
    ]  # fmt: skip


def test_empty_cells_beyond_the_header_are_no_harm(write: Write) -> None:
    assert rows(write, HEADER, good(1).strip() + b",,,\n", good(2)) == {2: "u-1", 3: "u-2"}


def test_a_column_that_is_there_twice_must_say_the_same(write: Write) -> None:
    header = b"user_id,email,plan,plan\n"
    same = b"u-1,p1@x.example,Pro,Pro\nu-2,p2@x.example,,Pro\n"
    assert rows(write, header, same, b"u-3,p3@x.example,Pro,Free\n") == {2: "u-1", 3: "u-2", 4: "bad_row"}


@pytest.mark.parametrize("cells", [b",Pro", b"Pro,", b"Pro,Pro"])
def test_a_column_that_is_there_twice_has_what_either_says(write: Write, cells: bytes) -> None:
    (event,) = read_all(write(b"user_id,email,plan,plan\nu-1,p1@x.example," + cells + b"\n", "people.csv"))
    assert isinstance(event, Event)
    assert told(event)["traits"] == {"plan": "Pro", "email": "p1@x.example"}


def test_the_line_ends_of_an_old_macintosh_are_line_ends(write: Write) -> None:
    assert rows(write, (HEADER + good(1) + good(2)).replace(b"\n", b"\r")) == {2: "u-1", 3: "u-2"}


@pytest.mark.parametrize(
    "ends",
    [("\r", "\r", "\n", "\n"), ("\n", "\r", "\r", "\n"), ("\r", "\r\n", "\r", "\n"), ("\r\n", "\r", "\r\n", "\r")],
)
def test_line_ends_of_several_kinds_are_line_ends(write: Write, ends: Sequence[str]) -> None:
    lines = [HEADER, good(1, '"a\rb\nc"'), good(2), good(3)]
    assert rows(write, *(line.strip() + end.encode() for line, end in zip(lines, ends, strict=True))) == {
        2: "u-1", 3: "u-2", 4: "u-3",
    }  # fmt: skip


def test_rows_across_blocks_keep_their_numbers(write: Write) -> None:
    random = Random(7)
    notes = [("x" * random.randrange(400), '"a\nb"')[random.random() < 0.2] for _ in range(5_000)]
    found = rows(write, HEADER, *(good(number, note) for number, note in enumerate(notes)))
    assert found == {number + 2: f"u-{number}" for number in range(5_000)}


def test_the_place_of_every_row_can_be_told_without_reading_it_again(write: Write) -> None:
    path = write(b"".join([HEADER, good(1), b"\n\n", good(2), b"u-3\n", good(4)]), "people.csv")
    reader = read(Input(str(path), 0))
    lines = [item.line for item in reader]
    assert lines == [2, 5, 6, 7]
    assert reader.jumps == [(0, 2), (1, 5)]


@pytest.mark.parametrize(
    "line", [b"sep=,\n", b'"sep=,"\r\n', b"\n\nSEP=,\n", b",,,\n", b'"","",\n \n', b"\xef\xbb\xbf\xef\xbb\xbf"]
)
def test_what_spreadsheets_write_before_the_header_is_none(write: Write, line: bytes) -> None:
    assert list(rows(write, line, HEADER, good(1)).values()) == ["u-1"]


def test_digits_stay_text_and_empty_cells_are_absent(write: Write) -> None:
    (event,) = read(Input(str(write(b"user_id,email,zip,plan\n0042,a@x.example,007,\n")), 0))
    assert isinstance(event, Event)
    assert event.original["userId"] == "0042"
    assert event.original["traits"] == {"zip": "007", "email": "a@x.example"}


@pytest.mark.parametrize(
    "name",
    ["Lead's name", "# employees", "1st touch", "Revenue (€)", "Agreed?", "50% off", "a,b", "a\nb", 'a "b"', "{{plan}}", "x" * 300],
)  # fmt: skip
def test_a_column_may_have_any_name(write: Write, name: str) -> None:
    content = exports.table(["user_id", "email", name], [["u-1", "a@x.example", "v"], ["u-2", "b@x.example", "w"]])
    found = [item for item in read(Input(str(write(content)), 0)) if isinstance(item, Event)]
    assert [item.original["traits"][name] for item in found] == ["v", "w"]
    assert [item.line for item in found] == [2, 3]


def test_a_table_of_nobody_is_told_as_such(write: Write) -> None:
    with pytest.raises(UnreadableInput, match="says whose rows"):
        list(read(Input(str(write(b"E-mail,Name\na@x.example,Ada\n")), 0)))


def test_very_wide_tables_are_read(write: Write) -> None:
    names = [f"c{number}" for number in range(100_000)]
    content = exports.table(["user_id", "email", *names], [["u-1", "a@x.example", *names]])
    (event,) = read(Input(str(write(content)), 0))
    assert isinstance(event, Event)
    assert event.original["traits"] == {"email": "a@x.example", **dict(zip(names, names, strict=True))}


def test_a_column_for_a_member_at_any_depth_is_read_or_refused(write: Write) -> None:
    deep = ".".join(["traits", *("a" * 3_000)])
    with pytest.raises(UnreadableInput, match="200 levels"):
        list(read(Input(str(write(f"type,userId,messageId,timestamp,{deep}\nidentify,u-1,m,,x\n".encode())), 0)))


def test_rows_are_those_of_the_csv_module_whatever_their_quotes(write: Write) -> None:
    random = Random(3)
    for _ in range(200):
        cells = [["".join(random.choices('ab,"\n ;', k=random.randrange(6))) for _ in range(3)] for _ in range(20)]
        content = exports.table(["user_id", "email", "note"], [[f"u-{at}", *row[1:]] for at, row in enumerate(cells)])
        found = [item for item in read(Input(str(write(content)), 0)) if isinstance(item, Event)]
        assert [(item.message.user_id, item.original["traits"].get("note", "")) for item in found] == [
            (f"u-{at}", row[2]) for at, row in enumerate(cells)
        ]


CELLS = st.one_of(st.sampled_from(["", "x", "\r", '"', " ", "a\r\nb"]), st.text('ab,;\t|:"\n\r é\0', max_size=6))


@settings(max_examples=300)
@given(
    rows=st.lists(st.lists(CELLS, min_size=1, max_size=5), max_size=6),
    delimiter=st.sampled_from(DELIMITERS),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    tail=st.sampled_from(["", "\n", ',""', '"a"b\n', 'a"b"\n', "a\r\r\n", '"a""b"\n', '""\n', ',"",\n']),
)
def test_rows_are_those_of_the_csv_module_however_they_are_written(
    rows: list[list[str]], delimiter: str, end: str, quoting: Any, tail: str
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    assert_rows_are_those_of_the_csv_module(text.getvalue() + tail, delimiter)


TOKENS = ('"', '""', '"""', "a", "bc d", "é", "\0", "\1", "\r", "\n", "\r\n", "\\", "\\N", '","', ',"', '",', ",")


@settings(max_examples=400)
@given(tokens=st.lists(st.sampled_from(TOKENS), max_size=30), delimiter=st.sampled_from(DELIMITERS))
def test_rows_are_those_of_the_csv_module_whatever_stands_in_them(tokens: list[str], delimiter: str) -> None:
    assert_rows_are_those_of_the_csv_module("".join(tokens).replace(",", delimiter), delimiter)


LINE = re.compile(r"[^\r\n]*(?:\r*\n|\r+)|[^\r\n]+")


def assert_rows_are_those_of_the_csv_module(content: str, delimiter: str) -> None:
    """As long as it gives some; then comes a fault. What a warehouse writes for nothing is empty."""
    expected: list[list[str]] = []
    with suppress(csv.Error):
        for row in csv.reader(LINE.findall("\n" + content), delimiter=delimiter, strict=True):
            expected.append(["" if cell == "\\N" else cell for cell in row])
    # The line end before them tells the line ends of an old Macintosh apart, which are all the line ends of a table.
    found = [row for row, _ in csv_rows(Source(iter([b"\n" + content.encode()])), delimiter)]
    assert found[: len(expected)] == expected
    assert all(isinstance(row, Fault) for row in found[len(expected) :][:1])


@pytest.mark.parametrize("jobs", [2, 3, 7])
@pytest.mark.parametrize("longer", [1, 3_000], ids=["even", "with its longest rows last"])
def test_parts_have_the_rows_of_the_whole_with_their_numbers(write: Write, jobs: int, longer: int) -> None:
    random = Random(jobs)
    odd = (b"", b"\n", b"u-x,caf\xe9@x.example,Pro,\n", good(0, '"a\n\nb"'), b"u-x\n")
    body = [random.choice(odd) + good(number, "x" * (longer * (number > 800))) for number in range(1_200)]
    body[random.randrange(1_200)] += b'u-x,"p@x.example,Pro,\n'
    path = str(write(b"sep=,\n" + HEADER + b"".join(body), "people.csv"))
    (whole,) = split(path, 9)
    parts = split(path, 9, jobs=jobs)
    assert len(parts) == jobs
    assert len({(part.start, part.end) for part in parts}) == jobs
    found, before = [], 0
    for part in parts:
        reader = read(part)
        found += [(item.line + before, item.message if isinstance(item, Event) else item.code) for item in reader]
        before += reader.lines
    expected = [(item.line, item.message if isinstance(item, Event) else item.code) for item in read(whole)]
    assert found == expected
