from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_httpx import HTTPXMock

from fsseg.freshsales.bulk_job import Job
from fsseg.freshsales.errors import BadAnswer, FreshsalesError, NotFound
from fsseg.freshsales.reader import Page, Reader
from fsseg.freshsales.views import view_of_all

from .clocks import FakeClock


def asked(httpx_mock: HTTPXMock) -> list[str]:
    return [
        f"{request.method} {request.url.path}?{request.url.query.decode()}".rstrip("?")
        for request in httpx_mock.get_requests()
    ]


def test_fields_come_as_freshsales_lists_them(reader: Reader, httpx_mock: HTTPXMock) -> None:
    fields = [{"id": 8, "name": "owner_id", "type": "dropdown"}, {"id": "x", "name": "cf_a"}]
    httpx_mock.add_response(json={"fields": fields}, is_reusable=True)
    assert reader.fields("account") == fields
    reader.fields("timeline")
    assert asked(httpx_mock) == [
        "GET /api/settings/sales_accounts/fields",
        "GET /api/settings/sales_activities/fields",
    ]


def test_owners_are_listed_under_users(reader: Reader, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={"users": [{"id": 1, "email": "o@acme.example"}]})
    assert reader.selector("owners") == [{"id": 1, "email": "o@acme.example"}]


def test_a_selector_is_listed_under_its_name(reader: Reader, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={"lead_stages": [{"id": "5", "name": "New"}]})
    assert reader.selector("lead_stages") == [{"id": 5, "name": "New"}]


def test_a_lookup_asks_several_entities_at_once(reader: Reader, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(
        json={"leads": {"leads": []}, "contacts": {"contacts": [{"id": "2", "email": "a@b.example"}], "users": []}}
    )
    found = reader.lookup("a+1@b.example", "email", ["lead", "contact"])
    assert found == {"lead": [], "contact": [{"id": 2, "email": "a@b.example"}]}
    assert asked(httpx_mock) == [
        "GET /api/lookup?q=a%2B1%40b.example&f=email&entities=lead%2Ccontact&include=sales_accounts"
    ]


def test_a_lookup_takes_a_key_missing_beside_another_for_none(reader: Reader, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={"contacts": {"contacts": [{"id": 2}]}})
    assert reader.lookup("a@b.example", "email", ["lead", "contact"])["lead"] == []


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        None,
        True,
        "text",
        {"deals": {"deals": []}},
        {"leads": {}},
        {"leads": None},
        {"leads": []},
        {"leads": {"contacts": []}},
        {"leads": {"leads": None}},
        {"leads": {"leads": [{"email": "a@b.example"}]}},
        {"leads": {"leads": [7]}},
        {"leads": {"leads": []}, "contacts": {}},
    ],
)
def test_a_lookup_of_any_other_shape_is_never_taken_for_nobody(
    reader: Reader, httpx_mock: HTTPXMock, answer: object
) -> None:
    httpx_mock.add_response(json=answer)
    with pytest.raises(BadAnswer):
        reader.lookup("a@b.example", "email", ["lead", "contact"])


@pytest.mark.httpx_mock(can_send_already_matched_responses=True)
@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 405, 422, 429, 500, 502, 503])
def test_a_lookup_that_fails_is_never_taken_for_nobody(reader: Reader, httpx_mock: HTTPXMock, status: int) -> None:
    httpx_mock.add_response(status_code=status, json={"leads": {"leads": []}})
    with pytest.raises(FreshsalesError):
        reader.lookup("a@b.example", "email", ["lead"])


def test_a_record_comes_with_what_was_side_loaded(reader: Reader, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={"contact": {"id": 5, "owner_id": 1}, "users": [{"id": 1}]})
    record, sides = reader.get("contact", 5, ["owner", "sales_accounts"])
    assert (record, sides) == ({"id": 5, "owner_id": 1}, {"users": [{"id": 1}]})
    assert asked(httpx_mock) == ["GET /api/contacts/5?include=owner%2Csales_accounts"]


def test_a_record_that_is_not_there_is_not_found(reader: Reader, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=404, html="<html></html>")
    with pytest.raises(NotFound) as caught:
        reader.get("lead", 5)
    assert caught.value.path == "/api/leads/{id}"


@pytest.mark.parametrize(
    "answer", [{}, {"contact": None}, {"contact": {}}, {"contact": {"id": True}}, {"lead": {"id": 1}}]
)
def test_a_record_of_another_shape_is_a_bad_answer(reader: Reader, httpx_mock: HTTPXMock, answer: object) -> None:
    httpx_mock.add_response(json=answer)
    with pytest.raises(BadAnswer):
        reader.get("contact", 5)


