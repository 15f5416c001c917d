"""Track and page calls that set fields of their person: the first, the last, all of them counted or added up."""

from __future__ import annotations

from typing import Any

import pytest

from fsseg.fold.event_fields import total
from fsseg.mapping.intents import EVENTS
from fsseg.mapping.mistakes import MappingError
from fsseg.mapping.warning_counter import WarningCounter
from fsseg.state import counted_events
from tests.e2e.events import anonymous, identify, track
from tests.e2e.harness import Machine
from tests.mapping.accounts import event, mapper

ADA, BOB = "ada@case.example", "bob@case.example"
CONFIG = """
[timeline]
via = "note"

[mapping.event."Trial Started".fields]
cf_signup_date = { take = "first" }

[mapping.event."Order Completed".fields]
cf_seats = { take = "count" }
cf_lifetime_value = { take = "sum", of = ["total", "revenue"], number = true }
cf_region = "shipping.region"
"""


def orders(user: str, *totals: Any) -> list[dict[str, Any]]:
    return [track(user, "Order Completed", {"total": total, "shipping": {"region": f"R{total}"}}) for total in totals]


def at(time: str, event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "timestamp": time}


def held(machine: Machine, user: str = ADA) -> dict[str, Any]:
    kind = "contacts" if machine.account.edition == "suite" else "leads"
    record = machine.account.one(kind, user)
    names = ("cf_signup_date", "cf_seats", "cf_lifetime_value", "cf_region")
    return {name: record[name] for name in names if name in record}


def imports(machine: Machine, events: list[dict[str, Any]], *args: str) -> dict[str, int]:
    return machine.imports(*args, events=events, config=CONFIG).outcomes


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_events_set_fields_of_who_is_new_and_of_who_is_known(machine: Machine, jobs: str) -> None:
    trials = [at(f"2024-05-0{day}T10:00:00Z", track(ADA, "Trial Started")) for day in (3, 2, 4)]
    events = [*trials, identify(ADA, lastName="L"), *orders(ADA, 10, "$ 0.10", 0.2)]
    assert imports(machine, events, "--jobs", jobs) == {"applied": 7}
    assert held(machine) == {
        "cf_signup_date": "2024-05-02",
        "cf_seats": 3,
        "cf_lifetime_value": 10.3,
        "cf_region": "R0.2",
    }

    later = [at("2024-05-01T10:00:00Z", track(ADA, "Trial Started")), *orders(ADA, 5)]
    assert imports(machine, later, "--jobs", jobs) == {"applied": 2}
    assert held(machine) == {
        "cf_signup_date": "2024-05-01",
        "cf_seats": 4,
        "cf_lifetime_value": 15.3,
        "cf_region": "R5",
    }


def test_the_same_events_again_change_nothing_and_parts_in_any_order_end_the_same(machine: Machine) -> None:
    known, events = identify(ADA, lastName="L"), orders(ADA, 1, 2, 3)
    assert imports(machine, [known, events[2]]) == {"applied": 2}
    assert imports(machine, [known, *events]) == {"applied": 2, "skipped": 2}
    whole = {"cf_seats": 3, "cf_lifetime_value": 6, "cf_region": "R3"}
    assert held(machine) == whole
    assert imports(machine, [known, *events]) == {"skipped": 4}
    imports(machine, [known, *events], "--again")
    assert held(machine) == whole


@pytest.mark.parametrize(("totals", "sum"), [([], 1), ([5], 6)])
def test_what_identify_calls_say_of_a_sum_counts_for_nothing_once_somebody_is_there(
    machine: Machine, totals: list[int], sum: int
) -> None:
    imports(machine, [identify(ADA, lastName="L"), *orders(ADA, 1)])
    assert imports(machine, [*orders(ADA, *totals), identify(ADA, cfLifetimeValue=99, jobTitle="CEO")])["applied"]
    assert held(machine)["cf_lifetime_value"] == sum


def test_an_older_archive_adds_to_sums_and_overwrites_nothing_newer(machine: Machine) -> None:
    known = identify(ADA, lastName="L")
    imports(machine, [known, *(at("2024-06-01T00:00:00Z", order) for order in orders(ADA, 7))])
    imports(machine, [at("2023-06-01T00:00:00Z", order) for order in orders(ADA, 1)])
    assert held(machine) == {"cf_seats": 2, "cf_lifetime_value": 8, "cf_region": "R7"}


