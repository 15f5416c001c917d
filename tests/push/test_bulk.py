"""Many contacts a request: each refusal tied to its record, ids learnt, nothing emptied, nothing twice."""

from __future__ import annotations

from typing import Any

import pytest

from fsseg.freshsales.errors import Halted
from fsseg.push.executor import recover
from fsseg.push.read_back import SWITCHED
from fsseg.sandbox import Fault
from fsseg.state.actions import Status
from fsseg.state.plan_store import Store
from fsseg.state.run_meta import BulkJob
from tests.client import Client
from tests.push.plans import Plan

SENT_BEFORE = {"status": "sent", "claimed_at": "2024-01-01T00:00:00+00:00"}
HELD = {"cf_region": "EMEA", "cf_seats": 5}


@pytest.fixture
def plan(suite: Client, store: Store) -> Plan:
    return Plan(suite, store)


def people(plan: Plan, count: int, columns: dict[str, Any] | None = None, **fields: Any) -> None:
    for number in range(count):
        plan.create("contact", f"p{number}@x.example", columns, last_name=f"P{number}", **fields)


def seeded(client: Client, count: int) -> list[int]:
    rows = [{"email": f"p{number}@x.example", "last_name": "P", "custom_field": HELD} for number in range(count)]
    return client.account.seed(contacts=rows)["contacts"]


def names(client: Client) -> list[str]:
    return sorted(row["last_name"] for row in client.account.records()["contacts"])


def noted_job(plan: Plan) -> BulkJob | None:
    return plan.store.meta.job


def bulk_calls(client: Client) -> int:
    requests = client.account.sandbox.stats()["requests"]
    return sum(count for name, count in requests.items() if name.endswith("bulk_upsert"))


def test_a_hundred_go_in_one_request_and_their_ids_are_read_only_where_they_are_needed(
    suite: Client, plan: Plan
) -> None:
    people(plan, 100)
    plan.push()
    assert (plan.is_done, len(names(suite)), bulk_calls(suite)) == (True, 100, 1)
    assert suite.account.requests <= 5


def test_few_go_one_by_one(suite: Client, plan: Plan) -> None:
    people(plan, 3)
    plan.push()
    assert (plan.is_done, bulk_calls(suite)) == (True, 0)


def test_where_there_is_no_bulk_each_is_sent_by_itself(suite: Client, plan: Plan) -> None:
    suite.account.configure(bulk=False)
    people(plan, 6)
    plan.push()
    assert (plan.is_done, names(suite)) == (True, [f"P{number}" for number in range(6)])
    assert bulk_calls(suite) == 1


def test_each_refusal_is_that_of_its_record(suite: Client, plan: Plan) -> None:
    people(plan, 6)
    refused = plan.create("contact", "no address", last_name="Refused")
    plan.push()
    assert plan.record(refused).status == Status.FAILED
    assert (plan.record(refused).code, plan.record(refused).http_status) == ("refused", 400)
    assert plan.record(refused).message
    assert plan.statuses.count(Status.DONE) == 6


@pytest.mark.parametrize("way", ["refuse", "drop"])
def test_a_refused_field_does_not_lose_its_record(suite: Client, plan: Plan, way: str) -> None:
    suite.account.configure(bad_choices=way)
    people(plan, 6)
    plan.create("contact", "odd@x.example", last_name="Odd", cf_plan="Nonsense")
    plan.push()
    assert (plan.is_done, "Odd" in names(suite)) == (True, True)
    assert plan.warnings == [f"{'left_out' if way == 'refuse' else 'not_stored'}: cf_plan = Nonsense"]


@pytest.mark.parametrize("failures", [1, 9])
def test_a_job_that_fails_is_halved_and_nobody_is_made_twice(suite: Client, plan: Plan, failures: int) -> None:
    suite.account.faults(Fault("job_failure", limit=failures))
    people(plan, 8)
    plan.push()
    assert (plan.is_done, names(suite)) == (True, [f"P{number}" for number in range(8)])


def test_updates_keep_the_custom_fields_that_they_do_not_name(suite: Client, plan: Plan) -> None:
    suite.account.configure(bulk_custom_fields="replace")
    for id in seeded(suite, 8):
        plan.update("contact", id, cf_seats=6)
    plan.push()
    rows = suite.account.records()["contacts"]
    assert [row["custom_field"]["cf_region"] for row in rows] == ["EMEA"] * 8
    assert [row["custom_field"]["cf_seats"] for row in rows] == [6] * 8
    assert plan.is_done
    assert (plan.said, plan.context.custom_fields.bulk_merges) == ([SWITCHED], False)


