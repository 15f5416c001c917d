"""The paths of the REST API below /api, and who answers them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import Match, Route

from fsseg.sandbox import activities, api, jobs, search
from fsseg.sandbox.api import Call
from fsseg.sandbox.messages import Refusal


class _Part(Convertor[str]):
    """A part of a path that is one of certain words, or a number; given to the handlers as it stands."""

    def convert(self, value: str) -> str:
        return value


for _kind, _regex in {
    "record": "contacts|leads|sales_accounts|deals",
    "person": "contacts|leads",
    "entry": "sales_activities|notes",
    "number": r"\d{1,18}",
    "word": r"\w+",
}.items():
    register_url_convertor(_kind, type(_kind, (_Part,), {"regex": _regex})())

ROUTES = [
    Route(path, handler, methods=[method])
    for method, path, handler in (
        ("GET", "/{resource:record}/{id:number}", api.show),
        ("PUT", "/{resource:record}/{id:number}", api.update),
        ("POST", "/{resource:record}/upsert", api.upsert),
        ("POST", "/{resource:record}", api.create),
        ("GET", "/lookup", lambda call: search.lookup(call.crm, call.query)),
        ("POST", "/{kind:entry}", api.create_entry),
        ("GET", "/{resource:record}/view/{id:number}", api.view),
        ("POST", "/filtered_search/{entity:word}", api.filtered_search),
        ("POST", "/{resource:record}/bulk_upsert", api.bulk_upsert),
        ("GET", "/job_statuses/{id:number}", lambda call: jobs.status(call.crm, call.id)),
        ("GET", "/sales_activities", lambda call: activities.listed(call.crm, call.query)),
        ("GET", "/sales_activities/{id:number}", api.show_entry),
        ("PUT", "/{kind:entry}/{id:number}", api.update_entry),
        ("DELETE", "/{kind:entry}/{id:number}", api.delete_entry),
        ("DELETE", "/{resource:record}/{id:number}", api.delete),
        ("PUT", "/{resource:person}/{id:number}/restore", api.restore),
        ("DELETE", "/{resource:record}/{id:number}/forget", api.forget),
        ("POST", "/{resource:record}/bulk_destroy", api.bulk_destroy),
        ("POST", "/leads/{id:number}/convert", api.convert),
        ("GET", "/{resource:record}/{id:number}/notes", api.notes_of),
        ("GET", "/{resource:person}/{id:number}/activities", api.timeline),
        ("GET", "/{resource:record}/filters", lambda call: search.filters(call.crm, call.resource)),
        ("GET", "/settings/{resource:word}/fields", api.fields),
        ("GET", "/selector/{name:word}", api.selector),
        ("GET", "/selector/deal_pipelines/{id:number}/deal_stages", api.stages),
        ("GET", "/selector/sales_activity_types/{id:number}/sales_activity_outcomes", api.outcomes),
        ("GET", "/search", lambda call: search.search(call.crm, call.query)),
    )
]


def route(method: str, path: str) -> tuple[Callable[[Call], Any], dict[str, str]]:
    """The handler of a path below /api, and its parts. Raises Refusal 404, for a method that isn't there too."""
    scope = {"type": "http", "method": method, "path": path}
    if method != "HEAD" and not path.endswith("\n"):  # to Starlette, HEAD is a GET, and a line's end nothing
        for candidate in ROUTES:
            match, found = candidate.matches(scope)
            if match is Match.FULL:
                return candidate.endpoint, found["path_params"]
    raise Refusal(404, "not_found")