def test_a_reviewed_plan_counts_nothing_twice_that_another_import_has_counted(machine: Machine) -> None:
    imports(machine, [identify(ADA, lastName="L"), *orders(ADA, 1)])
    events = orders(ADA, 2, 4)
    machine.dry_runs(events=events, config=CONFIG)
    imports(machine, events[:1])
    machine.run("apply", config=CONFIG)
    assert held(machine)["cf_seats"] in (2, 3)
    imports(machine, events)
    assert held(machine) == {"cf_seats": 3, "cf_lifetime_value": 7, "cf_region": "R4"}


def test_an_undo_takes_what_was_counted_back_so_that_it_can_be_imported_anew(machine: Machine) -> None:
    imports(machine, [identify(ADA, lastName="L"), *orders(ADA, 1)])
    events = orders(ADA, 2)
    imports(machine, events)
    assert held(machine)["cf_lifetime_value"] == 3
    assert machine.run("undo", "--yes", config=CONFIG).code == 0
    assert held(machine)["cf_lifetime_value"] == 1
    assert imports(machine, events) == {"applied": 1}
    assert held(machine)["cf_lifetime_value"] == 3


def test_events_make_nobody_and_reach_who_is_only_in_freshsales(machine: Machine) -> None:
    kind = "contacts" if machine.account.edition == "suite" else "leads"
    emails = {"emails": [{"value": BOB, "is_primary": True}]} if kind == "contacts" else {"email": BOB}
    machine.account.make(kind, last_name="B", **emails)
    events = [*orders(ADA, 1), *orders(BOB, 2), track("db-9", "Order Completed", {"total": 5, "email": BOB})]
    assert imports(machine, events) == {"applied": 2, "rejected": 1}
    assert held(machine, BOB)["cf_lifetime_value"] == 7
    assert machine.account.people(kind, ADA) == []
    assert imports(machine, orders(ADA, 1), "--create-missing") == {"applied": 1}
    assert held(machine)["cf_seats"] == 1


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_a_visitor_did_counts_for_who_it_turns_out_to_be(machine: Machine, jobs: str) -> None:
    def visited(day: int, anonymous_id: str = "a-1") -> dict[str, Any]:
        order = {"total": day, "shipping": {"region": f"R{day}"}}
        return at(f"2024-05-{day:02d}T10:00:00Z", {**anonymous(anonymous_id, "Order Completed"), "properties": order})

    def named(day: int, user: str, **traits: Any) -> dict[str, Any]:
        known = identify(user, lastName="L", **traits, envelope={"anonymousId": "a-1"})
        return at(f"2024-05-{day:02d}T10:00:00Z", known)

    events = [
        visited(8), visited(2), visited(9, "a-2"), named(4, ADA), named(3, ADA), visited(1), visited(4),
        named(6, "db-7", email=BOB), visited(5), at("2024-05-07T10:00:00Z", orders(ADA, 7)[0]), named(7, ADA),
    ]  # fmt: skip
    result = machine.imports("--stitch-anonymous", "--jobs", jobs, events=events, config=CONFIG)
    assert (result.outcomes, result.reasons) == ({"applied": 9, "skipped": 2}, {"anonymous": 2})
    ada = {"cf_seats": 4, "cf_lifetime_value": 14, "cf_region": "R7"}
    assert held(machine) == ada
    assert held(machine, BOB) == {"cf_seats": 1, "cf_lifetime_value": 5, "cf_region": "R5"}
    assert (
        imports(machine, [*events, at("2024-05-09", orders(ADA, 1)[0])], "--stitch-anonymous", "--jobs", jobs)[
            "applied"
        ]
        == 1
    )
    assert held(machine) == ada | {"cf_seats": 5, "cf_lifetime_value": 15, "cf_region": "R1"}
    assert machine.run("undo", "--yes", config=CONFIG).code == 0
    assert held(machine) == ada