def test_an_account_that_was_seen_to_empty_them_gets_no_such_bulk(suite: Client, plan: Plan) -> None:
    suite.account.configure(bulk_custom_fields="replace")
    plan.context.custom_fields.bulk_merges = False
    for id in seeded(suite, 8):
        plan.update("contact", id, cf_seats=6)
    plan.push()
    assert (plan.is_done, bulk_calls(suite), plan.said) == (True, 0, [])
    assert all(row["custom_field"]["cf_region"] == "EMEA" for row in suite.account.records()["contacts"])


def test_once_it_was_seen_to_keep_them_it_is_not_looked_at_after_every_job(suite: Client, plan: Plan) -> None:
    for id in seeded(suite, 250):
        plan.update("contact", id, cf_seats=6)
    plan.push()
    assert (plan.is_done, bulk_calls(suite), plan.said) == (True, 3, [])
    views = [name for name in suite.account.sandbox.stats()["requests"] if "/view/" in name]
    assert sum(suite.account.sandbox.stats()["requests"][name] for name in views) <= 2


def test_others_who_are_busy_are_waited_for(suite: Client, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fsseg.push.executor.BUSY_PAUSES_S", (0.1, 0.1, 0.1))
    suite.account.faults(Fault("bulk_405", limit=2))
    people(plan, 6)
    plan.push()
    assert (plan.is_done, len(names(suite)), bulk_calls(suite)) == (True, 6, 3)


def test_but_not_for_ever_and_nothing_is_marked_as_sent(
    suite: Client, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fsseg.push.executor.BUSY_PAUSES_S", (0.1,))
    suite.account.faults(Fault("bulk_405"))
    people(plan, 6)
    with pytest.raises(Halted, match="as many unfinished bulk jobs"):
        plan.push()
    assert set(plan.statuses) == {Status.PLANNED}
    assert noted_job(plan) is None


def test_a_job_that_never_ends_stops_the_push_and_is_taken_up_again(
    suite: Client, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fsseg.push.bulk.JOB_TIMEOUT_S", 1.0)
    suite.account.configure(job_polls=30)
    people(plan, 6)
    with pytest.raises(Halted, match="still runs"):
        plan.push()
    assert set(plan.statuses) == {Status.SENT}
    assert plan.store.meta.job is not None
    suite.account.configure(job_polls=0)
    monkeypatch.setattr("fsseg.push.bulk.JOB_TIMEOUT_S", 3600.0)
    for _ in range(31):  # the job itself still waits for its polls
        if suite.reader.job(str(plan.store.meta.job.id)).status != "running":
            break
    plan.push()
    assert (plan.is_done, noted_job(plan), bulk_calls(suite)) == (True, None, 0)
    assert names(suite) == [f"P{number}" for number in range(6)]


@pytest.mark.parametrize("made", [True, False])
def test_what_a_killed_push_had_under_way_is_made_once(suite: Client, plan: Plan, made: bool) -> None:
    """The answer with the job's id never arrived."""
    people(plan, 6, SENT_BEFORE)
    plan.store.meta.job = BulkJob("contact", None, [record.id for record in plan.store.records()])
    if made:
        for number in range(6):
            suite.account.make("contacts", emails=f"p{number}@x.example", last_name=f"P{number}")
    plan.push()
    assert (plan.is_done, noted_job(plan)) == (True, None)
    assert names(suite) == [f"P{number}" for number in range(6)]


def test_looking_for_it_alone_sends_nothing(suite: Client, plan: Plan) -> None:
    people(plan, 6, SENT_BEFORE)
    plan.store.meta.job = BulkJob("contact", None, [record.id for record in plan.store.records()])
    suite.account.make("contacts", emails="p0@x.example", last_name="P0")
    suite.account.forget()
    recover(plan.context)
    assert suite.account.writes == 0
    assert set(plan.statuses) == {Status.PLANNED}
    assert [record.remote_id is not None for record in plan.store.records()] == [True, *[False] * 5]


def test_all_addresses_go_as_text_where_the_account_will_have_no_objects(suite: Client, plan: Plan) -> None:
    suite.account.configure(email_shape="text")
    people(plan, 8)
    plan.push()
    assert (plan.is_done, len(names(suite)), plan.context.emails.is_text) == (True, 8, True)
    assert bulk_calls(suite) == 2


def test_the_accounts_of_new_contacts_are_made_and_tied_first(suite: Client, plan: Plan) -> None:
    for number in range(6):
        name = f"Acme {number}"
        plan.create("account", name)
        plan.create(
            "contact", f"p{number}@x.example", {"companies": [name.casefold()]},
            last_name="P", sales_accounts=[name],
        )  # fmt: skip
    plan.push()
    assert plan.is_done
    linked = [[one["name"] for one in row["sales_accounts"]] for row in suite.account.records()["contacts"]]
    assert sorted(linked) == [[f"Acme {number}"] for number in range(6)]
