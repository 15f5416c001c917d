from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from fsseg.segment import Event, Input, UnreadableInput, read
from fsseg.segment.event import Rejected
from tests.segment import exports
from tests.segment.messages import Write, told

ROW: dict[str, Any] = {
    "id": "m-1", "anonymous_id": None, "user_id": "u-1", "received_at": datetime(2024, 1, 8, 13, 52, 51),
    "timestamp": datetime(2024, 1, 8, 13, 52, 50, 212000, tzinfo=UTC), "email": "a@x.example",
}  # fmt: skip


def events(path: Path) -> list[Event | Rejected]:
    return list(read(Input(str(path), 0)))


def written(write: Write, name: str = "identifies.parquet", **more: Any) -> Path:
    return write(exports.parquet([ROW | more]), name)


@pytest.mark.parametrize(
    ("value", "trait"),
    [
        (Decimal("12.500000"), 12.5), (Decimal("3.000000"), 3), (Decimal("0.1234567890123456789012"), "0.1234567890123456789012"),
        (7, 7), (0, 0), (False, False), (True, True), (1.5, 1.5), ("007", "007"), (date(2024, 1, 8), "2024-01-08"),
        (datetime(2024, 1, 8, 1, 2, 3), "2024-01-08T01:02:03.000Z"), (["a", "b"], ["a", "b"]), ({"a": 1}, {"a": 1}),
    ],
)  # fmt: skip
def test_values_keep_their_types(write: Write, value: Any, trait: Any) -> None:
    (event,) = events(written(write, seats=value))
    assert isinstance(event, Event)
    assert told(event)["traits"] == {"email": "a@x.example", "seats": trait}
    assert event.time == "2024-01-08T13:52:50.212"


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_what_is_null_or_no_number_is_absent_and_clears_nothing(write: Write, value: Any) -> None:
    rows = [ROW | {"seats": value}, ROW | {"seats": 1.0, "id": "m-2"}]
    first, second = events(write(exports.parquet(rows), "identifies.parquet"))
    assert isinstance(first, Event) and isinstance(second, Event)
    assert (first.original["traits"], second.original["traits"]["seats"]) == ({"email": "a@x.example"}, 1.0)


def test_rows_have_numbers_and_bad_ones_are_told_by_these(write: Write) -> None:
    rows = [ROW, ROW | {"user_id": None}, ROW | {"id": "m-3"}]
    first, second, third = events(write(exports.parquet(rows), "identifies.parquet"))
    assert (first.line, second.line, third.line) == (1, 2, 3)
    assert isinstance(second, Rejected) and second.code == "no_user_anon_id"


def test_columns_that_nothing_depends_on_are_in_the_event_that_is_shown(write: Write) -> None:
    (event,) = events(written(write, context_ip="203.0.113.9", context_device_id="d-1", context_screen=[{"width": 2}]))
    assert isinstance(event, Event)
    assert event.original["context"] == {"ip": "203.0.113.9", "device": {"id": "d-1"}, "screen": [{"width": 2}]}


@pytest.mark.parametrize("column", ["email", "context_ip"])
def test_a_row_that_is_not_utf8_is_one_reject_wherever_that_is(write: Write, column: str) -> None:
    bad = pyarrow.array([b"a@x.example", b"\xff", b"b@x.example"]).view(pyarrow.string())
    table = pyarrow.table({name: [ROW[name]] * 3 for name in ROW if name != column} | {column: bad})
    held = io.BytesIO()
    parquet.write_table(table, held)
    found = events(write(held.getvalue(), "identifies.parquet"))
    assert [item.code if isinstance(item, Rejected) else item.line for item in found] == [1, "not_utf8", 3]


def test_a_row_of_nulls_is_blank(write: Write) -> None:
    rows = [ROW | {"context_ip": "1"}, dict.fromkeys(ROW), ROW | {"id": "m-3"}]
    assert [item.line for item in events(write(exports.parquet(rows), "identifies.parquet"))] == [1, 3]


def test_it_is_read_by_batches(write: Write) -> None:
    rows = [ROW | {"id": f"m-{number}"} for number in range(2_500)]
    held = io.BytesIO()
    table = pyarrow.table({name: [row[name] for row in rows] for name in ROW})
    parquet.write_table(table, held, row_group_size=700)
    reader = read(Input(str(write(held.getvalue(), "x/identifies/0001")), 0))
    assert [item.line for item in reader] == list(range(1, 2_501))
    assert (reader.container, reader.table, reader.jumps) == ("parquet", "identifies", [(0, 1)])


def test_a_track_table_of_a_data_lake_is_told_by_its_folder_and_named_by_its_rows(write: Write) -> None:
    row = ROW | {"event": "Trial Started", "type": "track", "plan": "Pro", "channel": "server", "project_id": "p"}
    name = "data/src/segment_type=trial_started/day=2024-01-08/hr=13/part-0.gz.parquet"
    reader = read(Input(str(write(exports.parquet([row]), name)), 0))
    (event,) = reader
    assert isinstance(event, Event)
    assert (event.type, event.message.event, reader.table) == ("track", "Trial Started", "trial_started")
    assert told(event)["properties"] == {"email": "a@x.example", "plan": "Pro"}


def test_a_damaged_file_is_told(write: Write) -> None:
    content = exports.parquet([ROW])
    for damaged in (content[:-20], content[:4] + bytes(len(content) - 4)):
        with pytest.raises(UnreadableInput, match="Parquet"):
            events(write(damaged, "identifies.parquet"))


def test_without_the_extra_it_is_said_what_to_install(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    path = written(write)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UnreadableInput, match=r"fsseg\[parquet\]"):
        events(path)
