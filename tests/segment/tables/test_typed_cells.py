"""Every kind of table as Parquet, where a column may hold numbers, truths and objects that are text in CSV."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from fsseg.segment import Event
from tests.segment import exports
from tests.segment.messages import Write, told
from tests.segment.tables.test_parquet import ROW, events

WHO = {"email": "a@x.example"}
IDS = '{"user_id": ["u-1"], "email": ["a@x.example"]}'
KINDS: dict[str, dict[str, Any]] = {
    "people": {"user_id": "u-1", "message_id": "m-1", **WHO, "plan": "Pro"},
    "actions": {
        "event_type": "identify", "event_name": "", "user_id": "u-1", "message_id": "m-1", "timestamp": "2025-05-05",
        **WHO, "context": "{}", "traits": '{"plan": "Pro"}', "properties": "", "integrations": "{}",
    },
    "audience_actions": {
        "user_id": "u-1", **WHO, "audience_id": "a", "audience_name": "pro", "audience_action": "true",
        "message_id": "m-1", "properties_or_traits": "{}", "integrations_object": "{}", "eventtype": "identify",
    },
    "audience": {"key": "k", "external_ids": IDS, "traits": '{"plan": "Pro"}'},
    "import": {"type": "identify", "userId": "u-1", "messageId": "m-1", "timestamp": "2025-05-05", "traits.email": "a@x.example"},
    "identifies": ROW,
}  # fmt: skip
"""A row of each kind of table, with the texts that CSV has."""


@pytest.mark.parametrize("id", [7, 7.0, Decimal("7.00")])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "audience"])
def test_whole_numbers_are_the_ids_that_they_are_elsewhere(write: Write, kind: str, id: Any) -> None:
    row = {
        name: id if name in ("user_id", "userId", "message_id", "messageId") else cell
        for name, cell in KINDS[kind].items()
    }
    (event,) = events(write(exports.parquet([row]), f"{kind}.parquet"))
    assert isinstance(event, Event), event
    ids = event.message.user_id, event.message.message_id
    assert ids == ("7", "m-1" if kind == "identifies" else "7")


def test_what_csv_has_as_text_parquet_may_have_as_objects_and_truths(write: Write) -> None:
    traits = {"email": "a@x.example", "plan": "Pro"}
    actions = KINDS["actions"] | {"traits": traits, "context": {"ip": "203.0.113.9"}}
    audience = {"key": "k", "external_ids": [{"type": "user_id", "id": 7}], "traits": traits}
    left = KINDS["audience_actions"] | {"audience_action": False, "properties_or_traits": traits}
    rows = {"actions": actions, "audience": audience, "audience_actions": left}
    found = [events(write(exports.parquet([row]), f"{kind}.parquet"))[0] for kind, row in rows.items()]
    assert [told(event)["traits"] for event in found if isinstance(event, Event)] == [
        traits, traits, {**traits, "pro": False},
    ]  # fmt: skip


@pytest.mark.parametrize("value", [7, 7.5, True, {"a": 1}, ["a"], b"\xff", date(2024, 1, 8)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_value_of_another_type_costs_its_row_at_most(write: Write, kind: str, value: Any) -> None:
    for name in KINDS[kind]:
        row = {**KINDS[kind], name: value}
        assert len(events(write(exports.parquet([row]), f"{kind}.parquet"))) == 1