ALL = {"id": 3, "name": "All Contacts"}
MINE = {"id": 1, "name": "My Contacts", "is_default": True}
GERMAN = {"id": 2, "name": "Alle Kontakte", "is_default": True}
STRANGE = {"id": 5, "name": "Contatte", "is_default": True}
BIN = {"id": 4, "name": "Recycle Bin", "is_default": True}


@pytest.mark.parametrize(
    ("views", "chosen"),
    [
        ([MINE, ALL], 3),
        ([MINE, {**ALL, "name": "all  contacts"}], 3),
        ([BIN, MINE, GERMAN], 2),
        ([{**ALL, "name": "Todos los contactos"}], 3),
        ([{**ALL, "name": "Tous les contacts"}], 3),
    ],
)
def test_the_view_of_all_is_found_by_name_in_several_languages(
    reader: Reader, httpx_mock: HTTPXMock, views: list[Any], chosen: int
) -> None:
    httpx_mock.add_response(json={"filters": views})
    assert view_of_all(reader, "contact") == view_of_all(reader, "contact") == chosen


@pytest.mark.parametrize("name", ["Overall winners", "All contacts in York", "All my contacts", "All Leads", "All", ""])
def test_a_view_that_only_sounds_like_all_is_not_taken_for_it(reader: Reader, httpx_mock: HTTPXMock, name: str) -> None:
    httpx_mock.add_response(json={"filters": [{**ALL, "name": name}]})
    httpx_mock.add_response(json={"contacts": [], "meta": {"total": 7}})
    assert view_of_all(reader, "contact") is None


@pytest.mark.parametrize(
    ("totals", "chosen"),
    [({4: 7, 1: 2, 5: 7}, 5), ({4: 7, 1: 2, 5: 6}, None), ({4: 0, 1: 7, 5: 7}, 1)],
)
def test_else_by_how_many_it_holds_and_never_a_recycle_bin(
    reader: Reader, httpx_mock: HTTPXMock, totals: dict[int, int], chosen: int | None
) -> None:
    httpx_mock.add_response(json={"filters": [BIN, MINE, STRANGE]})
    httpx_mock.add_response(json={"contacts": [], "meta": {"total": 7}})
    for id, total in totals.items():
        row = {"id": 9, "is_deleted": id == BIN["id"]}
        httpx_mock.add_response(json={"contacts": [row], "meta": {"total": total}}, is_optional=True)
    assert view_of_all(reader, "contact") == chosen


def test_a_configured_view_is_asked_for_nothing(reader: Reader, httpx_mock: HTTPXMock) -> None:
    reader.known_views["contact"] = 77
    assert view_of_all(reader, "contact") == 77


def test_a_view_is_paged_by_a_hundred(reader: Reader, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={"leads": [{"id": 1}], "meta": {"total": 101, "total_pages": 2}})
    assert reader.rows("lead", 9, page=2, include=["owner"]) == Page([{"id": 1}], 101, 2)
    assert asked(httpx_mock) == [
        "GET /api/leads/view/9?page=2&per_page=100&sort=updated_at&sort_type=asc&include=owner"
    ]


@pytest.mark.parametrize("meta", [{}, {"meta": None}, {"meta": {"total": "many"}}])
def test_a_page_may_not_know_its_total(reader: Reader, httpx_mock: HTTPXMock, meta: dict[str, Any]) -> None:
    httpx_mock.add_response(json={"sales_activities": [], **meta})
    assert reader.sales_activities(3) == Page([], None, None)


def test_a_filtered_search_is_a_read_that_posts(reader: Reader, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={"contacts": [{"partial": True, "id": 4}], "meta": {"total": 1}})
    page = reader.filtered("contact", "contact_email.email", "is_in", ["a@b.example", "c@d.example"])
    assert page == Page([{"partial": True, "id": 4}], 1, None)
    assert asked(httpx_mock) == ["POST /api/filtered_search/contact?page=1&per_page=100"]
    assert json.loads(httpx_mock.get_requests()[0].content) == {
        "filter_rule": [
            {"attribute": "contact_email.email", "operator": "is_in", "value": ["a@b.example", "c@d.example"]}
        ]
    }
    assert reader._http.pacer.read == 1


