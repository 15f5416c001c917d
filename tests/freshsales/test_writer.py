from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pytest_httpx import HTTPXMock

from fsseg.freshsales.account import ConfigError, resolve
from fsseg.freshsales.errors import BadAnswer, BulkBusy, NoBulk, NotFound, Refused, Unavailable
from fsseg.freshsales.http import Http
from fsseg.freshsales.pacer import Pacer
from fsseg.freshsales.secret import Token
from fsseg.freshsales.writer import Writer

from .conftest import APPLICATION_KEY


def sent(httpx_mock: HTTPXMock) -> tuple[str, Any]:
    request = httpx_mock.get_requests()[-1]
    return f"{request.method} {request.url.path}", json.loads(request.content) if request.content else None


def test_records_are_created_wrapped_and_come_back_unwrapped(writer: Writer, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=201, json={"sales_account": {"id": "70003771396", "name": "Acme"}})
    assert writer.create("account", {"name": "Acme"}) == {"id": 70003771396, "name": "Acme"}
    assert sent(httpx_mock) == ("POST /api/sales_accounts", {"sales_account": {"name": "Acme"}})


def test_records_are_updated_with_the_changes_only(writer: Writer, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={"lead": {"id": 5}})
    assert writer.update("lead", 5, {"job_title": None}) == {"id": 5}
    assert sent(httpx_mock) == ("PUT /api/leads/5", {"lead": {"job_title": None}})


def test_an_upsert_names_its_identifier(writer: Writer, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={"contact": {"id": 5}})
    assert writer.upsert("contact", {"emails": "a@b.example"}, {"emails": "a@b.example"})["id"] == 5
    assert sent(httpx_mock) == (
        "POST /api/contacts/upsert",
        {"unique_identifier": {"emails": "a@b.example"}, "contact": {"emails": "a@b.example"}},
    )


@pytest.mark.parametrize("answer", [b"", b"true", b"{}", b'{"lead":null}', b'{"lead":{"id":null}}', b"<html>"])
def test_a_create_whose_answer_shows_no_record_is_left_open(
    writer: Writer, httpx_mock: HTTPXMock, answer: bytes
) -> None:
    httpx_mock.add_response(status_code=201, content=answer)
    with pytest.raises(BadAnswer) as caught:
        writer.create("lead", {})
    assert caught.value.sent


def test_creating_and_tracking_are_never_repeated_after_a_lost_answer(writer: Writer, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=500, is_reusable=True)
    calls: list[Callable[[], object]] = [
        lambda: writer.create("deal", {}),
        lambda: writer.convert(1, {}),
        lambda: writer.create_activity({}),
        lambda: writer.create_note({}),
        lambda: writer.track_event("a@b.example", "x", {}),
        lambda: writer.track_page_view("a@b.example", "https://x.example"),
    ]
    for call in calls:
        with pytest.raises(Unavailable) as caught:
            call()
        assert caught.value.sent
    assert len(httpx_mock.get_requests()) == len(calls)


def test_updates_upserts_and_deletes_are_repeated(writer: Writer, httpx_mock: HTTPXMock) -> None:
    calls: list[tuple[Callable[[], object], Any]] = [
        (lambda: writer.update("contact", 1, {}), {"contact": {"id": 1}}),
        (lambda: writer.upsert("contact", {"emails": "a@b.example"}, {}), {"contact": {"id": 1}}),
        (lambda: writer.bulk_upsert("contact", []), {"job_status_url": "https://x/job_statuses/1"}),
        (lambda: writer.delete("contact", 1), True),
        (lambda: writer.delete_activity(1), {"success": "200"}),
        (lambda: writer.delete_note(1), None),
    ]
    for call, answer in calls:
        httpx_mock.add_response(status_code=503)
        httpx_mock.add_response(json=answer)
        call()
    assert len(httpx_mock.get_requests()) == 2 * len(calls)


def test_a_bulk_upsert_answers_with_the_job(writer: Writer, httpx_mock: HTTPXMock) -> None:
    url = "https://acme.myfreshworks.com/crm/sales/api/job_statuses/12345/?x=1"
    httpx_mock.add_response(json={"job_status_url": url, "message": "ok"})
    items = [{"emails": "a@b.example", "data": {"first_name": "Ada"}}]
    assert writer.bulk_upsert("contact", items) == "12345"
    assert sent(httpx_mock) == ("POST /api/contacts/bulk_upsert", {"contacts": items})