def test_an_event_that_is_refused_or_repeated_counts_for_nothing(machine: Machine) -> None:
    one = orders(ADA, 1)[0]
    assert imports(machine, [identify(ADA, lastName="L"), one, one, *orders(ADA, "many")]) == {
        "applied": 3,
        "skipped": 1,
    }
    assert held(machine) == {"cf_seats": 2, "cf_lifetime_value": 1, "cf_region": "Rmany"}
    strict = machine.imports("--strict", events=orders(ADA, "lots"), config=CONFIG)
    assert (strict.outcomes, strict.reasons) == ({"rejected": 1}, {"bad_value": 1})
    assert held(machine)["cf_seats"] == 2


def cells(fields: dict[str, Any], message: Any, name: str = "*", **rules: Any) -> Any:
    told = mapper(mapping={"event": {name: {"fields": fields}}}, **rules).fields_of(message, "@")
    return None if told is None else told[0][EVENTS]  # type: ignore[index]


def test_every_event_or_those_under_a_condition() -> None:
    seen = event("page", userId=ADA, name="Pricing", properties={"plan": "pro", "n": None})
    assert cells({"cf_last_login": "$time"}, seen) == {"last cf_last_login": "2025-03-04T09:15:02.598Z"}
    assert cells({"cf_region": "$event"}, seen) == {"last cf_region": "Pricing"}
    counted = {"cf_seats": {"take": "count", "when": {"type": "page", "event": ["pricing", "Home"]}}}
    assert cells(counted, seen) == {"count cf_seats": 1}
    assert cells(counted, event("track", userId=ADA, event="Pricing", properties={})) is None
    assert cells({"cf_seats": {"take": "count", "of": "n"}}, seen) is None
    assert cells({"cf_region": {"take": "last", "of": "n"}}, seen) == {"last cf_region": None}
    assert cells({"cf_region": {"take": "first", "of": "n"}}, seen) is None
    assert cells({"cf_plan": {"of": "plan", "values": {"PRO": "Enterprise"}}}, seen) == {"last cf_plan": "Enterprise"}


def test_old_names_of_events_are_their_present_ones() -> None:
    message = event("track", userId=ADA, event="Completed Order", properties={"total": 3})
    fields = {"cf_seats": {"take": "sum", "of": "total"}}
    assert cells(fields, message, "Order Completed") == {"sum cf_seats": 3}
    assert cells(fields, message, "completed order") == {"sum cf_seats": 3}


def test_a_value_that_does_not_fit_is_told() -> None:
    warnings = WarningCounter()
    it = mapper(warnings=warnings, mapping={"event": {"E": {"fields": {"cf_seats": {"take": "sum", "of": "n"}}}}})
    it.map(event("track", userId=ADA, event="E", properties={"n": "x"}))
    assert warnings.counts == {("bad_value", "n"): 1}


@pytest.mark.parametrize("odd", ["x", True, [1, 2], {"a": 1}, [], "1e999", None])
def test_what_is_no_number_is_added_to_nothing_where_the_field_s_type_is_unknown(classic: Machine, odd: Any) -> None:
    events = [identify(ADA, lastName="L"), *orders(ADA, odd, "2.5", 1)]
    result = classic.run("dry-run", "--offline", "--json", events=events, config=CONFIG.replace(", number = true", ""))
    assert result.outcomes == {"applied": 4}
    assert result.fields("lead", ADA)["cf_lifetime_value"] == (None, 3.5)


@pytest.mark.parametrize(
    ("totals", "sum"),
    [
        ((2**62, 2**62), None),
        ((-(2**63), -1), None),
        ((2**62, 2**62 - 1), 2**63 - 1),
        ((2**53 + 1, 0.5), 2**53 + 1.5),
        ((1e308, 1e308), None),
        ((1e308, 0), 1e308),
        ((2**63 - 1, 1.0), None),
        ((1e17, 1e17, 0.25), 2e17 + 0.25),
        ((0.1, 0.2), 0.3),
        ((-0.0, 0.0), 0),
    ],
)
def test_sums_are_exact_or_none(totals: tuple[float, ...], sum: float) -> None:
    assert (total(totals), type(total(totals))) == (sum, type(sum))


