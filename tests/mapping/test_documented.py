"""The examples of the two destination pages, in their shape."""

from __future__ import annotations

import orjson
import pytest

from fsseg.mapping.catalog import Edition
from fsseg.mapping.intents import EntryIntent, PersonIntent
from tests.mapping.accounts import catalog, event, identify, mapper

TRAITS = {
    "email": "kim@north.example",
    "firstName": "Kim",
    "lastName": "Vos",
    "fsContact": "true",
    "cfAlternateNumber": "98765432",
    "title": "CTO",
    "phone": "+3112345678",
    "company": {"name": "North Ltd"},
    "deal": {"name": "North pilot", "amount": 4200},
}


@pytest.mark.parametrize("edition", ["classic", "suite"])
def test_an_identify_call_gives_a_person_a_company_and_a_deal(edition: Edition) -> None:
    mapped = mapper(catalog(edition)).map(identify(TRAITS, userId="c-900", anonymousId="a-1"))

    assert mapped == PersonIntent(
        "#c-900",
        {
            "": {
                "email": "kim@north.example",
                "first_name": "Kim",
                "last_name": "Vos",
                "$contact": True,
                "cf_alternate_number": "98765432",
                "job_title": "CTO",
                "work_number": "+3112345678",
            },
            "company:north ltd": {"name": "North Ltd"},
            "deal:north pilot": {"name": "North pilot", "amount": 4200, "$account": "company:north ltd"},
        },
        [],
    )


def payload(kind: str, name: str, type_id: int, properties: dict[str, str], **more: bool) -> bytes:
    entry = {"kind": kind, "name": name, "via": "sales_activity", "type_id": type_id, **more, "message_id": "m-1"}
    return orjson.dumps({**entry, "properties": properties})


@pytest.mark.parametrize("edition", ["classic", "suite"])
def test_a_track_call_with_an_email_as_user_id_is_an_entry_of_that_person(edition: Edition) -> None:
    properties = {"emailId": "18", "emailSubject": "First purchase", "campaignId": "11"}
    bounced = event("track", event="Email Bounced", userId="Kim@North.example", properties=properties)

    assert mapper(catalog(edition)).map(bounced) == EntryIntent(
        "@kim@north.example", payload("track", "Email Bounced", 51, properties, titled=True)
    )


def test_a_page_call_is_a_page_view() -> None:
    properties = {"title": "Welcome", "url": "https://north.example"}
    page = event("page", name="Home", userId="kim@north.example", properties=properties)

    assert mapper().map(page) == EntryIntent("@kim@north.example", payload("page", "Home", 52, properties))
