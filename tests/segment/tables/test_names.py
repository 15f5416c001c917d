"""Names of files and columns as people have them: what they mislead to is never guessed, and nothing is lost by them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from fsseg.segment import Event, Input, Rejected, UnreadableInput, read
from fsseg.segment.hints import Hints
from tests.segment import exports
from tests.segment.messages import Write, lines, outcomes, told
from tests.segment.tables.test_kinds import EXPORTS

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


IMPORT = (
    "type",
    "userId",
    "event",
    "traits.email",
    "properties.plan",
    "context.traits.email",
    "integrations.All",
    "name",
)
SPELLINGS: dict[str, Callable[[str], str]] = {
    "upper": str.upper, "title": str.title, "blanks": lambda name: f" {name} ",
    "snake": lambda name: re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower(),
}  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_columns_of_an_import_may_be_spelled_as_people_do(write: Write, spelling: str) -> None:
    header = ",".join(map(SPELLINGS[spelling], IMPORT))
    rows = "identify,u-1,,a@x.example,,,,Ada\ntrack,u-1,Seen,,Pro,a@x.example,false,\npage,u-1,,,Pro,,,Home\n"
    person, seen, page = read(Input(str(write(f"{header}\n{rows}".encode())), 0))
    assert isinstance(person, Event) and isinstance(seen, Event) and isinstance(page, Event)
    assert told(person)["userId"] == "u-1"
    assert {name.lower(): value for name, value in told(person)["traits"].items()} == {
        "email": "a@x.example",
        "name": "Ada",
    }
    assert (told(seen)["event"], seen.message.integrations) == ("Seen", {SPELLINGS[spelling]("All").strip(): False})
    assert [value for body in (told(seen)["properties"], told(page)["properties"]) for value in body.values()] == [
        "Pro"
    ] * 2
    assert (page.type, page.message.name) == ("page", "Home")


@pytest.mark.parametrize("quick", [True, False])
def test_a_name_that_is_no_page_s_is_a_trait_or_a_property(write: Write, quick: bool) -> None:
    more = "" if quick else ",colour"
    content = f"type,userId,messageId,timestamp,name,event,traits.email{more}\n" + "".join(
        f"{kind},u-1,m-{kind},2024-01-08T10:00:00Z,Ada,Seen,{more and ','}\n" for kind in ("identify", "track")
    )
    assert events(write, content.encode()) == [("identify", {"name": "Ada"}), ("track", {"name": "Ada"})]


def test_events_whose_ids_have_no_column_are_events_all_the_same(write: Write) -> None:
    rows = b'event_type,event_name,user_id,properties,traits\ntrack,Seen,u-1,"{""plan"":""Pro""}",\n'
    assert events(write, rows) == [("track", {"plan": "Pro"})]
    assert events(write, b"type,user_id,event,plan\ntrack,u-1,Seen,Pro\n") == [("track", {"plan": "Pro"})]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("t.csv", b'event_name,user_id,properties,context\nSeen,u-1,"{}","{}"\n', "of which type"),
        ("t.csv", b"userId,properties.plan\nu-1,Pro\n", "of which type"),
        ("identify_1.csv", b"userId,properties.plan\nu-1,Pro\n", "of which type"),
    ],
)
def test_a_table_of_events_that_says_nothing_of_their_type_is_no_table_of_people(
    write: Write, name: str, content: bytes, why: str
) -> None:
    with pytest.raises(UnreadableInput, match=why):
        events(write, content, name)


def test_a_file_called_after_another_type_of_call_is_what_its_columns_say(write: Write) -> None:
    seen, person = b"userId,event,properties.plan\nu-1,Seen,Pro\n", b"userId,traits.plan\nu-1,Pro\n"
    assert events(write, seen, "identify_1.csv") == [("track", {"plan": "Pro"})]
    assert events(write, person, "track_1.csv") == [("identify", {"plan": "Pro"})]


def test_a_damaged_first_line_costs_itself_and_no_other_row_of_json(write: Write) -> None:
    row = {"id": "m-1", "received_at": "2024-01-08T10:00:00Z", "user_id": "u-1", "email": "a@x.example"}
    found = events(write, b"\n{cut\n" + lines(row, row), "dump.jsonl")
    assert found == ["not_json", *[("identify", {"email": "a@x.example"})] * 2]


def test_rows_of_a_data_lake_may_be_json_that_says_their_type(write: Write) -> None:
    row = {
        "id": "m-1",
        "received_at": "2024-01-08T10:00:00Z",
        "user_id": "u-1",
        "type": "track",
        "event": "Seen",
        "plan": "Pro",
    }
    assert events(write, lines(row), "dump.jsonl") == [("track", {"plan": "Pro"})]


@pytest.mark.parametrize(
    "header", ["e\u0301t\xe9,email", "id,received_at,user_id,pr\xe9nom", "event_type,traits,pr\xe9nom"]
)
def test_a_header_that_is_not_utf8_is_told_once(write: Write, header: str) -> None:
    content = f'{header}\nx,"{{""a"":1}}"\n'.encode("latin-1", "ignore")
    with pytest.raises(UnreadableInput, match="header is not UTF-8"):
        list(read(Input(str(write(content)), 0)))


def test_a_further_address_of_a_download_is_told_however_its_column_is_spelled(write: Write) -> None:
    ids = '"{""email"":[""a@x.example"",""b@x.example""]}"'
    content = f"KEY,EXTERNAL_IDS,EMAIL,EMAIL_1,PLAN\nk,{ids},a@x.example,b@x.example,Pro\n".encode()
    assert events(write, content) == [("identify", {"email": "a@x.example", "PLAN": "Pro"})]


@pytest.mark.parametrize("name", ["actions.csv", "audience_actions.csv", "segment_import.csv", "trait_rows.csv"])
def test_a_table_s_name_is_for_those_of_a_warehouse_and_spoils_no_other(name: str) -> None:
    traits = (("ltv", None),)
    given, alone = (list(read(Input(str(EXPORTS / name), 0, hints=Hints(table, traits)))) for table in ("pages", None))
    assert outcomes(given) == outcomes(alone)


def test_an_event_whose_type_is_left_out_of_an_import_is_a_track_call_with_all_its_properties(write: Write) -> None:
    rows = b"type,userId,event,properties.plan,traits.plan\n,u-1,Seen,Pro,\n,u-2,,,Pro\n"
    assert events(write, rows) == [("track", {"plan": "Pro"}), "missing_type"]
