"""Empty values, numbers, names, addresses and control characters come out right, or are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.e2e.events import identify, page, track
from tests.e2e.harness import Machine, Row

KIM = "kim@north.example"


def person(machine: Machine) -> Row:
    return machine.account.one("leads" if machine.account.edition == "classic" else "contacts", KIM)


def import_each(machine: Machine, calls: Sequence[dict[str, Any]], *, together: bool, nulls: str = "clear") -> Row:
    """The person after these identify calls, in one import or in one after the other."""
    events = [identify(KIM, traits) for traits in calls]
    for few in [events] if together else [[event] for event in events]:
        assert machine.imports(events=few, config=f'nulls = "{nulls}"\n').code == 0
    return person(machine)


@pytest.mark.parametrize("nulls", ["clear", "ignore"])
@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("empty", [[], {}])
def test_php_s_empty_value_says_nothing(machine: Machine, empty: Any, nulls: str, *, together: bool) -> None:
    whole = {
        "firstName": "Kim",
        "lastName": "Vos",
        "phone": "+45 1",
        "title": "CEO",
        "address": {"street": "1 Main", "city": "Odense"},
    }
    nothing = dict.fromkeys(("phone", "title", "address", "firstName", "cfPlan", "cfSeats", "company"), empty)
    found = import_each(machine, [whole, nothing], together=together, nulls=nulls)
    assert (found["work_number"], found["job_title"], found["city"], found["first_name"]) == (
        "+45 1",
        "CEO",
        "Odense",
        "Kim",
    )


@pytest.mark.parametrize("together", [True, False])
def test_empty_text_empties_a_field_unless_told_otherwise(machine: Machine, *, together: bool) -> None:
    calls = [{"lastName": "Vos", "title": "CEO"}, {"title": ""}]
    assert import_each(machine, calls, together=together, nulls="ignore")["job_title"] == "CEO"
    assert not import_each(machine, calls, together=together).get("job_title")


BLANKS = [" ", "\t\n", "\xa0\u200b", "\x00\x1b", "\u3000", "\u2060"]


@pytest.mark.parametrize("shape", ["plain", "mapped", "nested"])
@pytest.mark.parametrize("blank", BLANKS)
def test_text_that_shows_nothing_is_empty_text(classic: Machine, blank: str, shape: str) -> None:
    company: dict[str, Any] = {"company": {"name": "A", "city": blank}}
    fields = {"plain": {"title": blank}, "mapped": {"role": blank}, "nested": company}
    whole = {"lastName": "Vos", "title": "CEO", "company": {"name": "A", "city": "Oslo"}}
    config = '[mapping.person]\nrole = { field = "job_title", trim = true }\n'
    events = [identify(KIM, whole), identify(KIM, fields[shape])]
    name, value = ("company.city", "Oslo") if shape == "nested" else ("job_title", "CEO")
    told = classic.run("dry-run", "--offline", events=events, config=config)
    assert told.fields("lead", KIM)[name][1] in ("", None)
    kept = classic.run("dry-run", "--offline", events=events, config=f'nulls = "ignore"\n{config}')
    assert kept.fields("lead", KIM)[name] == (None, value)


def test_the_brake_counts_whatever_empties_a_field(machine: Machine) -> None:
    emails = [f"p{n}@north.example" for n in range(120)]
    machine.imports(events=[identify(email, lastName="P", title="CEO") for email in emails])

    for empty in ("", None, " ", "\u200b"):
        result = machine.dry_runs(
            events=[identify(email, title=empty) for email in emails[:20]]
            + [identify(email, lastName="P") for email in emails]
        )
        assert result.code == 6, empty
        assert "(cleared)" in result.out
    one_by_one = machine.imports(events=[identify(email, title=[]) for email in emails])
    assert one_by_one.code == 0


@pytest.mark.parametrize("together", [True, False])
def test_one_name_replaces_another_as_a_whole(machine: Machine, *, together: bool) -> None:
    found = import_each(machine, [{"name": "Ann Lee"}, {"name": "Beatrice"}], together=together)
    assert (found["first_name"], found.get("last_name")) == ("Beatrice", None)


def test_with_nulls_ignored_one_name_replaces_another_within_a_run(machine: Machine) -> None:
    found = import_each(machine, [{"name": "Ann Lee"}, {"name": "Beatrice"}], together=True, nulls="ignore")
    assert (found["first_name"], found.get("last_name")) == ("Beatrice", None)


def test_a_full_name_counts_beside_two_empty_ones(machine: Machine) -> None:
    found = import_each(machine, [{"name": "Ann Lee", "firstName": "", "lastName": None}], together=True)
    assert (found["first_name"], found["last_name"]) == ("Ann", "Lee")


@pytest.mark.parametrize("together", [True, False])
def test_one_address_replaces_another_as_a_whole(machine: Machine, *, together: bool) -> None:
    oslo = {"street": "1 Main", "city": "Oslo", "postalCode": "0150", "country": "Norway"}
    paris = {"street": "9 Rue X", "city": "Paris", "country": "France"}
    found = import_each(machine, [{"lastName": "A", "address": oslo}, {"address": paris}], together=together)
    assert {name: found.get(name) for name in ("address", "city", "zipcode", "country")} == {
        "address": "9 Rue X", "city": "Paris", "zipcode": None, "country": "France",
    }  # fmt: skip


def test_an_outright_city_wins_over_that_of_the_address(machine: Machine) -> None:
    found = import_each(
        machine, [{"lastName": "A", "city": "Gouda", "address": {"city": "Utrecht", "Street": "Kade 1"}}], together=True
    )
    assert (found["city"], found["address"]) == ("Gouda", "Kade 1")


def test_numbers_come_out_right_or_are_told(machine: Machine) -> None:
    path = machine.write(
        "events.jsonl",
        f'{{"type":"identify","userId":"{KIM}","messageId":"m","timestamp":"2025-05-04T09:15:02Z","traits":{{"lastName":"Vos",'
        '"cfAlternateNumber":123456789012345678901,"cfSeats":123456789012345678901,"cfSignupDate":76204800000,"zipcode":94107.0,'
        '"title":1e999,"city":12345678901234567.25,"address":0.10000000000000001}}\n'
        f'{{"type":"identify","userId":"{KIM}","messageId":"n","timestamp":"2025-05-04T09:15:03Z","traits":{{"cfSeats":0.1234567890123456789}}}}\n',
    )  # fmt: skip

    result = machine.imports(path)

    assert result.warnings == {"bad_value cfSeats": 2}
    assert '"value":"0.1234567890123456789"' in result.file("changes.jsonl").decode()
    found = person(machine)
    assert found["cf_alternate_number"] == "123456789012345678901"
    assert (found["cf_signup_date"], found["zipcode"], found["job_title"]) == ("1972-06-01", "94107", "1e999")
    assert (found["city"], found["address"]) == ("12345678901234567.25", "0.1")
    assert "cf_seats" not in found


def test_nothing_is_rounded_in_what_failed_or_on_the_timeline(machine: Machine) -> None:
    line = '{"type":"identify","userId":"u-1","messageId":"m","timestamp":"2025-05-04T09:15:02Z","traits":{"n":123456789012345678901}}\n'
    entry = (
        f'{{"type":"track","userId":"{KIM}","messageId":"t","timestamp":"2025-05-04T09:15:02Z","event":"Seen",'
        '"properties":{"id":123456789012345678901,"big":1e999,"whole":2.0,"long":0.1234567890123456789}}\n'
    )
    machine.imports(events=[identify(KIM, lastName="Vos")])
    result = machine.imports(machine.write("events.jsonl", line + entry))

    assert b"123456789012345678901" in result.file("failures.jsonl")
    (activity,) = machine.account.timeline(KIM)
    assert "id: 123456789012345678901\nbig: 1e999\n" in activity["notes"]
    assert "long: 0.1234567890123456789\n" in activity["notes"]


def test_nan_clears_nothing_and_names_nobody(machine: Machine) -> None:
    machine.imports(events=[identify(KIM, {"title": "CEO", "cfSeats": 5, "tags": ["vip"]}, lastName="Vos")])
    line = (
        f'{{"type":"identify","userId":"{KIM}","anonymousId":NaN,"messageId":"n","timestamp":"2025-05-04T09:15:02Z",'
        '"traits":{"title":NaN,"cfSeats":NaN,"tags":NaN,"email":NaN,"company":NaN,"firstName":"Kim"}}\n'
    )
    result = machine.imports(machine.write("events.jsonl", line * 3))
    assert (result.outcomes, result.warnings) == ({"applied": 1, "skipped": 2}, {})
    found = person(machine)
    assert (found["first_name"], found["job_title"], found["cf_seats"], found["tags"]) == ("Kim", "CEO", 5, ["vip"])


def test_events_without_an_id_that_differ_beyond_64_bits_are_two(machine: Machine) -> None:
    lines = "".join(
        f'{{"type":"track","userId":"{KIM}","timestamp":"2025-05-04T09:15:02Z","event":"Seen","properties":{{"id":12345678901234567890{n}}}}}\n'
        for n in range(3)
    )
    machine.imports(events=[identify(KIM, lastName="Vos")])
    assert machine.imports(machine.write("events.jsonl", lines)).outcomes == {"applied": 3}


def test_control_characters_never_go_into_fields(machine: Machine) -> None:
    traits = {
        "firstName": "K\x00im", "lastName": "Vos\x0bHolm", "title": "CEO\x7f\x9f", "cfAlternateNumber": "a\tb\nc",
        "company": {"name": "North\x00 Ltd", "city": "Os\x1blo"}, "deal": {"name": "Pi\x01lot", "amount": 1}, "fsContact": True,
    }  # fmt: skip
    assert machine.imports(events=[identify(KIM, traits)]).outcomes == {"applied": 1}

    found = machine.account.one("contacts", KIM)
    assert (found["first_name"], found["last_name"], found["job_title"]) == ("Kim", "Vos Holm", "CEO")
    assert found["cf_alternate_number"] == "a\tb\nc"
    assert machine.account.one("sales_accounts", "North Ltd")["city"] == "Oslo"
    assert machine.account.one("deals", "Pilot")["amount"]
    assert machine.imports("--again", events=[identify(KIM, traits)]).outcomes == {"unchanged": 1}


def test_control_characters_do_not_go_through_the_tracking_api(machine: Machine) -> None:
    machine.environment["FSSEG_APPLICATION_TOKEN"] = machine.account.sandbox.application_token
    properties = {"a\x00b": "x\x1b[31my", "deep": [{"c\x7f": "1\x002"}], "lines": "one\ntwo\tthree"}
    events = [
        identify(KIM, lastName="Vos"),
        track(KIM, "Vis\x00ited \x1b", properties),
        page(KIM, "Ho\x07me", {"url": "https://north.example/\x00a"}),
        page(KIM, "\x00\x01", {}),
    ]
    result = machine.imports(events=events, config='[timeline]\nvia = "tracking"\n')
    assert result.outcomes == {"applied": 4}
    found = machine.account.records()
    (event,) = found["events"]
    assert event["name"] == "Vis ited"
    cleaned = {"ab": "x[31my", "deep": [{"c": "12"}], "lines": "one\ntwo\tthree"}
    assert {name: event.get(name) for name in cleaned} == cleaned
    assert sorted(row["url"] for row in found["page_views"]) == ["Event", "https://north.example/a"]
