"""Saved answers of the Profile API, and a warehouse's rows as JSON lines."""

from __future__ import annotations

from fsseg.segment import Event, Input, read
from fsseg.segment.event import Rejected
from tests.segment.messages import outcomes, told
from tests.segment.tables.test_kinds import EXPORTS, INES


def events(name: str) -> list[Event]:
    items = list(read(Input(str(EXPORTS / name), 0)))
    assert all(isinstance(item, Event) for item in items)
    return [item for item in items if isinstance(item, Event)]


def test_traits_are_an_identify_call() -> None:
    (event,) = events("profile_traits.json")
    assert (event.type, event.message.user_id) == ("identify", INES)
    assert told(event)["traits"] == {"email": INES, "firstName": "Ines"}


def test_identifiers_are_an_identify_call_that_says_who_it_is() -> None:
    (event,) = events("profile_external_ids.json")
    assert (event.type, event.message.user_id, told(event)["traits"]) == ("identify", "u-701", {"email": INES})


def test_events_are_those_of_the_source_with_their_ids() -> None:
    track, page = events("profile_events.json")
    assert (track.type, track.message.user_id, track.message.anonymous_id) == ("track", "u-701", "an-701")
    assert track.message.message_id == "act-2"
    assert (page.type, page.message.user_id, page.time) == ("page", "olek@harbour.example", "2025-05-05T08:02:00.000")


def test_the_rows_of_a_warehouse_may_be_json_lines() -> None:
    reader = read(Input(str(EXPORTS / "order_completed.jsonl"), 0))
    first, bad, second = reader
    assert isinstance(first, Event) and isinstance(second, Event) and isinstance(bad, Rejected)
    assert outcomes([first, bad, second]) == ["wh-9", "not_json", "wh-10"]
    assert [item.line for item in (first, bad, second)] == [1, 2, 3]
    assert told(first)["properties"] == {"revenue": 129.5, "gift": False}
    assert told(second)["context"] == {"traits": {"email": "olek@harbour.example"}}
    assert (reader.container, reader.table, first.message.event) == ("jsonl", "order_completed", "Order Completed")
