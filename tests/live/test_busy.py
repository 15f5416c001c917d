"""Other people's bulk jobs, and jobs that take long: nothing goes one by one for that, and nothing is sent twice."""

from __future__ import annotations

from contextlib import closing

import pytest

from fsseg.sandbox import Fault
from fsseg.sandbox.store import Store
from tests.e2e.events import identify, track
from tests.e2e.harness import Machine, Row

MANY = 30


def people() -> list[Row]:
    return [
        identify(f"p{n}@x.example", lastName="P", fsContact=True, company=f"Firm {n}") for n in range(MANY)
    ]  # fmt: skip


def single_writes(machine: Machine) -> int:
    sent = machine.account.sandbox.stats()["requests"]
    return sum(
        count for name, count in sent.items() if name.startswith(("POST", "PUT")) and not name.endswith(("bulk_upsert", "activities", "search/contact"))
    )  # fmt: skip


@pytest.mark.parametrize("refusals", [1, 3])
@pytest.mark.usefixtures("fast")
def test_others_are_waited_for_from_the_first_call_on(machine: Machine, refusals: int) -> None:
    machine.account.faults(Fault("bulk_405", limit=refusals))
    done = machine.imports(events=people())
    assert done.code == 0, done.err
    assert single_writes(machine) == 0
    assert len(machine.account.records()["contacts"]) == MANY
    assert all(row["sales_accounts"] for row in machine.account.records()["contacts"])


@pytest.mark.usefixtures("fast")
def test_other_work_goes_on_meanwhile(machine: Machine) -> None:
    known = [identify("k@x.example", lastName="K", fsContact=True)]
    assert machine.imports(events=known).code == 0
    machine.account.forget()
    machine.account.faults(Fault("bulk_405"))
    done = machine.imports(
        "--max-time", "60s", events=[*people(), track("k@x.example", "Visited"), track("p1@x.example", "Visited")]
    )
    assert done.code == 5
    assert [row["title"] for row in machine.account.timeline("k@x.example")] == ["Visited"]
    assert single_writes(machine) == 0
    machine.account.faults()
    assert machine.run("resume").code == 0
    assert len(machine.account.records()["contacts"]) == MANY + 1
    assert len(machine.account.timeline("p1@x.example")) == 1


@pytest.mark.usefixtures("fast")
def test_a_job_that_takes_long_is_resumed_and_its_records_are_not_sent_again(suite: Machine) -> None:
    events = [identify(f"p{n}@x.example", lastName="P") for n in range(MANY)]
    suite.account.configure(job_seconds=3600.0)
    assert suite.imports("--max-time", "20s", events=events).code == 5
    suite.account.configure(job_seconds=0.0)
    assert suite.run("resume", "--max-time", "20s").code == 5
    with closing(Store(suite.account.db)) as store:
        store.run("UPDATE job SET due = 0")
    suite.account.forget()
    assert suite.run("resume").code == 0
    assert suite.account.writes == 0
    assert len(suite.account.records()["contacts"]) == MANY


@pytest.mark.usefixtures("fast")
def test_whom_such_a_job_refused_for_the_shape_of_the_addresses_is_sent_in_the_other_one(suite: Machine) -> None:
    events = [identify(f"p{n}@x.example", lastName="P") for n in range(MANY)]
    suite.account.configure(job_seconds=3600.0, email_shape="text")
    stopped = suite.imports("--max-time", "20s", events=events)
    assert stopped.code == 5
    with closing(Store(suite.account.db)) as store:
        store.run("UPDATE job SET due = 0")
    suite.account.configure(job_seconds=0.0, email_shape="text")
    assert suite.run("resume").code == 0
    assert stopped.outcomes == {"applied": MANY}
    assert len(suite.account.records()["contacts"]) == MANY


@pytest.mark.usefixtures("fast")
def test_a_burst_that_is_refused_for_long_is_waited_out(machine: Machine) -> None:
    """Nothing tells how long: all goes through, and less is asked in vain than is sent."""
    machine.account.configure(burst=12, window=30.0, quota=1_000)
    events = [identify(f"p{n}@x.example", lastName="P") for n in range(MANY)]
    done = machine.imports(events=[*events, *(track(f"p{n}@x.example", "Visited") for n in range(MANY))])
    assert (done.code, done.outcomes) == (0, {"applied": 2 * MANY}), done.err
    kind = "leads" if machine.account.edition == "classic" else "contacts"
    records = machine.account.records()
    assert (len(records[kind]), len(records["sales_activities"])) == (MANY, MANY)
    assert done.summary["requests"]["rate_limited"] < MANY
