"""The one place that talks HTTP: sends, waits, retries what is safe to retry, and translates every failure."""

from __future__ import annotations

import itertools
import logging
import os
import socket
import urllib.request
from collections.abc import Mapping
from datetime import datetime, timedelta
from importlib import metadata
from time import time as wall_time  # by which requests are noted as sent, whatever clock the pacer has
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx
import orjson
from msgspec import Struct

from fsseg.freshsales import error_bodies, quota
from fsseg.freshsales.account import Account, ConfigError
from fsseg.freshsales.circuit import Circuit
from fsseg.freshsales.errors import (
    BadAnswer,
    BudgetSpent,
    Forbidden,
    FreshsalesError,
    Halted,
    NotFound,
    RateLimited,
    ReadOnlyViolation,
    Refused,
    Stop,
    Unauthorized,
    Unavailable,
    UnknownHost,
)
from fsseg.freshsales.names import FILTERED_SEARCH
from fsseg.freshsales.pacer import Kind, Pacer
from fsseg.freshsales.secret import Token

MAX_ATTEMPTS = 7  # with half a second doubled in between, 31 s at least: long enough to tell a blip from a dead host
MAX_RATE_LIMITED_ATTEMPTS = 20
FIRST_BACKOFF_S = 0.5
MAX_ANSWER_BYTES = 32 * 2**20

PROXY_HINT = "HTTPS_PROXY, or ALL_PROXY, reads like http://proxy.example:3128"
_TLS = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)

_E = TypeVar("_E", bound=FreshsalesError)

_log = logging.getLogger("fsseg.http")
# They write whole addresses, and with them the e-mails people are looked up by.
for _talkative in ("httpx", "httpcore"):
    logging.getLogger(_talkative).setLevel(logging.WARNING)


class Timeouts(Struct, frozen=True):
    """Seconds: to connect, between two pieces of an answer, and for a whole request."""

    connect: float = 10.0
    read: float = 60.0
    total: float = 120.0


class _ReadOnly(httpx.BaseTransport):
    """Lets nothing but reads through."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        search = request.method == "POST" and FILTERED_SEARCH in request.url.path
        if request.method not in ("GET", "HEAD") and not search:
            raise ReadOnlyViolation(f"{request.method} on a connection that only reads")
        return self._transport.handle_request(request)

    def close(self) -> None:
        self._transport.close()


class Http:
    """A connection to one account, for any number of threads.

    `read_only` makes the transport itself refuse all but GET and the filtered search. `transport` replaces the network
    (for tests). Redirects are not followed, certificates always checked, proxies of the environment used.
    """

    def __init__(
        self,
        account: Account,
        token: Token,
        application_token: Token | None = None,
        *,
        pacer: Pacer | None = None,
        read_only: bool = False,
        timeouts: Timeouts | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.account = account
        self.pacer = pacer or Pacer()
        self._token = token
        self._application_token = application_token
        self._timeouts = timeouts or Timeouts()
        self._circuit = Circuit(self.pacer.clock)
        self._answered = False
        self._ahead = timedelta(0)
        self._numbers = itertools.count()
        transport = transport or _network(account)
        self._client = httpx.Client(
            transport=_ReadOnly(transport) if read_only else transport,
            headers={"Accept": "application/json", "User-Agent": f"fsseg/{_version()}"},
            timeout=httpx.Timeout(self._timeouts.read, connect=self._timeouts.connect, pool=self._timeouts.total),
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        idempotent: bool,
        kind: Kind = "read",
        pattern: str | None = None,
    ) -> Any:
        """Send one request to `path` (from `/api/` on) and return the JSON answered, None for an empty body.

        `pattern` is the path without personal data, for errors and the log. A rate limit is waited out, whatever the
        method, as nothing was applied; other failures are retried when nothing was sent or when `idempotent`.
        Raises FreshsalesError of every kind, ReadOnlyViolation.
        """
        url = self.account.base_url + path
        request = self._client.build_request(
            method,
            url,
            params=dict(params) if params else None,
            content=None if json is None else orjson.dumps(json),
            headers={"Authorization": f"Token token={self._token.reveal()}", "Content-Type": "application/json"},
        )
        return _Call(self, request, pattern or path, kind, idempotent, next(self._numbers)).run()

    def track(self, action: str, body: Mapping[str, Any]) -> None:
        """POST to `/track/{action}`, with the application token in the body and no header, as the vendor's libraries.

        Their marker `sdk` is required, and only known values are taken. The answer's body is of no known shape and not
        looked at. Raises as `send` does, and ConfigError without an application token.
        """
        if self._application_token is None:
            raise ConfigError("tracking needs the application token")
        path = f"/track/{action}"
        request = self._client.build_request(
            "POST",
            self.account.base_url + path,
            content=orjson.dumps({"application_token": self._application_token.reveal(), "sdk": "ruby", **body}),
            headers={"Content-Type": "application/json"},
        )
        _Call(self, request, path, "write", False, next(self._numbers), any_answer=True).run()

    def by_their_clock(self, moment: datetime) -> datetime:
        """A moment of this machine's clock by that of Freshsales, where this one was ahead at the last answer."""
        return moment - self._ahead

    def _redact(self, text: str) -> str:
        for token in (self._token, self._application_token):
            text = text.replace(token.reveal(), "***") if token else text
        return text


