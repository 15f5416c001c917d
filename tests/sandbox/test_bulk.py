from __future__ import annotations

from typing import Any

import orjson
import pytest

from fsseg.sandbox import Fault, dump
from tests.sandbox.server import Api, refused


def job(api: Api, resource: str, *items: dict[str, Any]) -> dict[str, Any]:
    """The status of a job, once it is over."""
    response = api.post(f"/{resource}/bulk_upsert", {resource: list(items)})
    assert response.status_code == 200, response.text
    return status(api, response.json()["job_status_url"])


def status(api: Api, address: str) -> dict[str, Any]:
    assert address.startswith(api.sandbox.base_url + "/api/job_statuses/")
    return dict(api.http.get(address).json())


def test_a_job_creates_and_updates_and_reports_failures_without_ids(api: Api) -> None:
    made = api.make("contacts", email="a@x.example", job_title="CTO")
    done = job(
        api,
        "contacts",
        {"emails": "A@x.example", "data": {"first_name": "Ann", "custom_field": {"cf_plan": "Pro"}}},
        {"emails": "new@x.example", "data": {"first_name": "New"}},
        {"emails": "bad@x.example", "data": {"custom_field": {"cf_plan": "Gold"}}},
        {"id": str(made["id"]), "data": {"last_name": "Lee"}},
        {"id": "5", "data": {"last_name": "Lee"}},
        {"mobile_number": "007", "data": {"last_name": "Bond"}},
    )
    assert (done["status"], done["progress"], done["data"]["record_status"]) == (
        "SUCCESS", 100, {"succeeded": 4, "failed": 2},
    )  # fmt: skip
    report = done["data"]["detailed_failure_report"]
    assert [list(row) for row in report] == [["emails", "error_message"], ["id", "error_message"]]
    assert report[0]["emails"] == "bad@x.example"
    first, second, third = dump(api.db)["contacts"]
    assert (first["first_name"], first["last_name"], first["job_title"]) == ("Ann", "Lee", "CTO")
    assert (second["email"], third["mobile_number"]) == ("new@x.example", "007")


def test_accounts_and_deals_go_by_name_or_id(api: Api) -> None:
    job(api, "sales_accounts", {"name": "Acme", "data": {"city": "Leeds"}}, {"name": "ACME", "data": {"phone": "1"}})
    job(api, "deals", {"name": "Trial", "data": {"amount": 1}}, {"name": "Trial", "data": {"amount": 2}})
    content = dump(api.db)
    assert [(row["name"], row["city"], row["phone"]) for row in content["sales_accounts"]] == [("Acme", "Leeds", "1")]
    assert [row["amount"] for row in content["deals"]] == ["2.0"]


@pytest.mark.parametrize(
    "items",
    [
        [], [{"emails": "a@b.example", "first_name": "A"}], [{"data": {}}], [{"email": "a@b.example", "data": {}}],
        [{"emails": ["a@b.example"], "data": {}}], [{"emails": "a@b.example", "id": "1", "data": {}}], ["a@b.example"],
        {"emails": "a@b.example", "data": {}}, [{"emails": f"{n}@b.example", "data": {}} for n in range(101)],
    ],
    ids=lambda items: str(items)[:40],
)  # fmt: skip
def test_a_request_of_another_shape_is_refused_whole(api: Api, items: Any) -> None:
    refused(api.post("/contacts/bulk_upsert", {"contacts": items}))
    assert dump(api.db)["contacts"] == []


def test_a_refused_record_of_a_job_leaves_nothing_behind(api: Api) -> None:
    done = job(api, "deals", {"name": "Trial", "data": {"sales_account": {"name": "Acme"}}})
    assert done["data"]["record_status"]["failed"] == 1
    assert dump(api.db)["sales_accounts"] == []


def test_a_job_runs_until_its_time_has_come_and_blocks_others(api: Api) -> None:
    api.configure(job_polls=1, bulk_at_once=1)
    body = {"contacts": [{"emails": "a@x.example", "data": {}}]}
    address = api.post("/contacts/bulk_upsert", body).json()["job_status_url"]
    refused(api.post("/contacts/bulk_upsert", body), 405)
    running = status(api, address)
    assert (running["status"], running["progress"], running["data"]) == ("IN_PROGRESS", 0, None)
    assert status(api, address)["status"] == "SUCCESS"
    assert api.stats()["bulk_jobs_at_once"] == 1


def test_results_may_come_as_text_in_other_words(api: Api) -> None:
    api.configure(job_data="string", job_words=["QUEUED", "Completed", "FAILED"])
    done = job(api, "contacts", {"emails": "a@x.example", "data": {}})
    assert done["status"] == "Completed"
    assert orjson.loads(done["data"])["record_status"] == {"succeeded": 1, "failed": 0}


def test_a_job_may_fail_with_a_part_applied(api: Api) -> None:
    api.faults(Fault("job_failure"))
    done = job(api, "contacts", *({"emails": f"{n}@x.example", "data": {}} for n in range(50)))
    assert (done["status"], done["data"]) == ("FAILED", None)
    assert len(dump(api.db)["contacts"]) < 50


def test_bulk_is_not_everywhere(classic: Api) -> None:
    refused(classic.post("/leads/bulk_upsert", {"leads": [{"emails": "a@x.example", "data": {}}]}), 404)
    classic.configure(bulk=False)
    refused(classic.post("/contacts/bulk_upsert", {"contacts": [{"emails": "a@x.example", "data": {}}]}), 404)
    refused(classic.get("/job_statuses/1"), 404)


def test_bulk_destroy_deletes(api: Api) -> None:
    ids = [api.make("contacts", mobile_number=str(n))["id"] for n in range(3)]
    assert api.post("/contacts/bulk_destroy", {"selected_ids": ids[:2]}).json().keys() == {"message"}
    assert [row["id"] for row in dump(api.db)["contacts"]] == ids[2:]
