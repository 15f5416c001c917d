from __future__ import annotations

from typing import Any

import pytest

from fsseg.mapping.intents import UNSAID
from fsseg.mapping.warning_counter import WarningCounter
from tests.mapping.accounts import catalog, cells_of, custom, identify, mapper, person

LINES = dict.fromkeys(("address", "city", "state", "zipcode", "country"))


@pytest.mark.parametrize(
    ("traits", "cells"),
    [
        pytest.param({"title": "CEO"}, {"job_title": "CEO"}, id="title"),
        pytest.param({"phone": "+31 20 123"}, {"work_number": "+31 20 123"}, id="phone"),
        pytest.param({"name": "Ada King Byron"}, {"first_name": "Ada", "last_name": "King Byron"}, id="name"),
        pytest.param({"name": " Ada "}, {"first_name": "Ada", "last_name": None}, id="one-word name"),
        pytest.param({"job_title": "CEO"}, {"job_title": "CEO"}, id="internal name"),
        pytest.param({"cf_no-go_truck_types": "x"}, {"cf_no-go_truck_types": "x"}, id="internal name with hyphen"),
        pytest.param({"jobTitle": "CEO"}, {"job_title": "CEO"}, id="camelCase"),
        pytest.param({"cfAlternateNumber": "007"}, {"cf_alternate_number": "007"}, id="custom camelCase"),
        pytest.param({"cfNoGoTruckTypes": "x"}, {"cf_no-go_truck_types": "x"}, id="camelCase of a hyphen"),
        pytest.param({"Job Title": "CEO"}, {"job_title": "CEO"}, id="case and separators"),
        pytest.param({"Title": "CEO"}, {"job_title": "CEO"}, id="documented name in another case"),
        pytest.param({"region": "EMEA"}, {"cf_region": "EMEA"}, id="cf_ + name"),
        pytest.param({"power_user": True}, {"cf_power_user": True}, id="audience"),
        pytest.param({"powerUser": "true"}, {"cf_power_user": True}, id="audience as text, camelCase"),
        pytest.param({"address": "Kade 1"}, {"address": "Kade 1"}, id="address as text"),
        pytest.param({"address": '{"street": "Kade 1"}'}, LINES | {"address": "Kade 1"}, id="address as JSON"),
        pytest.param({"address": "{}"}, {}, id="address as JSON of nothing"),
        pytest.param({"favoriteColor": "blue"}, {}, id="no home"),
        pytest.param({"createdAt": "2024-01-02", "lastSeen": "2024-01-02"}, {}, id="kept by Freshsales"),
        pytest.param({"id": "7", "avatar": "x", "age": 3, "username": "ada"}, {}, id="reserved without a field"),
        pytest.param({"emails": ["a@b.example"], "salesAccounts": [1]}, {}, id="structured fields"),
        pytest.param({"tags": ["VIP", " eu "]}, {"$one of tags vip": "VIP", "$one of tags eu": "eu"}, id="tags"),
        pytest.param({"tags": None}, {"tags": None}, id="no tags"),
    ],
)
def test_a_trait_finds_its_field(traits: dict[str, Any], cells: dict[str, Any]) -> None:
    assert cells_of(traits) == cells


def test_an_address_object_fills_the_address_fields() -> None:
    address = {"street": "Kade 1", "city": "Utrecht", "state": "UT", "postalCode": "3511AB", "country": "NL"}
    assert cells_of({"address": address}) == {
        "address": "Kade 1",
        "city": "Utrecht",
        "state": "UT",
        "zipcode": "3511AB",
        "country": "NL",
    }


def test_members_of_an_address_without_a_field_are_counted() -> None:
    warnings = WarningCounter()
    cells_of({"address": {"city": "Utrecht", "planet": "Earth"}}, warnings=warnings)
    assert warnings.counts == {("ignored_trait", "address.planet"): 1}


@pytest.mark.parametrize(
    ("traits", "cells"),
    [
        ({"name": "Ada Byron", "firstName": "Augusta"}, {"first_name": "Augusta", "last_name": "Byron"}),
        ({"title": "CEO", "jobTitle": "Chief"}, {"job_title": "CEO"}),
        ({"job_title": "exact", "jobTitle": "camel", "Job-Title": "folded"}, {"job_title": "exact"}),
        ({"cf_region": "exact", "region": "by cf_"}, {"cf_region": "exact"}),
        (
            {"address": {"street": "Kade 1", "city": "Utrecht"}, "city": "Gouda"},
            LINES | {"address": "Kade 1", "city": "Gouda"},
        ),
        ({"address": {"postalCode": "3511AB"}, "zipcode": 94107}, LINES | {"zipcode": "94107"}),
        ({"address": {"city": "Utrecht"}, "city": ""}, LINES | {"city": "Utrecht"}),
        ({"address": {"city": "Utrecht"}, "country": None}, LINES | {"city": "Utrecht"}),
        ({"name": "Ada Byron", "firstName": "", "lastName": ""}, {"first_name": "Ada", "last_name": "Byron"}),
        ({"name": "Ada Byron", "firstName": None, "lastName": "  "}, {"first_name": "Ada", "last_name": "Byron"}),
        ({"name": "Ada", "lastName": "Byron"}, {"first_name": "Ada", "last_name": "Byron"}),
        ({"Job Title": "B", "JOB_TITLE": "A"}, {"job_title": "A"}),
        ({"title": {"not": "text"}, "jobTitle": "CEO"}, {"job_title": "CEO"}),
        ({"title": None, "jobTitle": "CEO"}, {"job_title": None}),
    ],
)
def test_where_traits_meet_the_earlier_rule_wins_in_any_order(traits: dict[str, Any], cells: dict[str, Any]) -> None:
    assert cells_of(traits) == cells
    assert cells_of(dict(reversed(traits.items()))) == cells