class _Call(Struct):
    """One logical request: all its attempts."""

    http: Http
    request: httpx.Request
    pattern: str
    kind: Kind
    idempotent: bool
    number: int
    any_answer: bool = False
    sent: bool = False

    def run(self) -> Any:
        failures = limited = 0
        try:
            while True:
                try:
                    return self._attempt(retry=failures + limited > 0)
                except RateLimited as error:
                    limited += 1
                    # One that is wrapped speaks of some inner service, not of the account: that may never get well.
                    if limited >= (MAX_RATE_LIMITED_ATTEMPTS if error.status == 429 else MAX_ATTEMPTS):
                        raise
                except Unavailable as error:
                    failures += 1
                    if (error.sent and not self.idempotent) or failures >= MAX_ATTEMPTS:
                        error.sent |= self.sent
                        raise
                    self.sent |= error.sent
                    pacer = self.http.pacer
                    try:
                        pacer.pause(quota.backoff(failures, pacer.chance(), FIRST_BACKOFF_S), "unavailable")
                    except BudgetSpent as spent:
                        raise BudgetSpent(spent.budget, f"{error}; {spent}") from None
        except Halted as halt:
            halt.sent |= self.sent
            raise

    def _attempt(self, *, retry: bool) -> Any:
        http = self.http
        http._circuit.check()
        ticket = http.pacer.take(self.kind, retry=retry)
        started = http.pacer.clock.time()
        headers, outcome = None, "interrupted"
        try:
            response, body = self._exchange(started)
            outcome = str(response.status_code)
            error = self._judge(response, body)
            headers = quota.read(response.headers, http.pacer.clock.wall(), limited=isinstance(error, RateLimited))
            http._ahead = quota.ahead(response.headers, wall_time())
            if isinstance(error, RateLimited):
                error.retry_after = headers.retry_after
            answer = self._parse(response, body) if error is None else None
        except Unavailable as failure:
            outcome, error = type(failure).__name__, failure
        finally:
            http.pacer.release(ticket, headers)
            took = (http.pacer.clock.time() - started) * 1000
            _log.debug("%s %s %s %.0f ms", self.request.method, self.pattern, outcome, took)
        if isinstance(error, Unavailable):
            http._circuit.failed(self.number, error)
        else:
            http._circuit.succeeded()
        if error is not None:
            raise error
        return answer

    def _exchange(self, started: float) -> tuple[httpx.Response, bytes]:
        """The answer and its whole body, in time and of bearable size."""
        client, clock, limit = self.http._client, self.http.pacer.clock, self.http._timeouts.total
        try:
            response = client.send(self.request, stream=True)
            try:
                body = bytearray()
                for piece in response.iter_bytes():
                    body += piece
                    if len(body) > MAX_ANSWER_BYTES:
                        raise self._error(BadAnswer, f"an answer of more than {MAX_ANSWER_BYTES >> 20} MiB", response)
                    if clock.time() - started > limit:
                        raise self._error(Unavailable, f"no complete answer within {limit:.0f} s", response)
                return response, bytes(body)
            finally:
                response.close()
                self.http._answered = True
        except httpx.HTTPError as error:
            failure = self._failure(error)
        # Outside the handler, so that the chain of exceptions ends here: httpx's own hold the request with its headers.
        raise failure

    def _failure(self, error: httpx.HTTPError) -> FreshsalesError:
        """What it means that no answer came: where a name was known before, its server may come back."""
        proxy = urlsplit(_proxy(self.http.account)).hostname
        if _is_unknown_name(error) and not self.http._answered:
            if proxy:
                unknown = UnknownHost(f"no name server knows the proxy {proxy}")
                unknown.hint = PROXY_HINT
                return unknown
            return UnknownHost(f"no name server knows {urlsplit(self.http.account.base_url).hostname}")
        way = f" (by way of the proxy {proxy})" if proxy else ""
        failure = self._error(Unavailable, f"{type(error).__name__}: {error}{way}")
        failure.sent = not isinstance(error, _NEVER_SENT)
        return failure

    def _judge(self, response: httpx.Response, body: bytes) -> FreshsalesError | None:
        """The error an answer stands for, by its status and codes alone."""
        status = response.status_code
        if response.is_success:
            return None
        if status < 400:
            host = urlsplit(response.headers.get("location", "")).hostname or "elsewhere"
            return self._error(Stop, f"redirected to {host}: is the address of the account right?", response)
        inner = error_bodies.wrapped_status(body) or 0
        if status == 429 or inner == 429:
            return self._error(RateLimited, error_bodies.message_in(body), response)
        if status >= 500 or status == 408 or (status == 400 and inner >= 500):
            return self._error(Unavailable, error_bodies.message_in(body), response)
        decisions = {401: Unauthorized, 403: Forbidden, 404: NotFound}
        return self._error(decisions.get(status, Refused), error_bodies.message_in(body), response)

    def _parse(self, response: httpx.Response, body: bytes) -> Any:
        if self.any_answer:
            return None
        try:
            return error_bodies.parse(body)
        except ValueError:
            pass
        raise self._error(BadAnswer, f"not JSON: {error_bodies.message_in(body)}", response)

    def _error(self, decision: type[_E], message: str, response: httpx.Response | None = None) -> _E:
        redact = self.http._redact
        return decision(
            redact(error_bodies.clean(redact(message))),
            method=self.request.method,
            path=self.pattern,
            status=None if response is None else response.status_code,
            request_id=None
            if response is None
            else error_bodies.clean(response.headers.get("x-request-id", "")) or None,
        )