@pytest.mark.parametrize("answer", [{}, {"job_status_url": None}, {"job_status_url": ""}, [], True])
def test_a_bulk_upsert_without_a_job_is_a_bad_answer(writer: Writer, httpx_mock: HTTPXMock, answer: object) -> None:
    httpx_mock.add_response(json=answer)
    with pytest.raises(BadAnswer):
        writer.bulk_upsert("deal", [])


def test_a_host_without_bulk_upsert_says_so(writer: Writer, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=404)
    with pytest.raises(NoBulk):
        writer.bulk_upsert("lead", [])


@pytest.mark.parametrize("seen", [False, True])
def test_405_means_that_others_are_busy_and_nothing_else(writer: Writer, httpx_mock: HTTPXMock, seen: bool) -> None:
    if seen:
        httpx_mock.add_response(json={"job_status_url": "/job_statuses/7"})
        assert writer.bulk_upsert("contact", []) == "7"
    httpx_mock.add_response(status_code=405, json={"errors": {"code": 405, "message": ["Max of 10 transactions"]}})
    with pytest.raises(BulkBusy, match="Max of 10"):
        writer.bulk_upsert("contact", [])


def test_a_refused_batch_is_refused(writer: Writer, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=400, json={"errors": {"code": 400, "message": ["too many"]}})
    with pytest.raises(Refused, match="too many"):
        writer.bulk_upsert("contact", [])


def test_what_is_not_there_cannot_be_deleted(writer: Writer, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=404)
    with pytest.raises(NotFound):
        writer.delete("lead", 5)


@pytest.mark.parametrize(
    ("answer", "contact"),
    [({"contact": {"id": 8}}, {"id": 8}), ({"lead": {"id": 1}}, None), (True, None), (None, None)],
)
def test_a_conversion_gives_the_contact_where_it_is_shown(
    writer: Writer, httpx_mock: HTTPXMock, answer: object, contact: object
) -> None:
    httpx_mock.add_response(json=answer)
    assert writer.convert(1, {"last_name": "Moss"}) == contact
    assert sent(httpx_mock) == ("POST /api/leads/1/convert", {"lead": {"last_name": "Moss"}})


def test_activities_and_notes_give_their_ids(writer: Writer, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={"sales_activity": {"id": "31"}})
    httpx_mock.add_response(status_code=201, json={"note": {"id": 32}})
    assert (writer.create_activity({"title": "x"}), writer.create_note({"description": "x"})) == (31, 32)
    assert sent(httpx_mock) == ("POST /api/notes", {"note": {"description": "x"}})


@pytest.mark.parametrize("body", [b"", b"ok", b"<html></html>", b"{}"])
def test_tracking_sends_the_application_token_in_the_body_and_no_header(
    writer: Writer, httpx_mock: HTTPXMock, body: bytes
) -> None:
    httpx_mock.add_response(content=body)
    writer.track_event("a@b.example", "Order Completed", {"revenue": 39.95, "name": "clash"})
    assert sent(httpx_mock) == (
        "POST /track/events",
        {
            "application_token": APPLICATION_KEY,
            "sdk": "ruby",
            "identifier": "a@b.example",
            "event": {"name": "Order Completed", "revenue": 39.95},
        },
    )
    assert "authorization" not in httpx_mock.get_requests()[0].headers


def test_a_page_view_is_its_url_below_the_suites_path(httpx_mock: HTTPXMock, pacer: Pacer) -> None:
    httpx_mock.add_response()
    with Http(resolve("acme", "suite"), Token("k"), Token("t"), pacer=pacer) as http:
        Writer(http).track_page_view("a@b.example", "https://acme.example/pricing")
    path, body = sent(httpx_mock)
    assert path == "POST /crm/sales/track/page_views"
    assert body["page_view"] == {"url": "https://acme.example/pricing"}


def test_tracking_without_an_application_token_is_a_matter_of_configuration(pacer: Pacer) -> None:
    with Http(resolve("acme"), Token("k"), pacer=pacer) as http, pytest.raises(ConfigError, match="application token"):
        Writer(http).track_event("a@b.example", "x", {})
