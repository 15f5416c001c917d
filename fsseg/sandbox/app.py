"""The application: who may ask, what it costs, what goes wrong on purpose, and the control endpoints beside the API."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from fsseg.sandbox import activities, jobs
from fsseg.sandbox.api import Answer, Call
from fsseg.sandbox.browse import NO_RUN, LatestRun
from fsseg.sandbox.faults import ERRORS, HTML, Faults, drop
from fsseg.sandbox.limits import Quota, retry_after
from fsseg.sandbox.messages import Refusal
from fsseg.sandbox.options import Fault, Options, Stats
from fsseg.sandbox.page import page_routes
from fsseg.sandbox.records import Crm
from fsseg.sandbox.routes import route
from fsseg.sandbox.store import Store

BEFORE = ("error", "drop_before", "429", "wrapped_429", "bulk_405")
AFTER = ("drop_after", "error_after", "garbage")
SURFACE = re.compile(r"(/crm/sales)?/(api|track)(/.*)")


class Gate:
    """The API as an ASGI application; one thread, one request at a time, each committed before its answer."""

    def __init__(self, store: Store, options: Options, token: str, application_token: str) -> None:
        self.crm = Crm(store, options)
        self._token = f"Token token={token}"
        self._application_token = application_token
        self._quota = Quota()
        self.stats = Stats()
        self.faults = Faults(options.faults, options.seed, self.stats)

    def configure(self, options: Options) -> None:
        """Go on with these options; a new quota is counted, and new faults are drawn, from the beginning."""
        before, self.crm.options = self.crm.options, options
        if (before.faults, before.seed) != (options.faults, options.seed):
            self.faults = Faults(options.faults, options.seed, self.stats)
        if (before.quota, before.window, before.per_minute, before.burst) != (
            options.quota,
            options.window,
            options.per_minute,
            options.burst,
        ):
            self._quota = Quota()

    def forget(self) -> None:
        """Begin the stats anew."""
        self.stats = self.faults.stats = Stats()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or close its connection where a fault says so."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        method, path = request.method, scope["path"]
        self.crm.store.refresh()
        self._count(method, path)
        response = self._refused(request)
        if response is None and (slow := self.faults.draw(method, path, "slow")):
            await asyncio.sleep(slow.seconds)
        before = None if response else self.faults.draw(method, path, *self._kinds(path))
        if before and before.kind != "drop_before":
            response = self._fault(before)
        if response is None and before is None:
            response = self._handle(request, body)
            after = self.faults.draw(method, path, *AFTER)
            if after and after.kind == "garbage":
                response = Response(self.faults.garbage(bytes(response.body)), 200, media_type="application/json")
            elif after:
                response = self._fault(after)
        self._tally("dropped" if response is None else str(response.status_code))
        if response is None:
            await drop(receive)
            return
        if "/api/" in path and response.status_code != 401:
            response.headers.update({**self._quota.headers(self.crm.options), **response.headers})
        await response(scope, receive, send)

    def _kinds(self, path: str) -> tuple[str, ...]:
        return BEFORE if path.endswith("/bulk_upsert") else BEFORE[:-1]

    def _count(self, method: str, path: str) -> None:
        self.stats.total += 1
        name = f"{method} {re.sub(r'/[0-9]+(?=/|$)', '/{id}', path)}"
        self.stats.requests[name] = self.stats.requests.get(name, 0) + 1
        if method not in ("GET", "HEAD") and "/filtered_search/" not in path:
            self.stats.writes += 1

    def _tally(self, status: str) -> None:
        self.stats.statuses[status] = self.stats.statuses.get(status, 0) + 1

    def _refused(self, request: Request) -> Response | None:
        """What is said before anything is read: bad token, quota."""
        surface = SURFACE.fullmatch(request.scope["path"])
        if surface is None or surface[2] != "api":
            return None
        if self.crm.options.refuse_token or request.headers.get("authorization") != self._token:
            return self._unauthorised()
        headers = self._quota.take(self.crm.options)
        return None if headers is None else self._error(Refusal(429, "too_many"), headers)

    def _unauthorised(self) -> Response:
        return _json(401, {"login": "failed"})

    def _error(self, refusal: Refusal, headers: dict[str, str] | None = None) -> Response:
        text = refusal.text(self.crm.options.language)
        return _json(refusal.status, {"errors": {"code": refusal.status, "message": [text]}}, headers)

    def _fault(self, fault: Fault) -> Response | None:
        match fault.kind:
            case "error" | "error_after":
                status = self.faults.rng.choice(ERRORS)
                return Response(HTML.format(status=status), status, media_type="text/html")
            case "429":
                headers = retry_after(self.crm.options, fault.seconds) if fault.seconds else {}
                return self._error(Refusal(429, "too_many"), headers)
            case "wrapped_429":
                text = "UCR contact fetch failure :: response_code :: 429 :: Too many requests"
                return _json(400, {"errors": {"code": 400, "message": [text]}})
            case "bulk_405":
                return self._error(Refusal(405, "busy"))
            case _:
                return None

    def _handle(self, request: Request, body: bytes) -> Response:
        try:
            answer = self._answer(request, body)
        except Refusal as refusal:
            return self._unauthorised() if refusal.status == 401 else self._error(refusal)
        except sqlite3.OperationalError as error:  # a full disk, say
            return _json(500, {"errors": {"code": 500, "message": [f"the file of the sandbox: {error}"]}})
        if isinstance(answer, Answer):
            return _json(answer.status, answer.body)
        return _json(200, answer)

    def _answer(self, request: Request, body: bytes) -> Any:
        path = request.scope["path"]
        surface = SURFACE.fullmatch(path)
        if surface is None or (surface[1] and self.crm.account.edition == "classic"):
            raise Refusal(404, "not_found")
        self.work()
        if any(re.search(pattern, path) for pattern in self.crm.options.forbidden):
            raise Refusal(403, "forbidden")
        parsed = _parsed(request, body)
        if surface[2] == "track":
            return self._track(request.method, surface[3][1:], parsed)
        handler, parts = route(request.method, surface[3].removesuffix(".json"))
        base = f"{request.url.scheme}://{request.headers.get('host', '')}{surface[1] or ''}"
        query = dict(request.query_params)
        call = Call(self.crm, parts, query, parsed, base, lambda: self._draws_failure(request.method, path))
        if request.method == "GET" or "entity" in parts:
            return handler(call)
        with self.crm.store.transaction():
            answer = handler(call)
        if path.endswith("/bulk_upsert"):
            self._schedule()
        return answer

    def _track(self, method: str, action: str, body: Any) -> Any:
        if method != "POST" or action not in ("visitors", "events", "page_views"):
            raise Refusal(404, "not_found")
        if not isinstance(body, dict) or body.get("application_token") != self._application_token:
            raise Refusal(401, "unauthorised")
        with self.crm.store.transaction():
            activities.track(self.crm, action, body)
        return {}

    def _draws_failure(self, method: str, path: str) -> bool:
        return self.faults.draw(method, path, "job_failure") is not None

    def _schedule(self) -> None:
        open_jobs = jobs.unfinished(self.crm)
        self.stats.bulk_jobs_at_once = max(self.stats.bulk_jobs_at_once, open_jobs)
        # Real jobs go on while nobody asks.
        asyncio.get_running_loop().call_later(self.crm.options.job_seconds, self.work)

    def work(self) -> None:
        """Work off the jobs that are due."""
        jobs.work(self.crm, self.faults.rng)


def _parsed(request: Request, body: bytes) -> Any:
    if request.method not in ("POST", "PUT") or not body:
        return None
    try:
        if "json" in request.headers.get("content-type", ""):
            return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    raise Refusal(400, "not_json")


def _json(status: int, value: Any, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(value), status, headers, "application/json")


def application(gate: Gate, latest_run: LatestRun = lambda: NO_RUN) -> Starlette:
    """The whole server: the API, a page, and `/_sandbox/{stats|options|faults}` to look and to switch at run time.

    POST stats clears them; POST options takes any of `Options` by name; POST faults takes `{"faults": […], "seed": n}`
    and replaces what was there. GET shows.
    """

    async def control(request: Request) -> Response:
        what = request.path_params["what"]
        shown: dict[str, Callable[[], Any]] = {
            "stats": lambda: asdict(gate.stats),
            "options": lambda: gate.crm.options.plain(),
            "faults": lambda: gate.crm.options.plain()["faults"],
        }
        if what not in shown:
            return _json(404, {"message": f"no control named {what}"})
        if request.method == "POST":
            try:
                _switch(gate, what, await request.body())
            except (TypeError, ValueError) as error:
                return _json(400, {"message": str(error)})
        return _json(200, shown[what]())

    return Starlette(
        routes=[
            *page_routes(gate.crm, latest_run),
            Route("/_sandbox/{what}", control, methods=["GET", "POST"]),
            Mount("/", app=gate),
        ]
    )


def _switch(gate: Gate, what: str, body: bytes) -> None:
    if what == "stats":
        gate.forget()
        return
    changes = orjson.loads(body)
    if not isinstance(changes, dict):
        raise TypeError("send an object")
    if what == "faults":
        changes = {"faults": [], **changes}
    gate.configure(gate.crm.options.changed(changes))