@pytest.mark.parametrize("nulls", ["clear", "ignore"])
def test_what_is_empty_clears_unless_told_otherwise(nulls: str) -> None:
    cells = cells_of({"title": None, "cfSeats": None, "cfRegion": ""}, nulls=nulls)
    assert cells == ({"job_title": None, "cf_seats": None, "cf_region": ""} if nulls == "clear" else {})


@pytest.mark.parametrize("nulls", ["clear", "ignore"])
@pytest.mark.parametrize("empty", [[], {}, [None]])
def test_an_empty_list_or_object_says_nothing_of_a_field_that_is_no_list(nulls: str, empty: Any) -> None:
    warnings = WarningCounter()
    traits = dict.fromkeys(("title", "phone", "name", "address", "company", "cfSeats", "cfPlan", "cfSignupDate"), empty)
    assert cells_of(traits, warnings=warnings, nulls=nulls) == {}
    assert not [name for code, name in warnings.counts if code == "bad_value"]


@pytest.mark.parametrize("spelled", ["Street", "street", "STREET", "Postal-Code", "postal_code", "PostalCode"])
def test_lines_of_an_address_are_found_in_any_case(spelled: str) -> None:
    field = "address" if "treet" in spelled.lower() else "zipcode"
    assert cells_of({"address": {spelled: "X 1"}}) == LINES | {field: "X 1"}


def test_one_address_and_one_name_replace_another_as_a_whole() -> None:
    assert cells_of({"address": {"city": "Paris", "country": "France"}}) == LINES | {
        "city": "Paris",
        "country": "France",
    }
    assert cells_of({"address": None}) == LINES
    assert cells_of({"address": "Kade 1"}) == {"address": "Kade 1"}
    assert cells_of({"name": "Beatrice"}, nulls="ignore") == {"first_name": "Beatrice", "last_name": UNSAID}
    told = {"address": {"city": "Paris", "country": None}}
    assert cells_of(told, nulls="ignore") == dict.fromkeys(LINES, UNSAID) | {"city": "Paris"}


@pytest.mark.parametrize("flag", ["yes", "contact", 2, -1, {"a": 1}, ["true"]])
def test_a_contact_flag_that_is_neither_true_nor_false_is_told(flag: Any) -> None:
    warnings = WarningCounter()
    assert "$contact" not in cells_of({"fsContact": flag}, warnings=warnings)
    assert warnings.counts == {("bad_value", "fsContact"): 1}


def test_a_phone_number_that_a_spreadsheet_shortened_is_told_beside_those_that_it_did_not() -> None:
    warnings = WarningCounter()
    mapping = mapper(warnings=warnings)
    whole, shortened = ({"phone": phone, "title": "CEO"} for phone in ("+49 151 5550000", "4.9E+11"))
    told = [person(mapping.map(identify(traits, userId="ada@acme.example"))) for traits in (whole, shortened, whole)]
    assert [cells.get("work_number") for cells in told] == ["+49 151 5550000", None, "+49 151 5550000"]
    assert all(cells["job_title"] == "CEO" for cells in told)
    assert warnings.counts == {("bad_value", "phone"): 1}
    assert mapping.equivalence_key(whole) is not None
    assert mapping.equivalence_key(shortened) is None


def test_null_never_clears_the_email() -> None:
    mapped = mapper().map(identify({"email": None}, userId="ada@acme.example"))
    assert person(mapped) == {}


@pytest.mark.parametrize(
    ("traits", "asked"),
    [
        ({"fsContact": "true"}, True),
        ({"fs_contact": True}, True),
        ({"fsContact": "TRUE"}, True),
        ({"fsContact": "1"}, True),
        ({"fsContact": 1}, True),
        ({"fsContact": False, "fs_contact": "True"}, True),
        ({"fs_contact": "true", "fsContact": "false"}, True),
        ({"fsContact": "false"}, False),
        ({"fsContact": 0}, False),
        ({"fsContact": ""}, False),
        ({"fsContact": None}, None),
        ({}, None),
    ],
)
def test_the_contact_flag_in_every_spelling(traits: dict[str, Any], asked: bool | None) -> None:
    assert cells_of(traits).get("$contact") is asked


