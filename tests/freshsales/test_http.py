from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pytest_httpx import HTTPXMock

from fsseg.freshsales import http as http_module
from fsseg.freshsales.account import resolve
from fsseg.freshsales.errors import (
    BadAnswer,
    BudgetSpent,
    Forbidden,
    FreshsalesError,
    HostDown,
    NotFound,
    RateLimited,
    ReadOnlyViolation,
    Refused,
    Stop,
    Unauthorized,
    Unavailable,
)
from fsseg.freshsales.http import MAX_ATTEMPTS, Http
from fsseg.freshsales.pacer import Pacer
from fsseg.freshsales.secret import Token

from .clocks import FakeClock
from .conftest import APPLICATION_KEY, KEY

EMAIL = "ada@example.com"


def read(http: Http) -> Any:
    return http.send("GET", "/api/lookup", params={"q": EMAIL}, idempotent=True)


def upsert(http: Http) -> Any:
    return http.send("POST", "/api/leads/upsert", json={"lead": {"email": EMAIL}}, idempotent=True, kind="write")


def create(http: Http) -> Any:
    return http.send("POST", "/api/leads", json={"lead": {"email": EMAIL}}, idempotent=False, kind="write")


def test_a_request_carries_the_key_and_json_and_says_who_it_is(http: Http, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={"lead": {"id": 1}})
    assert create(http) == {"lead": {"id": 1}}
    (request,) = httpx_mock.get_requests()
    assert str(request.url) == "https://acme.freshsales.io/api/leads"
    assert request.headers["Authorization"] == f"Token token={KEY}"
    assert request.headers["Content-Type"] == request.headers["Accept"] == "application/json"
    assert request.headers["User-Agent"].startswith("fsseg/")
    assert request.content == b'{"lead":{"email":"ada@example.com"}}'


def test_a_plus_in_an_address_is_encoded(http: Http, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={})
    http.send("GET", "/api/lookup", params={"q": "a+b@example.com"}, idempotent=True)
    assert b"q=a%2Bb%40example.com" in httpx_mock.get_requests()[0].url.query


@pytest.mark.parametrize(
    ("status", "body", "value"),
    [(200, b"true", True), (200, b"", None), (204, b"", None), (201, b"[1]", [1]), (202, b' {"a":1}\n', {"a": 1})],
)
def test_every_2xx_with_any_json_or_none_is_an_answer(
    http: Http, httpx_mock: HTTPXMock, status: int, body: bytes, value: object
) -> None:
    httpx_mock.add_response(status_code=status, content=body)
    assert create(http) == value


@pytest.mark.parametrize(
    ("status", "decision"),
    [
        (400, Refused),
        (404, NotFound),
        (405, Refused),
        (409, Refused),
        (422, Refused),
        (401, Unauthorized),
        (403, Forbidden),
    ],
)
def test_a_refusal_is_decided_by_status_and_never_repeated(
    http: Http, httpx_mock: HTTPXMock, status: int, decision: type[FreshsalesError]
) -> None:
    body = {"errors": {"code": status, "message": ["Je bent\x1b[31m niet gemachtigd\n"]}}
    httpx_mock.add_response(status_code=status, json=body, headers={"X-Request-Id": "req-1"})
    with pytest.raises(decision) as caught:
        upsert(http)
    error = caught.value
    assert (error.method, error.path, error.status, error.request_id) == ("POST", "/api/leads/upsert", status, "req-1")
    assert error.message == "Je bent [31m niet gemachtigd"
    assert type(error) is decision
    assert len(httpx_mock.get_requests()) == 1


def test_a_rate_limit_is_waited_out_even_for_what_may_not_be_repeated(
    http: Http, httpx_mock: HTTPXMock, clock: FakeClock
) -> None:
    httpx_mock.add_response(status_code=429, headers={"Retry-After": "3600"}, text="Too many requests")
    httpx_mock.add_response(status_code=201, json={"lead": {"id": 1}})
    create(http)
    assert clock.sleeps == [3600.0]
    assert (http.pacer.total, http.pacer.retried, http.pacer.rate_limited) == (2, 1, 1)


def test_a_400_that_wraps_a_429_is_a_rate_limit(http: Http, httpx_mock: HTTPXMock) -> None:
    message = ["UCR contact fetch failure :: response_code :: 429 :: body"]
    httpx_mock.add_response(status_code=400, json={"errors": {"code": 400, "message": message}})
    httpx_mock.add_response(json={})
    create(http)
    assert http.pacer.rate_limited == 1


@pytest.mark.httpx_mock(can_send_already_matched_responses=True)
def test_a_rate_limit_that_never_ends_is_told_in_the_end(http: Http, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=429, headers={"Retry-After": "60"})
    with pytest.raises(RateLimited) as caught:
        create(http)
    assert caught.value.retry_after == 60


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_a_server_error_is_repeated_where_that_is_safe(
    http: Http, httpx_mock: HTTPXMock, status: int, clock: FakeClock
) -> None:
    httpx_mock.add_response(status_code=status, html="<html><title>Oops</title></html>")
    httpx_mock.add_response(json={"ok": 1})
    assert upsert(http) == {"ok": 1}
    assert clock.sleeps == [0.5]


