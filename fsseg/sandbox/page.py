"""A page of the sandbox's own, where its records are looked at: for this machine only, and it can't write."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fsseg.sandbox import browse
from fsseg.sandbox.messages import Refusal
from fsseg.sandbox.records import Crm

_HOSTS = ("127.0.0.1", "localhost")
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


def page_routes(crm: Crm, latest_run: browse.LatestRun) -> list[Route]:
    """The page at `/` and at every record's address, and what it asks for below `/_sandbox/page`."""

    def shown(request: Request) -> Response:
        text, policy = _page()
        return Response(text, 200, _HEADERS | {"Content-Security-Policy": policy}, "text/html")

    def overview(request: Request) -> Any:
        return browse.overview(crm, latest_run())

    def listed(request: Request) -> Any:
        query, offset = request.query_params, request.query_params.get("offset", "0")
        at = int(offset) if offset.isdecimal() and len(offset) < 10 else 0
        changed = query.get("changed") == "1"
        return browse.listed(crm, request.path_params["kind"], query.get("q", ""), at, latest_run(), changed=changed)

    def record(request: Request) -> Any:
        return browse.record(crm, request.path_params["kind"], request.path_params["id"], latest_run())

    pages = ["/", *(f"/{kind}/{{id:int}}" for kind in browse.KINDS)]
    return [
        *(Route(path, _local(shown), methods=["GET"]) for path in pages),
        Route("/_sandbox/page/overview", _local(_answering(crm, overview)), methods=["GET"]),
        Route("/_sandbox/page/{kind}", _local(_answering(crm, listed)), methods=["GET"]),
        Route("/_sandbox/page/{kind}/{id:int}", _local(_answering(crm, record)), methods=["GET"]),
    ]


def _local(answer: Callable[[Request], Response]) -> Callable[[Request], Any]:
    """Nothing for a name that only leads here: another page in the browser could ask by it."""

    async def guarded(request: Request) -> Response:
        host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
        return answer(request) if host in _HOSTS else Response("ask for 127.0.0.1", 403)

    return guarded


def _answering(crm: Crm, ask: Callable[[Request], Any]) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        crm.store.refresh()
        try:
            return Response(orjson.dumps(ask(request)), 200, _HEADERS, "application/json")
        except Refusal as refusal:
            return Response(orjson.dumps({"message": refusal.text(crm.options.language)}), refusal.status, _HEADERS)

    return answer


@cache
def _page() -> tuple[str, str]:
    """The page, and the policy by which only its own script and style may run."""
    folder = files("fsseg.sandbox") / "page_files"
    page, style, script = (folder.joinpath(name).read_text("utf-8") for name in ("page.html", "page.css", "page.js"))
    hashes = [f"'sha256-{b64encode(sha256(part.encode()).digest()).decode()}'" for part in (style, script)]
    policy = (
        f"default-src 'none'; style-src {hashes[0]}; script-src {hashes[1]}; connect-src 'self'; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'"
    )
    return page.replace("/* style */", style).replace("/* script */", script), policy