def _network(account: Account) -> httpx.HTTPTransport:
    """The way to the account. Raises ConfigError where the environment names a proxy or certificates of no use."""
    proxy = _proxy(account)
    try:
        return httpx.HTTPTransport(proxy=proxy or None)
    except OSError as error:
        named = [f"{name}={os.environ[name]}" for name in _TLS if os.environ.get(name)]
        raise ConfigError(f"TLS can't be set up: {error.strerror or error} ({', '.join(named)})") from None
    except (ValueError, httpx.InvalidURL, ImportError):  # whose texts may hold a password
        what = "is of a kind that isn't known" if "://" in proxy else "can't be read"
        raise ConfigError(f"the proxy that the environment names {what}: {PROXY_HINT}") from None


def _proxy(account: Account) -> str:
    """The proxy that the environment names for this host; empty for none, as this machine is reached directly."""
    scheme, host = urlsplit(account.base_url)[:2]
    proxies = {} if account.loopback or urllib.request.proxy_bypass(host) else urllib.request.getproxies()
    proxy = proxies.get(scheme) or proxies.get("all") or ""
    return proxy if "://" in proxy or not proxy else f"http://{proxy}"


_NO_SUCH_NAME = {getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA") if hasattr(socket, name)}


def _is_unknown_name(error: BaseException | None) -> bool:
    """Whether it comes of a name server's word that there is no such host; one that is out of reach says nothing."""
    while error is not None:
        if isinstance(error, socket.gaierror):
            return error.errno in _NO_SUCH_NAME
        error = error.__cause__ or error.__context__
    return False


def _version() -> str:
    try:
        return metadata.version("fsseg")
    except metadata.PackageNotFoundError:
        return "0"