def test_a_server_error_leaves_a_create_open_at_once(http: Http, httpx_mock: HTTPXMock, clock: FakeClock) -> None:
    httpx_mock.add_response(status_code=502, html="<html><title>Bad Gateway</title></html>")
    with pytest.raises(Unavailable) as caught:
        create(http)
    assert (caught.value.sent, caught.value.message, caught.value.status) == (True, "Bad Gateway", 502)
    assert clock.sleeps == []


@pytest.mark.httpx_mock(can_send_already_matched_responses=True)
def test_a_record_that_always_breaks_the_server_does_not_pass_for_a_dead_host(
    http: Http, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(status_code=500)
    with pytest.raises(Unavailable) as caught:
        upsert(http)
    assert type(caught.value) is Unavailable
    assert len(httpx_mock.get_requests()) == MAX_ATTEMPTS


@pytest.mark.httpx_mock(can_send_already_matched_responses=True)
def test_a_server_that_breaks_at_everything_is_down(http: Http, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=503)
    for _ in range(9):
        with pytest.raises(Unavailable):
            upsert(http)
    with pytest.raises(HostDown):
        upsert(http)
    spent = http.pacer.total
    with pytest.raises(HostDown) as caught:
        create(http)
    assert (http.pacer.total, caught.value.sent) == (spent, False)


@pytest.mark.parametrize(
    "broken", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("x")]
)
def test_what_was_never_sent_is_repeated_whatever_it_is(
    http: Http, httpx_mock: HTTPXMock, broken: httpx.HTTPError
) -> None:
    httpx_mock.add_exception(broken)
    httpx_mock.add_response(json={"ok": 1})
    assert create(http) == {"ok": 1}


@pytest.mark.parametrize(
    "broken", [httpx.ReadTimeout("slow"), httpx.ReadError("x"), httpx.RemoteProtocolError("x"), httpx.WriteError("x")]
)
def test_a_lost_answer_leaves_a_create_open_and_repeats_an_upsert(
    http: Http, httpx_mock: HTTPXMock, broken: httpx.HTTPError
) -> None:
    httpx_mock.add_exception(broken)
    with pytest.raises(Unavailable) as caught:
        create(http)
    assert (caught.value.sent, caught.value.status) == (True, None)
    httpx_mock.add_exception(broken)
    httpx_mock.add_response(json={"ok": 1})
    assert upsert(http) == {"ok": 1}


@pytest.mark.httpx_mock(can_send_already_matched_responses=True)
def test_nobody_at_the_address_is_a_dead_host_before_any_record_fails(
    http: Http, httpx_mock: HTTPXMock, clock: FakeClock
) -> None:
    httpx_mock.add_exception(httpx.ConnectError("Connection refused"))
    with pytest.raises(HostDown, match="refused") as caught:
        create(http)
    assert not caught.value.sent
    assert clock.now >= 30


