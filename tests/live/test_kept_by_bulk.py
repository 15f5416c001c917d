"""What bulk empties is put back, whatever ends the run meanwhile."""

from __future__ import annotations

import pytest

from fsseg.sandbox import Fault
from tests.e2e import stranger
from tests.e2e.events import identify
from tests.e2e.harness import Machine, Row
from tests.faults.process import kill_once, start
from tests.live.story import changes, late_view, records
from tests.live.test_kept import goes_on, only_seats, people

STARTS_A_JOB = "POST /crm/sales/api/contacts/bulk_upsert"
KNOWS_THE_JOB = "GET /crm/sales/api/job_statuses/{id}"


@pytest.mark.parametrize("reads", [{}, {"forbidden": ["/view/", "/filters"]}, {"view_custom_fields": False}])
@pytest.mark.parametrize("resource", ["contacts", "sales_accounts"])
def test_what_bulk_empties_is_put_back_and_later_updates_go_alone(suite: Machine, resource: str, reads: Row) -> None:
    suite.account.configure(bulk_custom_fields="replace", **reads)
    seats = {"contacts": "cf_seats", "sales_accounts": "cf_domain_name"}[resource]
    ids = people(suite, 12) if resource == "contacts" else [company(suite, number) for number in range(12)]
    before = records(suite)
    done = suite.imports(events=[event for n in range(12) for event in [update(resource, n)]])
    assert done.code == 0, done.err
    assert changes(before, {id: row for id, row in records(suite).items() if id in before}) == {
        id: {seats: 9 if resource == "contacts" else "o.example"} for id in ids
    }
    assert "bulk empties the custom fields" in done.err
    suite.account.forget()
    assert suite.imports(events=[update(resource, n, again=True) for n in range(12)]).code == 0
    path = f"POST /crm/sales/api/{resource}/bulk_upsert"
    assert path not in suite.account.sandbox.stats()["requests"], "known from now on"


@pytest.mark.parametrize("reads", [{}, {"forbidden": ["/view/", "/filters"]}, {"view_custom_fields": False}])
@pytest.mark.parametrize("more", range(2, 9))
@pytest.mark.parametrize("then", ["resume", "import"])
def test_what_bulk_empties_is_put_back_though_the_push_ends_meanwhile(
    suite: Machine, then: str, more: int, reads: Row
) -> None:
    """Of so many requests after the plan: before it is seen, and while some are mended and others not."""
    suite.account.configure(bulk_custom_fields="replace", **reads)
    ids = people(suite, 6)
    before = records(suite)
    events = [update("contacts", n) for n in range(6)]
    planned = suite.dry_runs(events=events).summary["requests"]["total"]
    done = suite.imports("--max-requests", str(planned + more), events=events)
    assert done.code == 5
    assert goes_on(suite, then).code == 0
    only_seats(suite, before, ids)
    assert then == "import" or changes(before, records(suite)) == {id: {"cf_seats": 9} for id in ids}


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("reads", [{}, {"forbidden": ["/view/", "/filters"]}, {"view_custom_fields": False}])
@pytest.mark.parametrize(
    "fault",
    [None, Fault("slow", path="bulk_upsert", seconds=0.5), Fault("job_failure")],
    ids=lambda one: one and one.kind,
)
def test_what_the_job_of_a_killed_run_empties_is_put_back_by_another_import(
    suite: Machine, fault: Fault | None, reads: Row
) -> None:
    """Whether the run knew which job it was, or its answer was still to come; and though the job failed in the end.

    A dry run in between, which may write nothing, leaves it to that import.
    """
    suite.account.configure(bulk_custom_fields="replace", job_seconds=0.5, faults=[fault] if fault else [], **reads)
    ids = people(suite, 6)
    before = records(suite)
    is_slow = fault is not None and fault.kind == "slow"
    killed_at(suite, STARTS_A_JOB if is_slow else KNOWS_THE_JOB)
    assert suite.dry_runs(events=[update("contacts", 0, again=True)]).code == 0
    suite.account.configure(job_seconds=0.0, faults=[])
    assert goes_on(suite, "import").code == 0
    only_seats(suite, before, ids)
    assert fault or all(records(suite)[id]["cf_seats"] == 9 for id in ids)


def killed_at(machine: Machine, request: str) -> None:
    """An import of updates, killed once it has sent such a request."""
    process = start(machine, "import", machine.write("events.jsonl", [update("contacts", n) for n in range(6)]))
    kill_once(process, lambda: request in machine.account.sandbox.stats()["requests"])


def test_what_cannot_be_read_after_a_job_does_not_pass_for_emptied(suite: Machine) -> None:
    suite.account.configure(job_seconds=0.5, faults=[Fault("job_failure")])
    ids = people(suite, 6)
    killed_at(suite, KNOWS_THE_JOB)
    suite.account.configure(
        job_seconds=0.0, faults=[], forbidden=["/view/", "/filters", *(f"/contacts/{id}$" for id in ids)]
    )
    done = suite.imports(events=[identify("somebody.else@x.example", lastName="Else")])
    assert done.code == 0, done.err
    assert "bulk empties" not in done.err


def test_what_a_failed_job_has_emptied_is_put_back(suite: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of its records were written all the same; what the plan has read of them is old."""
    monkeypatch.setattr("fsseg.push.custom_fields.FRESH_S", 0.0)
    ids = people(suite, 6)
    before = records(suite)
    suite.account.configure(bulk_custom_fields="replace", faults=[Fault("job_failure", limit=1)])
    assert suite.imports(events=[update("contacts", n) for n in range(6)]).code == 0
    assert changes(before, records(suite)) == {id: {"cf_seats": 9} for id in ids}


@pytest.mark.parametrize("way", ["replace", "merge"])
def test_a_view_that_is_late_passes_for_nothing(suite: Machine, way: str) -> None:
    """It shows the records as they were before the job: nothing was dropped, and what was lost is seen all the same."""
    suite.account.configure(bulk_custom_fields=way)
    ids = people(suite, 12)
    before = records(suite)
    with stranger.before(suite.account, late_view("contacts")) as server:
        suite.base_url = server.base_url
        done = suite.imports(events=[update("contacts", n) for n in range(12)])
    assert (done.code, done.warnings) == (0, {}), done.err
    assert changes(before, records(suite)) == {id: {"cf_seats": 9} for id in ids}


def company(machine: Machine, number: int) -> int:
    custom = {"cf_plan": "Pro"}
    return int(machine.account.make("sales_accounts", name=f"Firm {number}", custom_field=custom)["id"])


def update(resource: str, number: int, *, again: bool = False) -> Row:
    if resource == "contacts":
        return identify(f"p{number}@x.example", cfSeats=8 if again else 9)
    domain = "p.example" if again else "o.example"
    return identify(f"q{number}@x.example", fsContact=True, company={"name": f"Firm {number}", "cfDomainName": domain})
