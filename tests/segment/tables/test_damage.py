"""Whatever is done to a table, it is read or told; and what is used of a row is what its whole message says."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from fsseg.segment import Event, Input, Rejected, UnreadableInput, read
from fsseg.segment.envelope import normalise, typed
from fsseg.segment.hints import Hints
from tests.segment import exports
from tests.segment.messages import Write, message, track, used
from tests.segment.tables.test_kinds import EXPORTS

PIECES = [b'"', b"\n", b",", b"\xff", b"null", b'"""', b"\r", b"{", b"[object Object]", b"\0", b"  "]
TABLES = {str(path.relative_to(EXPORTS)): path.read_bytes() for path in EXPORTS.rglob("*") if path.is_file()}
TABLES["identifies.parquet"] = exports.parquet(
    [{"id": f"m-{n}", "user_id": "u", "received_at": "2024-01-08T10:00:00Z", "email": "a@x.example"} for n in range(9)]
)


def damaged(content: bytes, chance: Random) -> bytes:
    data = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0 if data:
                data[at % len(data)] = chance.randrange(256)
            case 1:
                data[at:at] = chance.choice(PIECES)
            case 2:
                del data[at : at + chance.randrange(30)]
            case _:
                data[at:at] = data[at : at + chance.randrange(60)]
    return bytes(data)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_no_damage_is_more_than_rejects_or_one_unreadable_file(tmp_path: Path, name: str) -> None:
    chance, path = Random(name), tmp_path / Path(name).name
    for _ in range(60):
        path.write_bytes(damaged(TABLES[name], chance))
        items: list[Event | Rejected] = []
        with suppress(UnreadableInput):
            items.extend(read(Input(str(path), 0, hints=Hints(traits=(("ltv", None),)))))
        assert [item.position for item in items] == list(range(len(items)))
        for item in items:
            assert_its_whole_message_says_what_is_used(item)


def assert_its_whole_message_says_what_is_used(item: Event | Rejected) -> None:
    if isinstance(item, Event) and callable(item.source):
        assert used(item) == used(Event(0, 0, item.type, "", typed(normalise(item.original)), b""))


CONTEXT = {
    "ip": "203.0.113.9", "page": {"url": "https://app.example/", "title": "Home"}, "traits": {"email": "a@x.example"},
}  # fmt: skip
EVENTS = [
    message(context=CONTEXT, traits={"email": "a@x.example", "company": {"name": "Acme"}}, sentAt="2025-03-04T09:15:03Z"),
    track(context=CONTEXT), track(traits={"plan": "Pro"}), track(type="page", event=None, name="Home", context=CONTEXT),
]  # fmt: skip
WAYS: dict[str, Callable[[Sequence[dict[str, Any]]], exports.Files]] = {
    "import": lambda events: {"i.csv": exports.import_csv(events)},
    "actions": lambda events: {"a.csv": exports.actions_csv(events)},
    "warehouse": exports.warehouse_csvs,
}
ODD = (
    "", " ", "null", "[object Object]", "{}", "[]", '{"a": 1}', " {}", "{broken", '"', "0", "a" * 64, "track", "\\N",
    '{"email": null}', '{"email": ""}', '{"company": {"email": "a@x.example"}}',
)  # fmt: skip
OTHERS = [
    "",
    "context",
    "traits",
    "properties",
    "integrations",
    "name",
    "category",
    "context.traits",
    "context.consent",
]


@pytest.mark.parametrize("column", OTHERS)
@pytest.mark.parametrize("way", WAYS)
def test_whatever_a_cell_holds_no_event_fails_to_tell_its_whole_message(write: Write, way: str, column: str) -> None:
    for name, content in WAYS[way](EVENTS).items():
        header, *rows = csv.reader(io.StringIO(content.decode()))
        if column:
            header, rows = [*header, column], [[*row, "x"] for row in rows]
        odd = [[*row[:at], cell, *row[at + 1 :]] for row in rows for at in range(len(row)) for cell in ODD]
        for item in read(Input(str(write(exports.table(header, odd), name)), 0)):
            assert_its_whole_message_says_what_is_used(item)


TYPED = ["", "x", "0", "a" * 64, "[object Object]", 7, -1.0, 1.5, True, None, [], {}, {"a": None}, [1], 2**70, "\ud800"]


@pytest.mark.parametrize("name", [f"{name}.jsonl" for name in ("identifies", "tracks", "signed_up", "pages")])
def test_whatever_a_row_of_json_holds_no_event_fails_to_tell_its_whole_message(write: Write, name: str) -> None:
    row = json.loads(exports.warehouse_lines(EVENTS)[name].splitlines()[0])
    odd = [row | {column: value} for column in row for value in TYPED] + [
        {k: v for k, v in row.items() if k != c} for c in row
    ]
    content = b"".join(json.dumps(one).encode() + b"\n" for one in (row, *odd))
    items = list(read(Input(str(write(content, name)), 0)))
    assert len(items) == 1 + len(odd)
    for item in items:
        assert_its_whole_message_says_what_is_used(item)