@pytest.mark.httpx_mock(can_send_already_matched_responses=True)
def test_nobody_at_the_address_ends_at_max_time(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_exception(httpx.ConnectError("Connection refused"))
    http = Http(resolve("acme"), Token(KEY), pacer=Pacer(clock=FakeClock(), max_time=5.0))
    with http, pytest.raises(BudgetSpent):
        read(http)


def test_a_run_that_ends_between_two_attempts_says_that_the_first_may_have_been_applied(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_exception(httpx.ReadTimeout("slow"))
    http = Http(resolve("acme"), Token(KEY), pacer=Pacer(clock=FakeClock(), max_requests=1))
    with http, pytest.raises(BudgetSpent) as caught:
        upsert(http)
    assert caught.value.sent


@pytest.mark.httpx_mock(can_send_already_matched_responses=True)
@pytest.mark.parametrize("body", [b"<html><title>Maintenance</title></html>", b'{"cut":', b"\xff", b"NaN"])
def test_a_2xx_that_is_not_json_is_a_bad_answer(http: Http, httpx_mock: HTTPXMock, body: bytes) -> None:
    httpx_mock.add_response(content=body)
    for call in (create, read):
        with pytest.raises(BadAnswer) as caught:
            call(http)
        assert caught.value.sent


def test_a_bad_answer_to_a_read_is_asked_for_again(http: Http, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(html="<html>back soon</html>")
    httpx_mock.add_response(json={"leads": {"leads": []}})
    assert read(http) == {"leads": {"leads": []}}


def test_an_endless_answer_is_cut(http: Http, httpx_mock: HTTPXMock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "MAX_ANSWER_BYTES", 1 << 20)
    httpx_mock.add_response(content=b" " * (1 << 20) + b"[]")
    with pytest.raises(BadAnswer, match="1 MiB"):
        create(http)


def test_an_answer_that_trickles_is_given_up_at_the_deadline(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(stream=pytest_stream([b"["] + [b" "] * 50))
    http = Http(resolve("acme"), Token(KEY), pacer=Pacer(clock=FakeClock(tick=3.0)))
    with http, pytest.raises(Unavailable, match="within 120 s") as caught:
        create(http)
    assert caught.value.sent


def pytest_stream(pieces: list[bytes]) -> httpx.SyncByteStream:
    class Pieces(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            return iter(pieces)

    return Pieces()


@pytest.mark.parametrize("location", [f"https://evil.example/login?user={EMAIL}", "//evil.example", "/login", ""])
def test_a_redirect_is_not_followed_and_ends_the_run(http: Http, httpx_mock: HTTPXMock, location: str) -> None:
    httpx_mock.add_response(status_code=302, headers={"Location": location})
    with pytest.raises(Stop, match="redirected") as caught:
        read(http)
    assert ("evil.example" in str(caught.value)) == ("evil" in location)
    assert EMAIL not in str(caught.value)


def test_quota_headers_of_any_answer_reach_the_pacer(http: Http, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(
        status_code=404, headers={"x-RateLimit-Limit": "1000", "x-RateLimit-Remaining": "873", "x-RateLimit-Reset": "9"}
    )
    with pytest.raises(NotFound):
        read(http)
    assert (http.pacer.per_hour, http.pacer.remaining) == (1000, 873)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/leads"),
        ("POST", "/api/leads/upsert"),
        ("PUT", "/api/leads/1"),
        ("DELETE", "/api/leads/1"),
        ("PATCH", "/api/leads/1"),
        ("POST", "/api/leads/1?x=/api/filtered_search/lead"),
    ],
)
def test_a_read_only_connection_sends_no_write(pacer: Pacer, httpx_mock: HTTPXMock, method: str, path: str) -> None:
    with Http(resolve("acme"), Token(KEY), Token(APPLICATION_KEY), pacer=pacer, read_only=True) as http:
        with pytest.raises(ReadOnlyViolation):
            http.send(method, path, json={}, idempotent=True, kind="read")
        with pytest.raises(ReadOnlyViolation):
            http.track("events", {})
    assert httpx_mock.get_requests() == []


def test_a_read_only_connection_reads_and_searches(pacer: Pacer, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={}, is_reusable=True)
    with Http(resolve("acme.myfreshworks.com"), Token(KEY), pacer=pacer, read_only=True) as http:
        read(http)
        http.send("POST", "/api/filtered_search/contact", json={}, idempotent=True)
    assert [request.method for request in httpx_mock.get_requests()] == ["GET", "POST"]


FAULTS: list[Callable[[HTTPXMock], None]] = [
    lambda mock: mock.add_response(status_code=400, json={"errors": {"message": f"bad key {KEY} {APPLICATION_KEY}"}}),
    lambda mock: mock.add_response(status_code=401, text="x" * 295 + KEY),
    lambda mock: mock.add_response(status_code=403, headers={"X-Request-Id": "r"}, text=KEY),
    lambda mock: mock.add_response(status_code=302, headers={"Location": "https://evil.example/"}),
    lambda mock: mock.add_response(status_code=502, html=f"<html><title>{KEY}</title></html>"),
    lambda mock: mock.add_response(text=f"oops {KEY}"),
    lambda mock: mock.add_exception(httpx.ReadError(f"while sending {KEY}")),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_shows_a_token_or_a_person(
    http: Http, httpx_mock: HTTPXMock, caplog: pytest.LogCaptureFixture, fault: Callable[[HTTPXMock], None]
) -> None:
    caplog.set_level(logging.DEBUG)
    fault(httpx_mock)
    with pytest.raises(FreshsalesError) as caught:
        http.send("POST", f"/api/x/{EMAIL}", json={}, params={"q": EMAIL}, idempotent=False, pattern="/api/x/{q}")
    shown = "".join(
        [str(caught.value), repr(caught.value), *traceback.format_exception(caught.value), caplog.text, str(vars(http))]
    )
    assert "POST /api/x/{q}" in caplog.text
    for secret in (KEY, KEY[:6], APPLICATION_KEY, EMAIL, EMAIL.replace("@", "%40")):
        assert secret not in shown


def test_the_log_tells_method_pattern_status_and_time_only(
    http: Http, httpx_mock: HTTPXMock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    httpx_mock.add_response(json={})
    read(http)
    assert [(record.name, record.getMessage()) for record in caplog.records] == [
        ("fsseg.http", "GET /api/lookup 200 0 ms")
    ]


def test_the_environments_proxy_is_used_but_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    proxies: list[object] = []

    def transport(*, proxy: object) -> httpx.BaseTransport:
        proxies.append(proxy)
        return httpx.MockTransport(lambda request: httpx.Response(200))

    monkeypatch.setattr(httpx, "HTTPTransport", transport)
    for account in (resolve("acme"), resolve(None, "classic", "http://127.0.0.1:1")):
        Http(account, Token(KEY)).close()
    monkeypatch.setenv("NO_PROXY", "freshsales.io")
    Http(resolve("acme"), Token(KEY)).close()
    assert proxies == ["http://proxy.example:3128", None, None]
