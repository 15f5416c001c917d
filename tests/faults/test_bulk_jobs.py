"""Bulk jobs that say less than they should, fail, or never end; and what hangs on a record that wasn't written."""

from __future__ import annotations

import time
from typing import Any

import pytest

from fsseg.push import bulk
from fsseg.sandbox import Fault
from tests.between.refusing import coded, mend, refusing
from tests.e2e import stranger
from tests.e2e.events import identify, track
from tests.e2e.harness import Machine
from tests.e2e.stranger import Exchange
from tests.faults.process import Ended, here

PEOPLE = [identify(f"p{n}@x.example", lastName=f"P{n}", fsContact=True) for n in range(6)]


def imported(machine: Machine, events: list[dict[str, Any]], code: int = 0) -> Ended:
    done = here(machine, "import", machine.write("e.jsonl", events), "--json")
    assert done.code == code, done.err
    return done


def contacts(machine: Machine) -> list[str]:
    return sorted(row["email"] for row in machine.account.records()["contacts"])


@pytest.mark.usefixtures("fast")
def test_a_job_that_is_asked_about_in_vain_is_asked_about_again(suite: Machine) -> None:
    suite.account.faults(Fault("error", path="/job_statuses/", limit=8))
    assert imported(suite, PEOPLE).outcomes == {"applied": 6}
    assert contacts(suite) == [f"p{n}@x.example" for n in range(6)]


@pytest.mark.usefixtures("fast")
def test_a_job_that_never_ends_ends_the_run_and_its_records_are_not_sent_again(
    suite: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "JOB_TIMEOUT_S", 3.0)
    suite.account.configure(job_seconds=3600.0)
    assert "still runs" in imported(suite, PEOPLE, code=5).err
    suite.account.forget()
    assert here(suite, "resume").code == 5
    assert (suite.account.writes, contacts(suite)) == (0, [])


@pytest.mark.usefixtures("fast")
def test_what_a_job_has_not_written_that_fails_after_the_run_has_stopped_is_sent_again(
    suite: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "JOB_TIMEOUT_S", 3.0)
    suite.account.configure(job_seconds=1.0, faults=[Fault("job_failure", limit=1)])
    assert "still runs" in imported(suite, PEOPLE, code=5).err
    time.sleep(1.0)
    suite.account.configure(job_seconds=0.0)
    assert here(suite, "resume").code == 0
    assert contacts(suite) == [f"p{n}@x.example" for n in range(6)]


def test_of_a_job_that_fails_only_who_is_refused_alone_too_fails(suite: Machine) -> None:
    refusing(suite.account, "A")
    suite.account.faults(Fault("job_failure", path="bulk_upsert"))
    done = imported(suite, coded("p", "A", "B", "C", "D", "E", "F"), code=1)
    assert done.outcomes == {"applied": 5, "failed": 1}
    assert '"p0@x.example"' in done.failures


@pytest.mark.usefixtures("fast")
def test_what_hangs_on_people_whose_ids_cannot_be_read_fails_and_comes_with_a_retry(suite: Machine) -> None:
    deals = [identify(f"p{n}@x.example", deal={"name": f"Deal {n}", "amount": n + 1}, fsContact=True) for n in range(6)]
    events = [*PEOPLE, *deals, *(track(f"p{n}@x.example", "Did") for n in range(6))]
    made: list[Exchange] = []

    def blind(exchange: Exchange) -> None:
        """Once people were made, nobody's id is told."""
        if exchange.path.endswith("/contacts/bulk_upsert"):
            made.append(exchange)
        elif made and exchange.method == "GET" and ("/lookup" in exchange.path or "/contacts/view" in exchange.path):
            exchange.status, exchange.answer = 400, {"errors": {"code": 400, "message": ["no"]}}

    with stranger.before(suite.account, blind) as server:
        suite.base_url = server.base_url
        done = imported(suite, events, code=1)
        assert done.outcomes == {"applied": 6, "failed": 12}
        assert not suite.account.records()["deals"]
        made.clear()
        again = here(suite, "retry", "--json")
    assert (again.code, again.outcomes) == (0, {"applied": 18}), again.err
    found = suite.account.records()
    assert [len(found[kind]) for kind in ("contacts", "deals", "sales_activities")] == [6, 6, 6]


def test_whom_a_job_refused_without_a_name_is_found_out(suite: Machine) -> None:
    def keep_names(exchange: Exchange) -> None:
        if "/job_statuses/" in exchange.path and exchange.answer.get("data"):
            exchange.answer["data"].pop("detailed_failure_report", None)

    refusing(suite.account, "A")
    suite.account.configure(job_data="object")
    with stranger.before(suite.account, keep_names) as server:
        suite.base_url = server.base_url
        done = imported(suite, coded("p", "A", "B", "C", "D", "E", "F"), code=1)
    assert done.outcomes == {"applied": 5, "failed": 1}
    assert '"p0@x.example"' in done.failures
    assert [name for name in contacts(suite) if "taken" not in name] == [f"p{n}@x.example" for n in range(1, 6)]


@pytest.mark.parametrize("people", [1, 8])
def test_a_deal_of_somebody_who_was_refused_fails_with_them_and_comes_with_a_retry(
    machine: Machine, people: int
) -> None:
    refusing(machine.account, "A")
    events = [
        {**event, "traits": {**event["traits"], "deal": {"name": f"Deal {n}", "amount": 1}}}
        for n, event in enumerate(coded("p", *"A123456789"[:people]))
    ]
    done = imported(machine, events, code=1)
    assert done.outcomes.get("failed") == 1
    mend(machine.account, "A")
    again = here(machine, "retry", "--json")
    assert (again.code, again.outcomes) == (0, {"applied": people})
    assert sorted(deal["name"] for deal in machine.account.records()["deals"]) == [f"Deal {n}" for n in range(people)]