def test_a_sum_that_no_field_can_hold_is_told(classic: Machine) -> None:
    events = [identify(ADA, lastName="L"), *orders(ADA, 2**62, 2**62)]
    result = classic.run("dry-run", "--offline", "--json", events=events, config=CONFIG.replace(", number = true", ""))
    assert result.outcomes == {"applied": 3}
    change = result.change("lead", ADA)
    assert "cf_lifetime_value" not in change["fields"]
    (told,) = change["warnings"]
    told = {name: told[name] for name in ("code", "name", "value", "hint", "line")}
    assert told == {
        "code": "bad_value", "name": "cf_lifetime_value", "value": "the sum of 2 numbers",
        "hint": "cf_lifetime_value takes numbers of 64 bits", "line": 3,
    }  # fmt: skip
    (warning,) = [row for row in result.summary["warnings"] if row["code"] == "bad_value"]
    assert (warning["name"], warning["count"], warning["hint"]) == (told["name"], 1, told["hint"])
    assert [(row["key"], row["value"], row["line"]) for row in warning["samples"]] == [(ADA, told["value"], 3)]


def test_a_sum_that_no_field_can_hold_with_what_is_there_is_told(classic: Machine) -> None:
    config = CONFIG.replace(", number = true", "")
    classic.imports(events=[identify(ADA, lastName="L"), *orders(ADA, -(2**52))], config=config)
    result = classic.imports(events=orders(ADA, -(2**63)), config=config)
    assert held(classic)["cf_lifetime_value"] == -(2**52)
    (warning,) = [row for row in result.summary["warnings"] if row["code"] == "bad_value"]
    assert (warning["name"], warning["count"]) == ("cf_lifetime_value", 1)


@pytest.mark.parametrize(
    ("rule", "mistake"),
    [
        ({"fields": {"cf_x": "total"}}, "mapping.event.E.fields.cf_x: no field 'cf_x' in this Freshsales"),
        ({"fields": {"email": "mail"}}, "mapping.event.E.fields.email: a person's e-mail is not set by events"),
        ({"fields": {"cf_region": {"take": "sum", "of": "n"}}}, "mapping.event.E.fields.cf_region: cf_region is no number, so nothing can be added up in it; it takes a field that is a number"),
        ({"fields": {"cf_seats": {"take": "sum"}}}, 'mapping.event.E.fields.cf_seats: it doesn\'t say what is added up; name the property: of = "total"'),
        ({"fields": {"cf_seats": {"take": "max"}}}, "mapping.event.E.fields.cf_seats.take: it can't be 'max'; take is one of: first, last, count, sum"),
        ({"fields": {"cf_seats": 5}}, 'mapping.event.E.fields.cf_seats: it can\'t be 5; a rule reads like "$time" or { take = "sum", of = "total" }'),
        ({"fields": {"cf_region": "$name"}}, "mapping.event.E.fields.cf_region.of: there is no $name; there are $time and $event"),
        ({"fields": {"cf_region": {"off": "x"}}}, "mapping.event.E.fields.cf_region.off: there is no key 'off' here; did you mean of?"),
        ({"fields": {"cf_region": "x"}, "ignore": True}, "mapping.event.E.fields: these events are left out, so they set nothing; drop ignore"),
        ({"fields": {"cf_region": {"of": "x", "when": {"type": "identify"}}}}, "mapping.event.E.fields.cf_region.when.type: events are calls of other types; track or page, and not identify"),
        ({"fields": {"cf_plan": {"value": "gold"}}}, "mapping.event.E.fields.cf_plan.value: 'gold' does not fit cf_plan; cf_plan takes one of: Free, Pro, Enterprise"),
        ({"fields": []}, 'mapping.event.E.fields: it is no table; it reads like { cf_trial_started = "$time" }'),
    ],
)  # fmt: skip
def test_each_rule_is_checked_when_it_is_read(rule: dict[str, Any], mistake: str) -> None:
    with pytest.raises(MappingError) as raised:
        mapper(mapping={"event": {"E": rule}})
    assert str(raised.value).splitlines() == [mistake]


def test_events_that_disagree_on_a_field_are_a_mistake() -> None:
    events = {"A": {"fields": {"cf_seats": {"take": "count"}}}, "B": {"fields": {"cf_seats": "n"}}}
    with pytest.raises(MappingError, match="events disagree on cf_seats"):
        mapper(mapping={"event": events})


def test_all_events_together_have_fields_only() -> None:
    with pytest.raises(MappingError, match="all events together have fields only"):
        mapper(mapping={"event": {"*": {"title": "x"}}})


def test_the_part_of_events_has_one_name() -> None:
    assert counted_events._EVENTS == EVENTS
