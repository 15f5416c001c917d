from __future__ import annotations

from typing import Any

import pytest

from fsseg.mapping.catalog import Edition
from fsseg.segment.event import Event
from tests.mapping.accounts import catalog, event, identify, mapper

SUITE = "Freshsales Suite - CRM"


def track(name: str = "Signed Up", **message: Any) -> Event:
    return event("track", event=name, properties={}, **{"userId": "u-1"} | message)


@pytest.mark.parametrize("type", ["screen", "alias", "delete", "group"])
def test_other_calls_are_not_part_of_the_destination(type: str) -> None:
    assert mapper().event_filter(event(type, userId="u-1", groupId="g")) == "unsupported_type"


def test_group_passes_when_asked_for_even_without_a_user() -> None:
    assert mapper(with_group=True).event_filter(event("group", anonymousId="a-1", groupId="g", traits={})) is None


@pytest.mark.parametrize(
    ("integrations", "edition", "passes"),
    [
        (None, "classic", True),
        ({}, "classic", True),
        ({"All": True}, "classic", True),
        ({"All": False}, "classic", False),
        ({"all": False}, "classic", False),
        ({"All": False, "Freshsales": True}, "classic", True),
        ({"All": False, "Freshsales": {"note": 1}}, "classic", True),
        ({"Freshsales": False}, "classic", False),
        ({"All": True, "Freshsales": False}, "classic", False),
        ({"freshsales": False}, "classic", True),
        ({"All": False, SUITE: True}, "suite", True),
        ({SUITE: False}, "suite", False),
        ({"Freshsales": True, SUITE: False}, "suite", False),
        ({"Freshsales": False, SUITE: True}, "classic", False),
        ({"All": False, "Freshsales": True}, "suite", True),
        ({"All": False, SUITE: True}, "classic", True),
        ({"All": False, "Salesforce": True}, "classic", False),
        ({"Freshsales": None, "All": False}, "classic", False),
        ({"Freshsales": "yes"}, "classic", True),
    ],
)
def test_integrations_are_obeyed(integrations: Any, edition: Edition, passes: bool) -> None:
    it = mapper(catalog(edition))
    assert it.event_filter(identify({}, integrations=integrations)) == (None if passes else "integrations")


@pytest.mark.parametrize(
    ("context", "passes"),
    [
        ({}, True),
        ({"consent": {}}, True),
        ({"consent": {"categoryPreferences": {}}}, False),
        ({"consent": {"categoryPreferences": {"crm": True}}}, False),
        ({"consent": {"categoryPreferences": {"crm": True, "sales": True, "ads": False}}}, True),
        ({"consent": {"categoryPreferences": {"crm": True, "sales": "true"}}}, False),
    ],
)
def test_every_named_consent_category_must_be_granted(context: Any, passes: bool) -> None:
    it = mapper(consent=("crm", "sales"))
    assert it.event_filter(identify({}, context=context)) == (None if passes else "consent")
    assert mapper().event_filter(identify({}, context=context)) is None


def test_consent_without_preferences_is_refusal_beside_integrations() -> None:
    message = identify({}, context={"consent": {}}, integrations={"All": True})
    assert mapper(consent=("crm",)).event_filter(message) == "consent"


def test_events_without_a_user_are_anonymous() -> None:
    for anonymous in (event("identify", anonymousId="a-1", traits={}), track(userId=None, anonymousId="a-1")):
        assert mapper().event_filter(anonymous) == "anonymous"


def test_stitching_lets_anonymous_entries_through_but_no_identify() -> None:
    it = mapper(stitch_anonymous=True)
    assert it.event_filter(track(userId=None, anonymousId="a-1")) is None
    assert it.event_filter(event("page", anonymousId="a-1", properties={})) is None
    assert it.event_filter(event("identify", anonymousId="a-1", traits={})) == "anonymous"


@pytest.mark.parametrize(
    "message",
    [
        identify({}, userId="U-66"),
        identify({}, userId="Gone@Acme.example"),
        identify({"email": "gone@acme.example"}, userId="u-1"),
        track(context={"traits": {"email": " GONE@acme.example"}}),
        event("track", event="x", userId="u-1", properties={"email": "gone@acme.example"}),
    ],
)
def test_the_suppressed_are_known_by_id_and_email_in_any_case(message: Event) -> None:
    it = mapper(suppress=frozenset({"u-66", "GONE@acme.example"}))
    assert it.event_filter(message) == "suppressed"
    assert it.event_filter(identify({"email": "here@acme.example"}, userId="u-2")) is None


@pytest.mark.parametrize(
    ("rules", "message", "passes"),
    [
        ({"only": frozenset({"track"})}, track(), True),
        ({"only": frozenset({"track"})}, identify({}), False),
        ({"events": frozenset({"Order Completed"})}, track("Order Completed"), True),
        ({"events": frozenset({"Order Completed"})}, track("Completed Order"), True),
        ({"events": frozenset({"Completed Order"})}, track("Order Completed"), True),
        ({"events": frozenset({"Order Completed"})}, track("Signed Up"), False),
        ({"events": frozenset({"Order Completed"})}, identify({}), False),
        ({"events": frozenset({"Pricing"})}, event("page", userId="u", name="Pricing", properties={}), True),
        ({"since": "2025-03-04T09:15:02.598"}, track(), True),
        ({"since": "2025-03-04T09:15:02.599"}, track(), False),
        ({"until": "2025-03-04T09:15:02.598"}, track(), False),
        ({"until": "2025-03-05T00:00:00.000"}, track(), True),
        ({"mapping": {"event": {"Heartbeat": {"ignore": True}}}}, track("Heartbeat"), False),
        ({"mapping": {"event": {"Heartbeat": {"ignore": True}}}}, identify({}), True),
    ],
)
def test_filters(rules: dict[str, Any], message: Event, passes: bool) -> None:
    assert mapper(**rules).event_filter(message) == (None if passes else "filtered")


def test_each_event_has_the_first_reason_that_applies() -> None:
    rules: dict[str, Any] = {"consent": ("crm",), "suppress": frozenset({"u-1"}), "only": frozenset({"page"})}
    refused: dict[str, Any] = {"context": {"consent": {"categoryPreferences": {}}}}
    off: dict[str, Any] = {"integrations": {"All": False}}
    it = mapper(**rules)
    assert it.event_filter(event("alias", **off, **refused)) == "unsupported_type"
    assert it.event_filter(event("identify", traits={}, **off, **refused)) == "integrations"
    assert it.event_filter(event("identify", traits={}, **refused)) == "consent"
    assert it.event_filter(event("identify", anonymousId="a", traits={})) == "anonymous"
    assert it.event_filter(identify({})) == "suppressed"
    assert it.event_filter(identify({}, userId="u-2")) == "filtered"
