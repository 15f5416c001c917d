"""`--existing`: what a backfill does to records that are there already, and what it holds back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e import stranger
from tests.e2e.events import identify, track
from tests.e2e.harness import Machine
from tests.e2e.stranger import Exchange

PEOPLE = [f"p{number}@case.example" for number in range(6)]
NEW = "new@case.example"
FUTURE, PAST = "2026-12-31T00:00:00Z", "2024-01-01T00:00:00Z"


def kind(machine: Machine) -> str:
    return "contacts" if machine.account.edition == "suite" else "leads"


def entity(machine: Machine) -> str:
    return kind(machine).removesuffix("s")


def there(machine: Machine) -> None:
    """Six people who were made by somebody else, with a title and a city, and no phone."""
    for email in PEOPLE:
        emails: dict[str, Any] = {"emails": [{"value": email, "is_primary": True}]}
        if kind(machine) == "leads":
            emails = {"email": email}
        machine.account.make(kind(machine), last_name="There", job_title="CEO", city="Oslo", **emails)


def calls(time: str) -> list[dict[str, Any]]:
    traits = {"lastName": "There", "title": "CTO", "city": None, "phone": "+47 1"}
    return [identify(email, traits, envelope={"timestamp": time}) for email in (*PEOPLE, NEW)]


def held(machine: Machine, email: str = PEOPLE[0]) -> tuple[Any, ...]:
    record = machine.account.one(kind(machine), email)
    return tuple(record.get(name) for name in ("job_title", "city", "work_number"))


BEFORE, AFTER = ("CEO", "Oslo", None), ("CTO", None, "+47 1")


@pytest.mark.parametrize(
    ("mode", "time", "expected", "kept"),
    [
        ("update", PAST, AFTER, {}),
        ("newer", PAST, BEFORE, {"kept job_title": 6, "kept city": 6, "kept work_number": 6}),
        ("newer", "now", AFTER, {}),
        ("fill", PAST, ("CEO", "Oslo", "+47 1"), {"kept job_title": 6, "kept city": 6}),
        ("keep", PAST, BEFORE, {"kept job_title": 6, "kept city": 6, "kept work_number": 6}),
    ],
)
def test_a_mode_decides_what_existing_people_get_and_what_is_held_back_is_told(
    machine: Machine, mode: str, time: str, expected: tuple[Any, ...], kept: dict[str, int]
) -> None:
    there(machine)
    if time == "now":
        time = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    events = calls(time)
    dry = machine.dry_runs("--existing", mode, events=events)
    assert {name: n for name, n in dry.warnings.items() if name.startswith("kept")} == kept
    result = machine.imports("--existing", mode, events=events)
    assert {name: n for name, n in result.warnings.items() if name.startswith("kept")} == kept
    assert {held(machine, email) for email in PEOPLE} == {expected}
    assert held(machine, NEW) == AFTER
    changed = 0 if expected == BEFORE else 6
    counts = result.actions[entity(machine)]
    assert [counts.get(action, 0) for action in ("create", "update", "unchanged")] == [1, changed, 6 - changed]


@pytest.mark.parametrize("is_read", [True, False])
def test_newer_reads_a_record_of_which_a_row_does_not_tell_when_it_changed(machine: Machine, is_read: bool) -> None:
    """And where the record doesn't either, all is held back, and told."""
    there(machine)
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

    def untimed(exchange: Exchange) -> None:
        if exchange.method == "GET" and ("/lookup" in exchange.path or not is_read):
            _forget_times(exchange.answer)

    with stranger.before(machine.account, untimed) as server:
        machine.base_url = server.base_url
        result = machine.imports("--existing", "newer", events=calls(later)[:3])
    assert {held(machine, email) for email in PEOPLE[:3]} == {AFTER if is_read else BEFORE}
    assert result.warnings.get("kept job_title", 0) == (0 if is_read else 3)


def test_newer_reads_the_deals_that_a_contact_tells_little_of(machine: Machine) -> None:
    told = {"lastName": "L", "fsContact": True, "deal": {"name": "Pilot", "amount": 5}}
    machine.imports(events=[identify(NEW, told)])
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    other = {**told, "deal": {"name": "Pilot", "amount": 9}}
    result = machine.imports("--existing", "newer", events=[identify(NEW, other, envelope={"timestamp": later})])
    assert (result.code, result.warnings) == (0, {})
    assert float(machine.account.one("deals", "Pilot")["amount"]) == 9