class TestLeadOrContact:
    def test_a_field_of_both_has_one_cell(self) -> None:
        assert cells_of({"cfPlan": "pro", "ownerId": "Robin Doe"}) == {"cf_plan": "Pro", "owner_id": 11}

    def test_a_field_of_one_is_prefixed(self) -> None:
        stages = [{"id": 61, "name": "New"}]
        assert cells_of({"leadStageId": "New"}, catalog(lead_stages=stages)) == {"lead:lead_stage_id": 61}

    def test_a_field_they_disagree_on_has_a_cell_each(self) -> None:
        account = catalog(lead=(custom("cf_size", "number"),), contact=(custom("cf_size"),))
        assert cells_of({"cfSize": "40"}, account) == {"lead:cf_size": 40, "contact:cf_size": "40"}

    def test_differing_choices_disagree_and_a_misfit_of_both_is_told_once(self) -> None:
        account = catalog(
            lead=(custom("cf_tier", "dropdown", ("A", "B")),), contact=(custom("cf_tier", "dropdown", ("B",)),)
        )
        warnings = WarningCounter()
        for_contacts = {"$bad contact:tier": ["A", "cf_tier takes one of: B"]}
        assert cells_of({"tier": "A"}, account, warnings) == {"lead:cf_tier": "A", **for_contacts}
        assert warnings.counts == {}
        cells_of({"tier": "C"}, account, warnings)
        assert cells_of({"tier": "b"}, account, warnings) == {"lead:cf_tier": "B", "contact:cf_tier": "B"}
        assert warnings.counts == {("bad_value", "tier"): 1}

    def test_on_suite_nothing_is_prefixed(self) -> None:
        assert cells_of({"lifecycleStageId": "customer", "fsContact": True}, catalog("suite")) == {
            "lifecycle_stage_id": 42,
            "$contact": True,
        }


class TestWarnings:
    def test_ignored_traits_are_counted_by_name_with_the_closest_field(self) -> None:
        warnings = WarningCounter()
        for _ in range(3):
            cells_of({"jobtitel": "x", "favoriteColor": "blue"}, warnings=warnings)
        assert warnings.rows() == [
            {"code": "ignored_trait", "name": "favoriteColor", "count": 3, "hint": ""},
            {"code": "ignored_trait", "name": "jobtitel", "count": 3, "hint": "did you mean job_title?"},
        ]

    def test_a_field_that_freshsales_keeps_is_named_as_such(self) -> None:
        warnings = WarningCounter()
        cells_of({"lastSeen": "2024-01-02"}, warnings=warnings)
        assert warnings.rows()[0]["hint"] == "last_seen is kept by Freshsales itself"

    def test_a_bad_value_drops_its_field_and_says_what_fits(self) -> None:
        warnings = WarningCounter()
        assert cells_of({"cfSeats": "many", "title": "CEO"}, warnings=warnings) == {"job_title": "CEO"}
        assert warnings.rows() == [
            {"code": "bad_value", "name": "cfSeats", "count": 1, "hint": "cf_seats takes a number"}
        ]

    def test_a_bad_value_refuses_the_event_when_strict(self) -> None:
        warnings = WarningCounter()
        mapped = mapper(warnings=warnings, strict=True).map(identify({"email": "a@b.example", "cfPlan": "gold"}))
        assert mapped == ("bad_value", "traits.cfPlan does not fit: cf_plan takes one of: Free, Pro, Enterprise")
        assert not warnings

    def test_events_met_in_one_field_are_told_once(self) -> None:
        warnings = WarningCounter()
        cells_of({"jobTitle": "a", "color": "x", "title": "b"}, warnings=warnings)
        assert warnings.counts == {("ignored_trait", "color"): 1}

    def test_long_names_are_mapped_and_counted_like_short_ones(self) -> None:
        warnings = WarningCounter()
        for _ in range(2):
            assert cells_of({"x" * 5000: 1, "_" * 5000 + "title": "CEO"}, warnings=warnings) == {"job_title": "CEO"}
        assert warnings.counts == {("ignored_trait", "x" * 100): 2}

    def test_more_names_than_anyone_reads_are_counted_together(self) -> None:
        warnings = WarningCounter()
        all_traits = {f"trait{n}x": n for n in range(10_050)}
        cells_of(all_traits, warnings=warnings)
        assert sum(warnings.counts.values()) == 10_050
        assert warnings.counts["ignored_trait", "…"] == 50
        assert cells_of({"title": "still mapped"}, warnings=warnings) == {"job_title": "still mapped"}
