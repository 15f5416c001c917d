from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from fsseg.mapping.catalog import Catalog
from fsseg.mapping.intents import EntryIntent, Refused
from fsseg.mapping.timeline import entry_email
from tests.mapping.accounts import catalog, event, mapper

NO_TYPES: list[dict[str, Any]] = []


def entry(
    type: str = "track", account: Catalog | None = None, rules: dict[str, Any] | None = None, **message: Any
) -> SimpleNamespace:
    """The key of an entry, the members of its payload, and the e-mail it brings."""
    call = event(type, **{"userId": "u-1", "properties": {}} | message)
    mapped = mapper(account, **rules or {}).map(call)
    assert isinstance(mapped, EntryIntent), mapped
    email = entry_email(bytes(call.message.context.traits), mapped.payload)
    return SimpleNamespace(key=mapped.key, email=email, **orjson.loads(mapped.payload))


def refusal(account: Catalog | None = None, event_name: str = "Signed Up", **rules: Any) -> Refused:
    mapped = mapper(account, **rules).map(event("track", userId="u-1", event=event_name, properties={}))
    assert isinstance(mapped, Refused), mapped
    return mapped


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Completed Order", "Order Completed"),
        ("viewed product category", "Product List Viewed"),
        ("Started Order", "Checkout Started"),
        ("Viewed Checkout Step", "Checkout Step Viewed"),
        ("Order Completed", "Order Completed"),
        (" My Own Event ", "My Own Event"),
    ],
)
def test_old_names_are_read_as_todays(given: str, name: str) -> None:
    assert entry(event=given).name == name


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ({"name": "Home", "properties": {"name": "x", "title": "y"}}, "Home"),
        ({"properties": {"name": "Home", "title": "y"}}, "Home"),
        ({"properties": {"title": "Welcome"}}, "Welcome"),
        ({"name": None, "context": {"page": {"title": "Welcome"}}}, "Welcome"),
        ({"properties": {"url": "https://acme.example/pricing?x=1"}}, "/pricing"),
        ({"context": {"page": {"url": "https://acme.example/pricing"}}}, "/pricing"),
        ({"properties": {"url": "https://[broken"}}, "Page"),
        ({"name": 5, "properties": {"title": " "}}, "Page"),
    ],
)
def test_a_page_is_named_by_name_title_or_path(message: dict[str, Any], name: str) -> None:
    assert entry("page", **message).name == name


def test_a_pages_url_is_taken_from_the_context_where_missing() -> None:
    context = {"page": {"url": "https://acme.example/a", "title": "A"}}
    assert entry("page", name="A", context=context).properties == {"url": "https://acme.example/a"}
    assert entry("page", name="A", context=context, properties={"url": "own"}).properties == {"url": "own"}
    assert entry("track", event="A", context=context).properties == {}


@pytest.mark.parametrize(
    ("message", "email"),
    [
        ({"context": {"traits": {"email": " ctx@acme.example"}}, "properties": {"email": "p@acme.example"}},
         "ctx@acme.example"),
        ({"context": {"traits": {"email": "no address"}}, "properties": {"email": "p@acme.example"}}, "p@acme.example"),
        ({"context": {"traits": ["odd"]}, "properties": {"email": 5}}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_the_email_an_entry_brings(message: dict[str, Any], email: str | None) -> None:
    assert entry(event="Signed Up", **message).email == email


def test_context_traits_are_no_identify_data() -> None:
    context = {"traits": {"email": "ada@acme.example", "title": "CEO"}}
    assert entry(event="Signed Up", context=context).properties == {}


def test_an_anonymous_entry_waits_under_its_anonymous_id() -> None:
    mapped = entry(rules={"stitch_anonymous": True}, event="Signed Up", userId=None, anonymousId="a-1")
    assert (mapped.key, mapped.email) == ("?a-1", None)


def test_an_entry_without_message_id_is_known_by_its_content() -> None:
    first, again, other = (entry(event=name, messageId=None) for name in ("A", "A", "B"))
    assert first.message_id.startswith("content:")
    assert first.message_id == again.message_id != other.message_id


class TestType:
    def test_the_type_named_like_the_event_then_the_general_one(self) -> None:
        assert entry(event="trial started").type_id == 53
        assert entry(event="Signed Up").type_id == 51
        assert entry("page", name="Home").type_id == 52

    def test_a_mapped_type_and_title_come_first(self) -> None:
        rules = {"mapping": {"event": {"Completed Order": {"type": "deal WON", "title": "Bought"}}}}
        mapped = entry(rules=rules, event="Order Completed")
        assert (mapped.type_id, mapped.name) == (56, "Bought")

    def test_a_page_named_like_a_builtin_type_is_still_a_page_view(self) -> None:
        assert entry("page", name="Chat").type_id == 52
        assert entry("page", name="Deal won").type_id == 56
        assert entry(event="Chat").type_id == 54

    def test_a_type_that_demands_an_outcome_does_not_fit(self) -> None:
        assert entry(event="Demo Held").type_id == 51
        refused = refusal(event_type="Demo Held")
        assert refused == (
            "timeline_unavailable",
            "the sales activity type 'Demo Held' demands an outcome, and no application token is set",
        )

    def test_the_settings_name_the_general_types(self) -> None:
        rules = {"event_type": "deal won", "page_type": "Trial Started"}
        assert entry(rules=rules, event="x").type_id == 56
        assert entry("page", rules=rules, name="x").type_id == 53


class TestWay:
    def test_auto_takes_tracking_where_no_type_fits_and_a_token_is_set(self) -> None:
        account = catalog(sales_activity_types=NO_TYPES)
        mapped = entry(account=account, rules={"application_token_set": True}, event="Signed Up")
        assert (mapped.via, mapped.type_id) == ("tracking", None)

    def test_auto_refuses_where_neither_is_there_and_names_the_type_to_create(self) -> None:
        refused = refusal(catalog(sales_activity_types=NO_TYPES))
        assert refused.code == "timeline_unavailable"
        assert "'Segment event'" in refused.detail

    def test_a_demanded_sales_activity_needs_its_type(self) -> None:
        account = catalog(sales_activity_types=NO_TYPES)
        refused = refusal(account, via="sales_activity", application_token_set=True)
        assert refused.code == "activity_type_missing"
        assert "'Segment event'" in refused.detail

    def test_a_mapped_type_that_does_not_exist_is_refused(self) -> None:
        refused = refusal(mapping={"event": {"Signed Up": {"type": "Signup"}}})
        assert refused.code == "activity_type_missing"
        assert "'Signup'" in refused.detail
        assert "'Signed Up'" in refused.detail

    def test_note_and_tracking_need_no_type(self) -> None:
        account = catalog(sales_activity_types=NO_TYPES)
        assert entry(account=account, rules={"via": "note"}, event="x").via == "note"
        tracking = {"via": "tracking", "application_token_set": True}
        assert entry(account=account, rules=tracking, event="x").via == "tracking"
        assert refusal(account, via="tracking").code == "timeline_unavailable"

    def test_offline_the_timeline_is_taken_as_available(self) -> None:
        mapped = entry(account=Catalog.standard("classic"), rules={"offline": True}, event="x")
        assert (mapped.via, mapped.type_id) == ("sales_activity", None)
