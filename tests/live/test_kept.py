"""What an update doesn't name stays as it was, whichever way the account takes partial writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from fsseg.push import executor
from tests.e2e import stranger
from tests.e2e.events import identify
from tests.e2e.harness import Machine, Result, Row
from tests.e2e.stranger import Exchange
from tests.live.story import changes, imported_twice, records

BOTH_WAYS: dict[str, Row] = {
    "replaces": {"custom_fields": "replace", "tags": "replace", "account_links": "replace", "upsert_owner": "reset"},
    "merges": {"custom_fields": "merge", "tags": "add", "account_links": "add", "upsert_owner": "keep"},
}
RESOURCES = {"classic": ("leads", "contacts"), "suite": ("contacts",)}
OURS = {"cf_region": "EMEA", "cf_seats": 3, "cf_is_active": True, "cf_interests": "CRM;Billing"}


@pytest.fixture(params=BOTH_WAYS)
def way(request: pytest.FixtureRequest, machine: Machine) -> Row:
    """An account of somebody else's making, with records full of what isn't ours."""
    machine.account.configure(**BOTH_WAYS[request.param])
    return BOTH_WAYS[request.param]


def full(machine: Machine, resource: str, number: int = 0) -> int:
    owner = machine.account.choice("owners", "sam@fsseg.example")
    more: Row = {"owner_id": owner, "job_title": "CTO", "tags": ["vip"], "custom_field": OURS}
    if resource == "contacts":
        account = machine.account.make("sales_accounts", name=f"Theirs {number}", custom_field={"cf_plan": "Pro"})
        more["sales_accounts"] = [{"id": account["id"], "is_primary": True}]
        if machine.account.edition == "suite":
            more["lifecycle_stage_id"] = machine.account.choice("lifecycle_stages", "Customer")
    return int(machine.account.make(resource, email=f"p{number}@x.example", last_name="P", **more)["id"])


def people(machine: Machine, count: int) -> list[int]:
    kinds = RESOURCES[machine.account.edition]
    return [full(machine, kinds[number % len(kinds)], number) for number in range(count)]


@pytest.mark.parametrize("count", [2, 12])
@pytest.mark.parametrize("config", ["", '[freshsales]\ncustom_fields = "changed"'])
@pytest.mark.parametrize("old", [False, True], ids=["just read", "read long ago"])
def test_an_update_changes_what_it_names(
    machine: Machine, way: Row, count: int, config: str, old: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if old:
        monkeypatch.setattr("fsseg.push.custom_fields.FRESH_S", 0.0)
    ids = people(machine, count)
    events = [identify(f"p{number}@x.example", cfSeats=9) for number in range(count)]
    assert imported_twice(machine, events, config=config) == {id: {"cf_seats": 9} for id in ids}


def test_what_somebody_has_written_since_the_plan_stays(
    machine: Machine, way: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fsseg.push.custom_fields.FRESH_S", 0.0)
    (id,) = people(machine, 1)
    before = records(machine)
    resource = RESOURCES[machine.account.edition][0]
    push = executor.push

    def late(*args: Any) -> None:
        machine.account.change(resource, id, custom_field={**OURS, "cf_region": "APAC"})
        push(*args)

    monkeypatch.setattr("fsseg.pipeline.push", late)
    assert machine.imports(events=[identify("p0@x.example", cfSeats=9)]).code == 0
    assert changes(before, records(machine)) == {id: {"cf_seats": 9, "cf_region": "APAC"}}


def test_tags_are_added_and_never_replaced(machine: Machine, way: Row) -> None:
    ids = people(machine, 2)
    events = [identify(f"p{number}@x.example", tags=["trial"]) for number in range(2)]
    if way["tags"] == "add":  # which no request can take back
        before = records(machine)
        assert machine.imports(events=events).code == 0
        assert changes(before, records(machine)) == {id: {"tags": ["vip", "trial"]} for id in ids}
    else:
        assert imported_twice(machine, events) == {id: {"tags": ["vip", "trial"]} for id in ids}


def test_accounts_are_added_and_never_replaced(machine: Machine, way: Row) -> None:
    full(machine, "contacts")
    ours = machine.account.make(
        "sales_accounts", name="Ours", custom_field={"cf_plan": "Pro", "cf_domain_name": "o.example"}
    )
    before = records(machine)
    (theirs,) = [id for id, row in before.items() if row.get("name") == "Theirs 0"]
    events = [identify("p0@x.example", company={"name": "Ours", "cfPlan": "Business"})]
    first = machine.imports(events=events)
    assert first.code == 0
    (id,) = [id for id, row in before.items() if row.get("email") == "p0@x.example"]
    linked = [{"id": theirs, "is_primary": True}, {"id": ours["id"], "is_primary": False}]
    assert changes(before, records(machine)) == {id: {"sales_accounts": linked}, ours["id"]: {"cf_plan": "Business"}}
    if way["account_links"] == "replace":
        assert machine.run("undo", "--yes").code == 0
        assert changes(before, records(machine)) == {}


def test_a_calculated_field_is_not_written_along(machine: Machine, way: Row) -> None:
    kinds = RESOURCES[machine.account.edition]
    calculated = {"name": "cf_score", "type": "formula"}
    machine.account.empty({"fields": {kind: {"add": [calculated]} for kind in kinds}}, **way)
    machine.account.seed(**{kinds[0]: [{"email": "p0@x.example", "custom_field": {**OURS, "cf_score": "7"}}]})
    (id,) = records(machine)
    assert imported_twice(machine, [identify("p0@x.example", cfSeats=9)]) == {id: {"cf_seats": 9}}


def test_what_is_lost_is_put_back_at_once_and_told(suite: Machine) -> None:
    ids = people(suite, 2)
    before = records(suite)
    events = [identify(f"p{number}@x.example", cfSeats=9) for number in range(2)]
    done = suite.imports(events=events, config='[freshsales]\ncustom_fields = "changed"')
    assert changes(before, records(suite)) == {id: {"cf_seats": 9} for id in ids}
    assert "this account replaces all custom fields" in done.err
    assert done.code == 0


def test_an_answer_that_tells_no_custom_fields_does_not_pass_for_a_loss(machine: Machine) -> None:
    def bare(exchange: Exchange) -> None:
        if exchange.method == "PUT":
            for row in exchange.answer.values():
                row["custom_field"] = {}

    machine.account.configure(**BOTH_WAYS["merges"])
    ids, before = people(machine, 2), records(machine)
    with stranger.before(machine.account, bare) as server:
        machine.base_url = server.base_url
        events = [identify(f"p{number}@x.example", cfSeats=9) for number in range(2)]
        done = machine.imports(events=events, config='[freshsales]\ncustom_fields = "changed"')
    assert changes(before, records(machine)) == {id: {"cf_seats": 9} for id in ids}
    assert "replaces all custom fields" not in done.err


def test_a_record_without_other_custom_fields_does_not_show_that_they_are_kept(machine: Machine) -> None:
    machine.account.configure(**BOTH_WAYS["replaces"])
    kind = RESOURCES[machine.account.edition][0]
    machine.account.make(kind, email="p0@x.example", last_name="P")
    id = full(machine, kind, 1)
    before = records(machine)
    events = [identify(f"p{number}@x.example", cfSeats=9) for number in range(2)]
    assert machine.imports(events=events, config='[freshsales]\ncustom_fields = "changed"').code == 0
    assert changes(before, records(machine))[id] == {"cf_seats": 9}


@pytest.mark.parametrize("more", range(6))
@pytest.mark.parametrize(("then", "later"), [("resume", False), ("resume", True), ("import", False)])
def test_what_a_single_write_empties_is_put_back_though_the_push_ends_meanwhile(
    machine: Machine, then: str, later: bool, more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Be it so much later that what the plan has read is old by then."""
    machine.account.configure(custom_fields="replace")
    ids = people(machine, 2)
    before = records(machine)
    events = [identify(f"p{number}@x.example", cfSeats=9) for number in range(2)]
    config = '[freshsales]\ncustom_fields = "changed"'
    planned = machine.dry_runs(events=events).summary["requests"]["total"]
    if machine.imports("--max-requests", str(planned + more), events=events, config=config).code == 5:
        if later:
            monkeypatch.setattr("fsseg.push.custom_fields.FRESH_S", 0.0)
        assert goes_on(machine, then, config).code == 0
    only_seats(machine, before, ids)
    assert then == "import" or all(records(machine)[id]["cf_seats"] == 9 for id in ids)


def test_a_lead_that_becomes_a_contact_keeps_its_custom_fields(classic: Machine) -> None:
    full(classic, "leads")
    done = classic.imports(events=[identify("p0@x.example", fsContact=True, cfSeats=9)], config="convert_leads = true")
    assert done.code == 0, done.failures
    contact = classic.account.one("contacts", "p0@x.example")
    assert {name: contact[name] for name in OURS} == {**OURS, "cf_seats": 9}


def goes_on(machine: Machine, then: str, config: str = "") -> Result:
    """Go on with the run that has stopped, or import somebody else as if it had not."""
    if then == "resume":
        return machine.run("resume", config=config)
    return machine.imports(events=[identify("somebody.else@x.example", lastName="Else")], config=config)


def only_seats(machine: Machine, before: dict[int, Row], ids: Sequence[int]) -> None:
    """Nothing has changed of what was there but the seats of some of these."""
    after = {id: row for id, row in records(machine).items() if id in before}
    seats = {id: {"cf_seats": 9} for id in ids}
    assert {id: change for id, change in changes(before, after).items() if seats.get(id) != change} == {}
