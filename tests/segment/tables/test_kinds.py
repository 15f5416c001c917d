"""A small sample of every kind of table: the events in it, and the rows that are none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from fsseg.segment import Event, Input, Rejected, UnreadableInput, read
from fsseg.segment.envelope import normalise, typed
from fsseg.segment.hints import Hints
from tests.segment.messages import Write, told, used

EXPORTS = Path(__file__).parents[3] / "samples" / "exports"
INES, OLEK = "ines.marlow@quayside.example", "olek@harbour.example"
ME, AUDIENCE = Hints(traits=(("ltv", None),)), Hints(traits=(("trial_users", "true"),))


class Sample(NamedTuple):
    """What a table holds: rows of events, with type, userId and traits or properties; rows of rejects."""

    table: str
    events: Mapping[int, tuple[str, str | None, dict[str, Any]]]
    rejects: Mapping[int, str] = MappingProxyType({})
    hints: Hints = Hints()


_ACTIONS = {
    2: ("identify", "u-701", {"email": INES, "firstName": "Ines", "lastName": "Marlow", "title": "Fleet Manager"}),
    3: ("track", "u-701", {"plan": "Depot"}),
    5: ("identify", "u-703", {"email": OLEK, "firstName": "Olek", "phone": "0044 1792 555 010"}),
}  # fmt: skip
SAMPLES = {
    "actions.csv": Sample("actions", _ACTIONS, {4: "bad_email"}),
    "sftp.psv": Sample(
        "actions",
        _ACTIONS | {3: ("track", "u-701", {"plan": "Depot", "note": "two lines:\nand more"})},
        {4: "bad_email"},
    ),
    "audience_actions.csv": Sample(
        "audience actions",
        {
            2: ("identify", "u-701", {"trial_users": True, "email": INES}),
            3: ("identify", "u-703", {"trial_users": False, "email": OLEK}),
        },
    ),
    "audience_unformatted.csv": Sample(
        "audience",
        {
            2: ("identify", "u-701", {"email": INES, "trial_users": True}),
            3: ("identify", OLEK, {"email": OLEK, "trial_users": True}),
        },
        hints=AUDIENCE,
    ),
    "audience_formatted.csv": Sample(
        "audience",
        {2: ("identify", INES, {"email": INES, "plan": "Depot"})},
        {3: "bad_row"},
    ),
    "trait_unformatted.csv": Sample(
        "computed trait",
        {2: ("identify", INES, {"email": INES, "ltv": "0042"}), 3: ("identify", OLEK, {"email": OLEK, "ltv": "7"})},
        hints=ME,
    ),
    "trait_indexed.csv": Sample(
        "computed trait",
        {2: ("identify", INES, {"email": INES, "ltv": "0042"}), 3: ("identify", OLEK, {"email": OLEK, "ltv": "7"})},
        hints=ME,
    ),
    "trait_rows.csv": Sample(
        "computed trait",
        {2: ("identify", INES, {"email": INES, "ltv": "0042"}), 4: ("identify", OLEK, {"email": OLEK, "ltv": "7"})},
        hints=ME,
    ),
    "identify_leads.csv": Sample(
        "import",
        {
            2: ("identify", "u-701", {"email": INES, "firstName": "Ines", "company": {"name": "Quayside Boats"}}),
            3: ("identify", "u-703", {"email": OLEK, "firstName": "Olek"}),
        },
    ),
    "track_trials.csv": Sample("import", {2: ("track", "u-701", {"plan": "Depot"})}, {3: "event_not_defined"}),
    "segment_import.csv": Sample(
        "import",
        {
            2: ("identify", "u-701", {"email": INES, "phone": None, "zip": "01"}),
            3: ("track", "u-701", {"plan": ".1"}),
        },
        {4: "unknown_type"},
    ),
    "profiles.csv": Sample(
        "profiles",
        {
            2: ("identify", "u-701", {"email": INES, "firstName": "Ines", "lastName": "Marlow", "plan": "Depot"}),
            3: ("identify", OLEK, {"email": OLEK, "firstName": "Olek"}),
        },
        {4: "no_user_anon_id"},
    ),
    "subscriptions.csv": Sample(
        "profiles", {2: ("identify", INES, {"email": INES, "email_subscription_status": "unsubscribed"})}
    ),
    "identifies.csv": Sample(
        "identifies",
        {2: ("identify", "u-701", {"email": INES, "first_name": "Ines", "title": "Fleet Manager"})},
        {3: "bad_row"},
    ),
    "users.csv": Sample("users", {2: ("identify", "u-701", {"email": INES, "first_name": "Ines"})}),
    "tracks.csv": Sample("tracks", {2: ("track", "u-701", {})}),
    "trial_started.csv": Sample("trial_started", {2: ("track", "u-701", {"plan": "Depot"})}),
    "pages.csv": Sample(
        "pages",
        {2: ("page", "u-701", {"url": "https://app.example/pricing", "path": "/pricing", "title": "Pricing"})},
    ),
    "groups.csv": Sample(
        "groups", {2: ("group", "u-701", {"name": "Quayside Boats", "website": "https://quayside.example"})}
    ),
}  # fmt: skip


def test_every_table_among_the_samples_is_expected() -> None:
    known = SAMPLES.keys() | {"audience_hashed.csv"}
    assert {path.name for path in EXPORTS.iterdir() if path.suffix in (".csv", ".psv")} == known


@pytest.mark.parametrize("name", SAMPLES)
def test_a_table_is_told_by_its_header_and_its_rows_are_events(name: str) -> None:
    sample = SAMPLES[name]
    reader = read(Input(str(EXPORTS / name), 0, hints=sample.hints))
    items = list(reader)
    events = {item.line: item for item in items if isinstance(item, Event)}
    found = {row: (event.type, event.message.user_id, _body(event)) for row, event in events.items()}
    assert found == sample.events
    assert {item.line: item.code for item in items if isinstance(item, Rejected)} == sample.rejects
    assert (reader.container, reader.table, reader.events) == ("csv", sample.table, len(items))


def _body(event: Event) -> dict[str, Any]:
    body = told(event)
    return dict(body["properties"] if event.type in ("track", "page") else body["traits"])


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_used_of_a_row_is_what_its_whole_message_says(name: str) -> None:
    """Most rows are taken without their whole message, which is made only where it is asked for."""
    for item in read(Input(str(EXPORTS / name), 0, hints=SAMPLES[name].hints)):
        if isinstance(item, Event):
            assert used(item) == used(Event(0, 0, item.type, "", typed(normalise(item.original)), b""))


def test_hashed_addresses_are_refused_and_it_is_said_why() -> None:
    with pytest.raises(UnreadableInput, match="hashed"):
        list(read(Input(str(EXPORTS / "audience_hashed.csv"), 0)))


def test_a_trait_without_a_name_is_asked_for() -> None:
    with pytest.raises(UnreadableInput, match="--trait NAME"):
        list(read(Input(str(EXPORTS / "trait_rows.csv"), 0)))


def test_a_trait_may_be_given_a_value_of_its_own_beside_the_one_that_the_file_has_values_of() -> None:
    hints = Hints(traits=(("ltv", None), ("vip", "yes")))
    items = list(read(Input(str(EXPORTS / "trait_rows.csv"), 0, hints=hints)))
    bodies = [_body(item) for item in items if isinstance(item, Event)]
    assert [(body["ltv"], body["vip"]) for body in bodies] == [("0042", "yes"), ("7", "yes")]


@pytest.mark.parametrize("name", ["trait_rows.csv", "trait_indexed.csv", "trait_unformatted.csv"])
@pytest.mark.parametrize("traits", [(("ltv", "true"),), (("ltv", ""), ("vip", "yes"))])
def test_a_file_of_values_is_refused_where_none_of_them_would_be_taken(
    name: str, traits: tuple[tuple[str, str], ...]
) -> None:
    with pytest.raises(UnreadableInput, match="give --trait NAME, without a value"):
        list(read(Input(str(EXPORTS / name), 0, hints=Hints(traits=traits))))


def test_what_another_destination_noted_of_integrations_counts_only_where_it_names_freshsales() -> None:
    items = list(read(Input(str(EXPORTS / "actions.csv"), 0)))
    noted = [item.message.integrations for item in items if isinstance(item, Event)]
    assert noted == [{}, {}, {"All": False, "Freshsales": True}]


def test_who_entered_and_left_is_told_without_the_audience_s_id_and_other_words_are_refused(write: Write) -> None:
    rows = b"trial,true,a@x.example\ntrial,False,b@x.example\ntrial,entered,c@x.example\ntrial,,d@x.example\n"
    entered, left, strange, unsaid = read(Input(str(write(b"audience_name,audience_action,email\n" + rows)), 0))
    assert [_body(item).get("trial") for item in (entered, left, unsaid) if isinstance(item, Event)] == [
        True, False, None,
    ]  # fmt: skip
    assert isinstance(strange, Rejected) and "audience_action is entered" in strange.detail


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", ":"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiters_and_line_ends_are_told_by_the_header(write: Write, delimiter: str, end: str) -> None:
    content = end.join(delimiter.join(row) for row in (["user_id", "email", "plan"], ["u-1", "a@x.example", "Pro"]))
    (event,) = read(Input(str(write(content.encode(), "p.csv")), 0))
    assert isinstance(event, Event)
    assert told(event)["traits"] == {"email": "a@x.example", "plan": "Pro"}


def test_columns_may_be_spelled_as_people_do(write: Write) -> None:
    people, events = (
        write(b"User ID,Email,First Name\nu-1,a@x.example,Ada\n", "people.csv"),
        write(b"Event Type,Event Name,User ID,Message ID,Timestamp\ntrack,Seen,u-1,m-1,2024-01-08\n", "events.csv"),
    )
    (person,) = read(Input(str(people), 0))
    (event,) = read(Input(str(events), 0))
    assert isinstance(person, Event) and isinstance(event, Event)
    assert (person.message.user_id, told(person)["traits"]) == ("u-1", {"First Name": "Ada", "email": "a@x.example"})
    assert (event.type, event.message.event, event.message.message_id) == ("track", "Seen", "m-1")


@pytest.mark.parametrize("anonymous", ["", "anonymous_id,"])
@pytest.mark.parametrize("name", ["event_id", "message_id"])
def test_a_property_called_like_an_id_is_no_message_id(write: Write, name: str, anonymous: str) -> None:
    content = f"id,user_id,{anonymous}received_at,timestamp,event,event_text,{name}\n" + "".join(
        f"m-{user},u-{user},{anonymous and ','}2025-05-05 08:00:00,2025-05-05 08:00:00,seen,Seen,webinar-7\n"
        for user in range(2)
    )
    items = [item for item in read(Input(str(write(content.encode(), "tracks.csv")), 0)) if isinstance(item, Event)]
    assert [item.message.message_id for item in items] == ["m-0", "m-1"]
    assert [told(item)["properties"] for item in items] == [{name: "webinar-7"}] * 2


@pytest.mark.parametrize(
    "columns",
    [
        "id,user_id,anonymous_id,received_at,timestamp,event",
        "messageId,userId,anonymousId,properties.plan,timestamp,event",
    ],
)
def test_a_row_with_a_blank_event_is_no_event(write: Write, columns: str) -> None:
    content = f"{columns}\nm-1,u-1,a-1,2025-05-05T08:00:00.000Z,2025-05-05T08:00:00.000Z,  \n".encode()
    (item,) = read(Input(str(write(content, "track_1.csv")), 0))
    assert isinstance(item, Rejected) and item.code == "event_not_defined"


def test_a_header_alone_is_an_empty_table(write: Write) -> None:
    reader = read(Input(str(write(b"\xef\xbb\xbfuser_id,email,plan\n")), 0))
    assert list(reader) == []
    assert (reader.container, reader.table) == ("csv", "profiles")


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("object_rooms_1.csv", b"id,properties.size,userId\n1,2,3\n", "objects"),
        ("acme-web-javascript--2024-01-08--13-52-utc.csv", b"Event Name,Property,userId\nA,b,c\n", "no events"),
        ("things.csv", b"colour,size\nred,4\nblue,5\n", "whose rows"),
    ],
)
def test_a_table_without_events_is_refused_with_its_reason(write: Write, name: str, content: bytes, why: str) -> None:
    with pytest.raises(UnreadableInput, match=why):
        list(read(Input(str(write(content, name)), 0)))


def test_a_trait_called_like_one_more_address_stays_a_trait(write: Write) -> None:
    ids = '"{""email"":[""a@x.example""]}"'
    content = f"key,external_ids,email,email_1\nk,{ids},a@x.example,weekly\n".encode()
    (event,) = read(Input(str(write(content)), 0))
    assert isinstance(event, Event)
    assert told(event)["traits"] == {"email": "a@x.example", "email_1": "weekly"}


def test_a_member_of_whom_nothing_is_said_is_refused_and_it_is_said_how_to_name_the_audience(write: Write) -> None:
    content = b'key,external_ids,user_id,email\nk,"{""email"":[""a@x.example""]}",u-1,a@x.example\n'
    for hints in (Hints(), Hints(traits=(("trial_users", ""),))):
        (item,) = read(Input(str(write(content)), 0, hints=hints))
        assert isinstance(item, Rejected)
        assert (item.code, "--trait trial_users=true" in item.detail) == ("bad_row", True)


@pytest.mark.parametrize(("hints", "notes"), [(Hints(), [("unnamed_audience", "trial.csv")]), (AUDIENCE, [])])
def test_an_audience_of_which_only_the_traits_count_is_told(write: Write, hints: Hints, notes: list[Any]) -> None:
    content = b'key,external_ids,plan\nk,"{""email"":[""a@x.example""]}",Pro\n'
    (event,) = read(Input(str(write(content, "trial.csv")), 0, hints=hints))
    assert isinstance(event, Event)
    assert [note for note in event.notes if note[0] != "no_time"] == notes


def test_comings_and_goings_of_an_audience_without_a_name_are_told_and_can_be_named(write: Write) -> None:
    rows = b"audience_id,audience_action,email,plan\naud_1,true,a@x.example,Pro\naud_1,false,b@x.example,\n"
    path = str(write(rows, "trial.csv"))
    unnamed, bare = read(Input(path, 0))
    assert isinstance(unnamed, Event) and isinstance(bare, Rejected)
    assert ("unnamed_audience", "trial.csv") in unnamed.notes
    assert _body(unnamed) == {"email": "a@x.example", "plan": "Pro"}
    assert (bare.code, "--trait trial_users=true" in bare.detail) == ("bad_row", True)
    named = [*read(Input(path, 0, hints=AUDIENCE))]
    assert [_body(item)["trial_users"] for item in named if isinstance(item, Event)] == [True, False]
    assert not any(note[0] == "unnamed_audience" for item in named if isinstance(item, Event) for note in item.notes)


def test_external_ids_may_be_a_list_of_types_and_ids(write: Write) -> None:
    rows = ""","[{""type"":""email"",""id"":""a@x.example""},{""type"":""user_id"",""id"":""u-1""}]"\n,[5]\n"""
    content = f"key,external_ids\n{rows}".encode()
    event, refused = read(Input(str(write(content)), 0, hints=AUDIENCE))
    assert isinstance(event, Event) and isinstance(refused, Rejected)
    assert (event.message.user_id, _body(event)["email"]) == ("u-1", "a@x.example")
    assert 'external_ids reads like {"email": [' in refused.detail


def test_the_table_can_be_named(write: Write) -> None:
    content = b"id,anonymous_id,user_id,received_at,url,path,title\n1,a,u,2024-01-08 10:00:00,x,y,z\n"
    types = [next(iter(read(Input(str(write(content)), 0, hints=Hints(table=table))))) for table in (None, "screens")]
    assert [item.type for item in types if isinstance(item, Event)] == ["page", "screen"]
