"""What an account lacks of what imports need is found by reading alone, named, and said how to mend."""

from __future__ import annotations

from typing import Any

import pytest

from fsseg.account.fields import read_fields
from fsseg.account.preflight import Checkup, check
from fsseg.freshsales.errors import Unavailable
from fsseg.mapping.rules import Rules
from fsseg.sandbox import Fault
from tests.client import Client

NO_TYPES = {"selectors": {"sales_activity_types": {"remove": ["Segment event", "Page view"]}}}


def checked(client: Client, defaulted: dict[str, Any] | None = None, **rules: Any) -> Checkup:
    found = check(client.reader, client.http.account.edition, Rules(**rules), defaulted or {})
    assert client.account.writes == 0
    return found


def lacking(found: Checkup) -> dict[str, str]:
    return {finding.name: finding.state for finding in found.findings if finding.state != "ok"}


def hint(found: Checkup, name: str) -> str:
    (hint,) = (finding.hint for finding in found.findings if finding.name == name)
    return hint


def detail(found: Checkup, name: str) -> str:
    (detail,) = (finding.detail for finding in found.findings if finding.name == name)
    return detail


def test_where_all_is_there_nothing_lacks_and_few_requests_are_spent(classic: Client) -> None:
    found = checked(classic)
    assert (lacking(found), found.worst, found.catalog is not None) == ({}, "ok", True)
    assert found.track == "sales activities of the type Segment event"
    assert found.page == "sales activities of the type Page view"
    assert classic.account.requests <= 20


def test_a_suite_has_no_leads_and_needs_their_stage(suite: Client) -> None:
    suite.account.empty({"selectors": {"lifecycle_stages": {"remove": ["Lead"]}}})
    found = checked(suite)
    assert lacking(found) == {"lifecycle stage Lead": "missing"}
    assert not [finding for finding in found.findings if finding.name.startswith("lead ")]


def test_refused_credentials_are_all_that_is_told(classic: Client) -> None:
    classic.account.configure(refuse_token=True)
    found = checked(classic)
    assert (lacking(found), found.catalog, found.worst) == ({"credentials": "refused"}, None, "refused")
    assert "copy the API key anew" in hint(found, "credentials")


@pytest.mark.parametrize(
    ("path", "name", "state", "needing"),
    [
        ("/settings/leads/fields", "lead fields", "refused", "events about people need it"),
        ("/settings/deals/fields", "deal fields", "forbidden", "events about deals need it"),
        ("/lookup", "lookup", "refused", "finding people needs it"),
        (
            "/selector/sales_activity_types",
            "selector sales_activity_types",
            "forbidden",
            "track and page events need it",
        ),
        ("/selector/owners", "selector owners", "forbidden", "fields that name one of the owners need it"),
        ("/sales_activities", "sales activities", "forbidden", "finding timeline entries again needs it"),
        ("/leads/filters", "lead views", "forbidden", "matching many leads by pages needs it"),
    ],
)
def test_a_permission_that_lacks_is_named_with_what_needs_it(
    classic: Client, path: str, name: str, state: str, needing: str
) -> None:
    classic.account.configure(forbidden=[path])
    found = checked(classic)
    assert (lacking(found)[name], found.worst) == (state, state)
    assert hint(found, name) == f"give the key's user this permission; {needing}"


def test_a_list_that_cannot_be_understood_is_named_and_stops_nothing(
    classic: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fsseg.freshsales.http.MAX_ATTEMPTS", 1)
    classic.account.faults(Fault("garbage", path="/sales_activities"))
    assert lacking(checked(classic)) == {"sales activities": "missing"}


def test_a_host_that_does_not_answer_is_no_finding(classic: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fsseg.freshsales.http.MAX_ATTEMPTS", 1)
    classic.account.faults(Fault("error", path="/lookup"))
    with pytest.raises(Unavailable):
        checked(classic)


def test_activity_types_that_lack_are_named_unless_tracking_takes_their_place(classic: Client) -> None:
    classic.account.empty(NO_TYPES)
    found = checked(classic)
    assert lacking(found) == {"activity type Segment event": "missing", "activity type Page view": "missing"}
    assert (found.track, found.page) == ("none: they would be rejected",) * 2
    tracked = checked(classic, application_token_set=True)
    assert (lacking(tracked), tracked.track, tracked.page) == ({}, "the tracking API", "the tracking API")


def test_a_type_that_demands_an_outcome_is_as_good_as_none(classic: Client) -> None:
    types = {"remove": ["Segment event"], "add": [{"name": "Segment event", "is_outcome_mandatory": True}]}
    classic.account.empty({"selectors": {"sales_activity_types": types}})
    found = checked(classic)
    assert lacking(found) == {"activity type Segment event": "missing"}
    assert hint(found, "activity type Segment event") == "make the outcome optional"
    assert found.track == "none: they would be rejected"


@pytest.mark.parametrize(
    ("rules", "lacks", "track"),
    [
        ({"via": "tracking"}, {"application token": "missing"}, "none: they would be rejected"),
        ({"via": "tracking", "application_token_set": True}, {}, "the tracking API"),
        ({"via": "note"}, {}, "notes"),
        ({"event_type": "Sold"}, {"activity type Sold": "missing"}, "none: they would be rejected"),
        ({"mapping": {"event": {"Order": {"type": "Sold"}}}}, {"activity type Sold": "missing"}, None),
        ({"mapping": {"event": {"Order": {"type": "Page view"}}}}, {}, None),
    ],
)
def test_what_the_settings_of_the_timeline_need_must_be_there(
    classic: Client, rules: dict[str, Any], lacks: dict[str, str], track: str | None
) -> None:
    found = checked(classic, **rules)
    assert lacking(found) == lacks
    assert found.track == (track or "sales activities of the type Segment event")


def test_rules_are_counted_or_each_that_cannot_be_used_is_named(classic: Client) -> None:
    found = checked(classic, mapping={"person": {"level": "cf_plan", "nickname": False}})
    assert detail(found, "mapping") == "every field of 2 rules is there"
    mistaken = checked(classic, mapping={"person": {"level": "cf_plam", "seats": "cf_seats"}})
    assert lacking(mistaken) == {"mapping.person.level": "missing"}
    assert "cf_plan" in hint(mistaken, "mapping.person.level")


def test_fields_that_records_must_have_are_told_unless_the_settings_have_a_default(classic: Client) -> None:
    needed = {"fields": {"sales_accounts": {"change": {"city": {"required": True}}}}}
    classic.account.empty(needed)
    assert "in every event or under [defaults]: city" in detail(checked(classic), "account fields")
    assert "under [defaults]" not in detail(checked(classic, {"account": ["city"]}), "account fields")


def test_a_view_that_is_not_known_to_hold_all_is_asked_for(classic: Client) -> None:
    classic.reader.known_views["deal"] = None
    found = checked(classic)
    assert lacking(found) == {"deal views": "missing"}
    assert "[freshsales.views]" in detail(found, "deal views")


def test_what_the_key_may_not_read_is_noted_and_the_rest_read(classic: Client) -> None:
    classic.account.configure(forbidden=["/settings/deals/fields", "/selector/owners"])
    known = read_fields(classic.reader, "classic")
    assert known.forbidden.keys() == {"deal", "owners"}
    assert known.catalog.fields("lead")["cf_plan"].choices