REPORT = {
    "record_status": {"succeeded": 98, "failed": 2},
    "detailed_failure_report": [
        {"emails": "bad@example.com", "error_message": ["Email is invalid"]},
        {"mobile_number": "123", "error_message": "taken"},
    ],
}
FAILURES = [({"emails": "bad@example.com"}, ["Email is invalid"]), ({"mobile_number": "123"}, ["taken"])]


@pytest.mark.parametrize("data", [REPORT, json.dumps(REPORT)])
def test_a_jobs_report_is_read_from_object_or_text(reader: Reader, httpx_mock: HTTPXMock, data: object) -> None:
    httpx_mock.add_response(json={"status": "SUCCESS", "progress": 100, "data": data})
    assert reader.job("12345") == Job("done", 100.0, 98, 2, FAILURES)
    assert asked(httpx_mock) == ["GET /api/job_statuses/12345"]


@pytest.mark.parametrize("data", [None, "", "null", {}, "{}", {"record_status": None, "detailed_failure_report": None}])
def test_a_job_may_have_nothing_to_report(reader: Reader, httpx_mock: HTTPXMock, data: object) -> None:
    httpx_mock.add_response(json={"status": "QUEUED", "data": data})
    assert reader.job("1") == Job("running", None, None, None, [])


@pytest.mark.parametrize(
    ("status", "progress", "expected"),
    [
        ("SUCCESS", None, "done"),
        ("Completed", 10, "done"),
        ("COMPLETED_WITH_ERRORS", 100, "done"),
        ("FAILED", 100, "failed"),
        ("UNSUCCESSFUL", 100, "failed"),
        ("internal error", 3, "failed"),
        ("INCOMPLETE", 40, "running"),
        ("IN_PROGRESS", 99, "running"),
        ("whatever", 100, "done"),
        ("", 0, "running"),
    ],
)
def test_a_jobs_state_is_told_by_known_words_else_by_progress(
    reader: Reader, httpx_mock: HTTPXMock, status: str, progress: int | None, expected: str
) -> None:
    httpx_mock.add_response(json={"status": status, "progress": progress, "data": None})
    assert reader.job("1").status == expected


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"status": None},
        {"status": "SUCCESS", "data": "not json"},
        {"status": "SUCCESS", "data": [1]},
        {"status": "SUCCESS", "data": {"detailed_failure_report": "2 failed"}},
        {"status": "SUCCESS", "data": {"detailed_failure_report": ["a@b.example"]}},
    ],
)
def test_a_job_that_cannot_be_read_is_not_taken_for_one_without_failures(
    reader: Reader, httpx_mock: HTTPXMock, answer: object
) -> None:
    httpx_mock.add_response(json=answer)
    with pytest.raises(BadAnswer):
        reader.job("1")


def test_notes_are_read_to_the_last_page(reader: Reader, httpx_mock: HTTPXMock) -> None:
    for number in (1, 2):
        httpx_mock.add_response(json={"notes": [{"id": number}], "meta": {"total_pages": 2}})
    assert reader.notes("lead", 5) == [{"id": 1}, {"id": 2}]


@pytest.mark.parametrize(
    ("answer", "deals"),
    [
        ({"contact": {"id": 1}, "deals": [{"id": "9"}]}, [{"id": 9}]),
        ({"contact": {"id": 1, "deals": [{"id": 9}]}}, [{"id": 9}]),
        ({"contact": {"id": 1}, "deals": []}, []),
        ({"contact": {"id": 1, "deal_ids": []}}, []),
    ],
)
def test_a_contacts_deals_stand_beside_it_or_in_it(
    reader: Reader, httpx_mock: HTTPXMock, answer: object, deals: object
) -> None:
    httpx_mock.add_response(json=answer)
    assert reader.deals_of(1) == deals


@pytest.mark.parametrize("answer", [{"contact": {"id": 1}}, {"contact": {"id": 1, "deal_ids": [3]}}, {"deals": []}])
def test_deals_that_are_not_told_are_not_taken_for_none(reader: Reader, httpx_mock: HTTPXMock, answer: object) -> None:
    httpx_mock.add_response(json=answer)
    with pytest.raises(BadAnswer):
        reader.deals_of(1)


def test_an_answer_of_the_wrong_shape_is_not_asked_for_again(
    reader: Reader, httpx_mock: HTTPXMock, clock: FakeClock
) -> None:
    httpx_mock.add_response(json={"field": []})
    with pytest.raises(BadAnswer, match=r"GET /api/settings/leads/fields: the answer has no list of fields"):
        reader.fields("lead")
    assert clock.sleeps == []
