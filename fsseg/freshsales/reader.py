"""Everything fsseg reads from Freshsales; it cannot write.

All methods raise FreshsalesError. An empty list always comes from a successful answer that says so; an answer of
another shape is BadAnswer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fsseg.freshsales import bulk_job
from fsseg.freshsales.bulk_job import Job
from fsseg.freshsales.names import CALLED, FILTERED_SEARCH, PLURAL, SINGULAR, Entity
from fsseg.freshsales.responses import Answer, Page, Row
from fsseg.freshsales.sizes import PAGE_SIZE

if TYPE_CHECKING:
    from fsseg.freshsales.http import Http

__all__ = ["Job", "Page", "Reader", "Row", "is_of_all"]


class Reader:
    """Reads one account. Thread-safe."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._views: dict[Entity, list[Row]] = {}

    def fields(self, entity: Entity) -> list[Row]:
        """The field metadata as Freshsales lists it; of sales activities for `timeline`."""
        return self._get(f"/api/settings/{PLURAL[entity]}/fields").objects("fields")

    def selector(self, name: str) -> list[Row]:
        """The rows of `/selector/{name}`: `owners`, `sales_activity_types`, `lifecycle_stages` and so on."""
        return self._get(f"/api/selector/{quote(name)}").rows("users" if name == "owners" else name)

    def lookup(self, q: str, field: str, entities: Sequence[Entity]) -> dict[Entity, list[Row]]:
        """The records whose `field` is exactly `q`, for each of the entities asked.

        Documented is an object with a key for each entity. A missing key is taken for "none" only beside another
        entity's key: `{}` and the like may as well be a fault, and would make duplicates.
        """
        params = {"q": q, "f": field, "entities": ",".join(SINGULAR[entity] for entity in entities)}
        answer = self._get("/api/lookup", params)
        body = answer.object()
        if not any(PLURAL[entity] in body for entity in entities):
            raise answer.bad(" or ".join(PLURAL[entity] for entity in entities))
        records: dict[Entity, list[Row]] = {}
        for entity in entities:
            key = PLURAL[entity]
            inner = Answer(body.get(key, {key: []}), answer.method, answer.path)
            records[entity] = inner.rows(key)
        return records

    def get(self, entity: Entity, id: int, include: Iterable[str] = ()) -> tuple[Row, dict[str, Any]]:
        """The record, and what was side-loaded beside it by `include` (`{"users": […], …}`), referenced by `*_id`.

        `sales_accounts` of a contact stand in the contact itself. Raises NotFound.
        """
        params = _included(include)
        answer = self._get(f"/api/{PLURAL[entity]}/{{id}}", params, id=id)
        key = SINGULAR[entity]
        return answer.record(key), {name: value for name, value in answer.object().items() if name != key}

    def views(self, entity: Entity) -> list[Row]:
        """The saved views of an entity. Asked for once."""
        if entity not in self._views:
            self._views[entity] = self._get(f"/api/{PLURAL[entity]}/filters").rows("filters")
        return self._views[entity]

    def likeliest_view(self, entity: Entity) -> int:
        """The view of all records; where none is known as that, the default one, which may hold fewer.

        Raises BadAnswer where there is no view.
        """
        views = self.views(entity)
        of_all = (view for view in views if is_of_all(entity, view))
        default = (view for view in views if view.get("is_default"))
        for view in (*of_all, *default, *views):
            return int(view["id"])
        raise Answer(None, "GET", f"/api/{PLURAL[entity]}/filters").bad("view")

    def rows(
        self,
        entity: Entity,
        view_id: int,
        page: int = 1,
        sort: str = "updated_at",
        sort_type: str = "asc",
        include: Iterable[str] = (),
    ) -> Page:
        """A page, from 1, of the records of a view."""
        params = {"page": page, "per_page": PAGE_SIZE, "sort": sort, "sort_type": sort_type, **_included(include)}
        return self._get(f"/api/{PLURAL[entity]}/view/{{id}}", params, id=view_id).page(PLURAL[entity])

    def count(self, entity: Entity) -> int:
        """How many records there are."""
        params = {"page": 1, "per_page": 1}
        answer = self._get(f"/api/{PLURAL[entity]}/view/{{id}}", params, id=self.likeliest_view(entity))
        total = answer.page(PLURAL[entity]).total
        if total is None:
            raise answer.bad("total")
        return total

    def filtered(self, entity: Entity, attribute: str, operator: str, value: Any, page: int = 1) -> Page:
        """A page of the records that a filter rule fits; the rows are partial.

        A page may hold fewer than `PAGE_SIZE` before the end: go on until one is empty.
        """
        path = f"{FILTERED_SEARCH}{SINGULAR[entity]}"
        body = {"filter_rule": [{"attribute": attribute, "operator": operator, "value": value}]}
        params = {"page": page, "per_page": PAGE_SIZE}
        answer = self._http.send("POST", path, params=params, json=body, idempotent=True, kind="read")
        return Answer(answer, "POST", path).page(PLURAL[entity])

    def job(self, id: str) -> Job:
        """The state of a bulk job."""
        return bulk_job.read(self._get("/api/job_statuses/{id}", id=id))

    def sales_activities(self, page: int = 1) -> Page:
        """A page of all sales activities."""
        return self._get("/api/sales_activities", {"page": page, "per_page": PAGE_SIZE}).page("sales_activities")

    def notes(self, entity: Entity, id: int) -> list[Row]:
        """All notes of a record: a single note cannot be read by its id."""
        notes: list[Row] = []
        number, pages = 0, 1
        while number < pages:
            number += 1
            params = {"page": number, "per_page": PAGE_SIZE}
            page = self._get(f"/api/{PLURAL[entity]}/{{id}}/notes", params, id=id).page("notes")
            notes += page.rows
            pages = page.total_pages or 1
        return notes

    def deals_of(self, contact_id: int) -> list[Row]:
        """The deals of a contact: beside it or in it, depending on the answer."""
        answer = self._get("/api/contacts/{id}", {"include": "deals"}, id=contact_id)
        record = answer.record("contact")
        deals = answer.object().get("deals", record.get("deals"))
        return answer.rows_of([] if deals is None and record.get("deal_ids") == [] else deals, "deals")

    def _get(self, pattern: str, params: Mapping[str, str | int] | None = None, id: int | str | None = None) -> Answer:
        path = pattern if id is None else pattern.replace("{id}", quote(str(id), safe=""))
        body = self._http.send("GET", path, params=params, idempotent=True, pattern=pattern)
        return Answer(body, "GET", pattern)


def is_of_all(entity: Entity, view: Row) -> bool:
    """Whether a view is sure to hold every record of the entity, so that absence from it proves something.

    Users name views, and in their own language; one called "All customers in York" leaves most out.
    """
    name = " ".join(str(view.get("name") or "").split()).casefold()
    return name in {f"all {plural}" for plural in CALLED.get(entity, ())}


def _included(include: Iterable[str]) -> dict[str, str | int]:
    names = ",".join(include)
    return {"include": names} if names else {}
