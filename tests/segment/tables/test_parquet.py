from __future__ import annotations

import io
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from fsseg.segment import Event, Input, UnreadableInput, read, split
from fsseg.segment.event import Rejected
from fsseg.segment.times import canonical
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
        (time(1, 2, 3), "01:02:03"), (timedelta(hours=1), 3600.0), (b"plain", "plain"),
        ({"a": [{"b": Decimal("1.50"), "c": datetime(2024, 1, 8)}]}, {"a": [{"b": 1.5, "c": "2024-01-08T00:00:00.000Z"}]}),
    ],
)  # fmt: skip
def test_values_keep_their_types(write: Write, value: Any, trait: Any) -> None:
    (event,) = events(written(write, seats=value))
    assert isinstance(event, Event)
    assert told(event)["traits"] == {"email": "a@x.example", "seats": trait}
    assert event.time == "2024-01-08T13:52:50.212"


@pytest.mark.parametrize("value", [5, True, {"a": 1}])
def test_an_event_or_a_type_that_is_no_text_costs_its_row(write: Write, value: Any) -> None:
    (seen,) = events(written(write, "tracks.parquet", event="seen", event_text=value))
    (odd,) = events(write(exports.parquet([{"type": value, "userId": "u-1", "traits.plan": "Pro"}]), "x.parquet"))
    assert isinstance(seen, Rejected) and seen.code == "event_not_string"
    assert isinstance(odd, Rejected) and odd.code == "unknown_type"


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


def in_columns(write: Write, **columns: Any) -> Path:
    """Two rows that are as they should be but for these columns."""
    held = io.BytesIO()
    rows = {name: [ROW[name]] * 2 for name in ROW if name not in columns} | {"id": ["m-1", "m-2"]} | columns
    parquet.write_table(pyarrow.table(rows), held, use_deprecated_int96_timestamps="int96" in columns)
    return write(held.getvalue(), "identifies.parquet")


NANOSECONDS = [1_704_721_970_212_345_678, None]


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Kolkata", "America/New_York"])
def test_times_to_the_nanosecond_and_of_any_zone_are_times(write: Write, zone: str | None) -> None:
    exact = pyarrow.array(NANOSECONDS, pyarrow.timestamp("ns", zone))
    inside = pyarrow.array([{"at": NANOSECONDS[0]}, None], pyarrow.struct([("at", exact.type)]))
    first, second = events(in_columns(write, timestamp=exact, seen=exact, deal=inside, many=pyarrow.array([[1], None])))
    assert isinstance(first, Event) and isinstance(second, Event)
    traits = told(first)["traits"]
    assert (first.time, second.time) == ("2024-01-08T13:52:50.212345", "2024-01-08T13:52:51.000")
    assert canonical(traits["seen"]) == canonical(traits["deal"]["at"]) == "2024-01-08T13:52:50.212345"


def test_times_as_spark_writes_them_are_times(write: Write) -> None:
    exact = pyarrow.array(NANOSECONDS[:1] * 2, pyarrow.timestamp("ns"))
    first, _ = events(in_columns(write, timestamp=exact, int96=exact))
    assert isinstance(first, Event)
    assert (first.time, told(first)["traits"]["int96"]) == ("2024-01-08T13:52:50.212345", "2024-01-08T13:52:50.212345Z")


def test_a_value_that_nothing_can_hold_is_absent_and_loses_nothing_else(write: Write) -> None:
    far = pyarrow.array([2**63 - 1, 0], pyarrow.timestamp("us"))
    found = events(in_columns(write, seen=far, seats=pyarrow.array([2**64 - 1, 1], pyarrow.uint64())))
    assert [told(item)["traits"] for item in found if isinstance(item, Event)] == [
        {"email": "a@x.example", "seats": 2**64 - 1},
        {"email": "a@x.example", "seats": 1, "seen": "1970-01-01T00:00:00.000Z"},
    ]


def test_columns_named_with_dots_may_have_any_type(write: Write) -> None:
    row = {
        "type": "identify", "userId": "u-1", "messageId": "m-1", "timestamp": 1704708000, "traits.createdAt": 1704708000,
        "traits.tags": ["a"], "integrations.All": True,
    }  # fmt: skip
    (event,) = events(write(exports.parquet([row])))
    assert isinstance(event, Event)
    assert (event.time, event.message.integrations) == ("2024-01-08T10:00:00.000", {"All": True})
    assert told(event)["traits"] == {"createdAt": 1704708000, "tags": ["a"]}


def test_a_map_is_an_object(write: Write) -> None:
    kind = pyarrow.map_(pyarrow.string(), pyarrow.int64())
    first, _ = events(in_columns(write, sizes=pyarrow.array([[("s", 3), ("m", 2), ("s", 1)], None], kind)))
    assert isinstance(first, Event)
    assert told(first)["traits"]["sizes"] == {"s": 1, "m": 2}


def test_ids_that_a_column_with_nulls_has_as_fractions_are_whole(write: Write) -> None:
    found = events(in_columns(write, user_id=pyarrow.array([12.0, None], pyarrow.float64()), anonymous_id=["a", "b"]))
    assert [item.message.user_id for item in found if isinstance(item, Event)] == ["12", None]


def test_no_rows_are_no_events(write: Write) -> None:
    held = io.BytesIO()
    parquet.write_table(pyarrow.table({name: [ROW[name]] for name in ROW}).slice(0, 0), held)
    assert events(write(held.getvalue(), "identifies.parquet")) == []


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


def groups(rows: int) -> bytes:
    held = io.BytesIO()
    table = pyarrow.table({name: [ROW[name]] * rows for name in ROW} | {"id": [f"m-{at}" for at in range(rows)]})
    parquet.write_table(table, held, row_group_size=10, compression="NONE")
    return held.getvalue()


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 50])
def test_parts_have_the_rows_of_the_whole(write: Write, parts: int) -> None:
    path = str(write(groups(73), "identifies.parquet"))
    readers = [read(part) for part in split(path, parts)]
    found = [told(item)["messageId"] for reader in readers for item in reader if isinstance(item, Event)]
    assert found == [f"m-{number}" for number in range(73)]
    assert sum(reader.lines for reader in readers) == 73


def test_tables_whose_rows_belong_together_are_not_split(write: Write) -> None:
    one = {"key": "k", "value": 1, "external_ids": '{"email":["a@x.example"]}'}
    path = str(write(exports.parquet([one]), "trait.parquet"))
    assert len(split(path, 5)) == 1


def test_a_damaged_group_of_rows_is_one_reject_and_no_other_is_lost(write: Write) -> None:
    content = bytearray(groups(40))
    at = content.index(b"m-15") - 30
    content[at - 20 : at + 30] = bytes(50)
    path = write(bytes(content), "identifies.parquet")
    for parts in (1, 3):
        readers = [read(part) for part in split(str(path), parts)]
        found = [item for reader in readers for item in reader]
        (bad,) = [item for item in found if isinstance(item, Rejected)]
        assert (bad.code, len(found), sum(reader.lines for reader in readers)) == ("truncated", 31, 40)
    assert bad.detail.startswith("10 rows are damaged, up to here: ")


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
