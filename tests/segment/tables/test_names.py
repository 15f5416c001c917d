"""Names of files and columns as people have them: what they mislead to is never guessed, and nothing is lost by them."""

from __future__ import annotations

from typing import Any

import pytest

from fsseg.segment import Event, Input, Rejected, read
from tests.segment import exports
from tests.segment.messages import Write, told

SEEN = b"id,received_at,user_id,event,event_text,plan\nm-1,2024-01-01 10:00:00,u-1,seen,Seen,Pro\n"
PERSON = b"id,received_at,user_id,anonymous_id,email\nm-1,2024-01-01 10:00:00,u-1,,a@x.example\n"


def events(write: Write, content: bytes, name: str = "t.csv") -> list[Any]:
    """Of each row its type, and its traits or properties; the code of a reject."""
    items = list(read(Input(str(write(content, name)), 0)))
    return [
        (item.type, told(item).get("traits", told(item).get("properties"))) if isinstance(item, Event) else item.code
        for item in items
    ]


@pytest.mark.parametrize(
    "name",
    ["landing_pages.csv", "added_users.csv", "users/seen.csv", "users/My Event.csv", "aliases.csv", "groups/1.csv"],
)
def test_events_are_told_by_their_columns_whatever_else_the_file_is_called_like(write: Write, name: str) -> None:
    assert events(write, SEEN, name) == [("track", {"plan": "Pro"})]


@pytest.mark.parametrize(
    "name", ["tracks.csv", "tracks-and-identifies.csv", "groups.csv", "aliases/1.csv", "pages/identify.csv"]
)
def test_people_are_told_by_their_columns_whatever_else_the_file_is_called_like(write: Write, name: str) -> None:
    assert events(write, PERSON, name) == [("identify", {"email": "a@x.example"})]


def test_an_event_of_a_data_lake_may_be_called_like_a_table(write: Write) -> None:
    row = {"id": "m-1", "received_at": "2024-01-08T10:00:00Z", "user_id": "u-1", "event": "Users", "plan": "Pro"}
    name = "data/src/segment_type=users/day=2024-01-08/hr=10/1.parquet"
    assert events(write, exports.parquet([row]), name) == [("track", {"plan": "Pro"})]


def test_columns_that_differ_in_case_or_blanks_are_properties_of_their_own(write: Write) -> None:
    row = {"id": "m-1", "received_at": "2024-01-08T10:00:00Z", "user_id": "u-1", "event": "Seen"}
    plans = {"Order ID": "1", "order_id": "2", "Plan": "3", "plan": "4"}
    assert events(write, exports.parquet([row | plans]), "segment_type=seen/1.parquet") == [("track", plans)]
    assert events(write, b"email,Plan,plan\na@x.example,1,2\n") == [
        ("identify", {"email": "a@x.example", "Plan": "1", "plan": "2"})
    ]


@pytest.mark.parametrize("header", ["userId,user_id", "user_id,User ID", "Email,email"])
def test_two_columns_for_one_id_must_say_the_same(write: Write, header: str) -> None:
    more = "id" if "mail" in header else "email"
    content = f"{header},{more}\na@x.example,b@x.example,c@x.example\n,b@x.example,c@x.example\n".encode()
    differing, told_once = read(Input(str(write(content)), 0))
    assert isinstance(differing, Rejected) and differing.code == "bad_row"
    assert isinstance(told_once, Event) and told_once.message.user_id == "b@x.example"


@pytest.mark.parametrize("is_text", [True, False])
def test_flattened_integrations_speak_of_freshsales_under_its_own_names(write: Write, is_text: bool) -> None:
    row: dict[str, Any] = {"id": "m-1", "received_at": "2024-01-08T10:00:00Z", "user_id": "u-1", "email": "a@x.example"}
    row |= {
        "integrations_all": "false" if is_text else False,
        "integrations_freshsales_suite_crm": "true" if is_text else True,
    }
    (event,) = read(Input(str(write(exports.parquet([row]), "identifies.parquet")), 0))
    assert isinstance(event, Event)
    assert event.message.integrations == {"all": False, "Freshsales Suite - CRM": True}
