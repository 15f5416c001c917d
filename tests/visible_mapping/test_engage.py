"""Engage's track calls tell of audiences and computed traits as its identify calls do."""

from __future__ import annotations

from typing import Any

import pytest

from fsseg.mapping.intents import EVENTS
from fsseg.mapping.warning_counter import WarningCounter
from tests.e2e.events import identify, track
from tests.e2e.harness import Machine
from tests.mapping.accounts import catalog, event, mapper

ADA = "ada@case.example"
CONFIG = '[timeline]\nvia = "note"\n'


def audience(name: str, key: str = "trial_power_users", **more: Any) -> dict[str, Any]:
    return track(ADA, name, {"audience_key": key, key: name == "Audience Entered", **more})


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_membership_goes_on_and_off_in_the_order_of_the_events(machine: Machine, jobs: str) -> None:
    computed = track(ADA, "Trait Computed", {"trait_key": "lifetime_value", "lifetime_value": "410.5"})
    events = [identify(ADA, lastName="L"), audience("Audience Entered"), computed]
    assert machine.imports("--jobs", jobs, events=events, config=CONFIG).outcomes == {"applied": 3}
    kind = "contacts" if machine.account.edition == "suite" else "leads"
    record = machine.account.one(kind, ADA)
    assert (record["cf_trial_power_users"], record["cf_lifetime_value"]) == (True, 410.5)

    left = audience("Audience Exited")
    again = {**audience("Audience Entered"), "timestamp": "2024-01-01T00:00:00Z"}
    assert machine.imports(events=[again, left], config=CONFIG).outcomes == {"applied": 2}
    assert machine.account.one(kind, ADA)["cf_trial_power_users"] is False


def cells(name: str, properties: Any, warnings: WarningCounter | None = None, **rules: Any) -> Any:
    it = mapper(catalog(), warnings, **rules)
    message = event("track", userId=ADA, event=name, properties=properties)
    it.map(message)
    told = it.fields_of(message, "@")
    return told[0][EVENTS] if told is not None and EVENTS in told[0] else None  # type: ignore[index]


def test_exits_are_false_whatever_the_event_says_and_values_are_as_they_are() -> None:
    assert cells("Audience Exited", {"audience_key": "power_user"}) == {"last cf_power_user": False}
    assert cells("Audience Entered", {"audience_key": "power_user"}) == {"last cf_power_user": True}
    assert cells("Trait Computed", {"trait_key": "seats", "seats": 3}) == {"last cf_seats": 3}
    assert cells("Trait Computed", {"trait_key": "seats", "seats": None}) == {"last cf_seats": None}


def test_the_users_mapping_goes_first() -> None:
    rules: dict[str, Any] = {"mapping": {"person": {"vips": "cf_power_user"}}}
    assert cells("Audience Entered", {"audience_key": "vips"}, **rules) == {"last cf_power_user": True}


def test_a_field_that_is_missing_is_named_with_what_to_create() -> None:
    warnings = WarningCounter()
    cells("Audience Entered", {"audience_key": "vips", "vips": True}, warnings)
    cells("Trait Computed", {"trait_key": "score", "score": 5}, warnings)
    assert [(row["name"], row["hint"]) for row in warnings.rows()] == [
        ("score", "create the custom field cf_score, of its type"),
        ("vips", "create the custom field cf_vips, a checkbox"),
    ]


@pytest.mark.parametrize(
    "properties", [{}, {"audience_key": 5}, {"audience_key": ""}, {"trait_key": "seats"}, {"audience_key": "email"}]
)
def test_what_names_nothing_sets_nothing(properties: Any) -> None:
    assert cells("Audience Entered", properties) is None
    assert cells("Trait Computed", properties) is None