def test_fill_leaves_alone_what_can_not_be_told_to_be_empty(machine: Machine) -> None:
    """Ids that no answer tells are unknown."""
    machine.account.configure(association_ids="included", unknown_includes="refuse")
    there(machine)
    (id,) = [row["id"] for row in machine.account.people(kind(machine), PEOPLE[0])]
    web = machine.account.choice("lead_sources", "Web")
    machine.account.change(kind(machine), id, lead_source_id=web)

    def without_ids(exchange: Exchange) -> None:
        if exchange.method == "GET" and "include=" in exchange.path and "source" in exchange.path:
            exchange.status, exchange.answer = 400, {"errors": {"code": 400, "message": ["unknown include"]}}

    with stranger.before(machine.account, without_ids) as server:
        machine.base_url = server.base_url
        result = machine.imports(
            "--existing", "fill", events=[identify(PEOPLE[0], leadSourceId="Phone", phone="+47 1")]
        )
    assert result.warnings == {"kept lead_source_id": 1}
    record = machine.account.one(kind(machine), PEOPLE[0])
    assert (record["lead_source_id"], record["work_number"]) == (web, "+47 1")


def _forget_times(value: Any) -> None:
    if isinstance(value, dict):
        value.pop("updated_at", None)
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _forget_times(inner)


def test_it_can_be_a_setting_and_timelines_get_their_entries(machine: Machine) -> None:
    there(machine)
    events = [calls(PAST)[0], track(PEOPLE[0], "Segment event")]
    result = machine.imports(events=events, config='existing = "keep"\n[timeline]\nvia = "note"\n')
    assert result.outcomes == {"applied": 1, "unchanged": 1}
    assert held(machine) == BEFORE
    assert machine.imports(events=events, config='existing = "keep"\n').outcomes == {"skipped": 2}


def test_accounts_and_deals_that_are_there_are_held_back_too(machine: Machine) -> None:
    told = {"lastName": "L", "fsContact": True, "deal": {"name": "Pilot", "amount": 5}}
    machine.imports(events=[identify(NEW, told, company={"name": "Acme", "city": "Oslo"})])
    other = {**told, "deal": {"name": "Pilot", "amount": 9}}
    later = identify(NEW, other, company={"name": "Acme", "city": "Rome", "website": "https://acme.example"})

    kept = machine.imports("--existing", "keep", events=[{**later, "messageId": "k"}])
    assert kept.outcomes == {"unchanged": 1}
    filled = machine.imports("--existing", "fill", events=[{**later, "messageId": "f"}])
    assert filled.outcomes == {"applied": 1}
    account = machine.account.one("sales_accounts", "Acme")
    assert (account["city"], account["website"]) == ("Oslo", "https://acme.example")
    assert float(machine.account.one("deals", "Pilot")["amount"]) == 5


def test_a_lead_s_company_is_never_filled_with_another_one_s_fields(classic: Machine) -> None:
    classic.imports(events=[identify(NEW, {"lastName": "L"}, company={"name": "Acme"})])
    events = [identify(NEW, {"lastName": "L"}, company={"name": "Other", "website": "https://other.example"})]
    result = classic.imports("--existing", "fill", events=events)
    assert result.outcomes == {"unchanged": 1}
    company = classic.account.one("leads", NEW)["company"]
    assert (company["name"], company.get("website")) == ("Acme", None)
    assert result.warnings == {"kept company.name": 1, "kept company.website": 1}


def test_no_lead_is_converted_unless_existing_records_are_updated(classic: Machine) -> None:
    there(classic)
    events = [identify(PEOPLE[0], {"lastName": "There", "fsContact": True, "phone": "1"})]
    config = 'convert_leads = true\nexisting = "fill"\n'
    result = classic.imports(events=events, config=config)
    assert result.outcomes == {"applied": 1}
    assert classic.account.records()["contacts"] == []
    assert result.warnings["is_lead"] == 1


def test_a_reviewed_dry_run_is_applied_in_its_mode(machine: Machine) -> None:
    there(machine)
    machine.dry_runs("--existing", "fill", events=calls(PAST))
    machine.run("apply")
    assert held(machine) == ("CEO", "Oslo", "+47 1")
