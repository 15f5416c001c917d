"""Everything fsseg reads from Freshsales; it cannot write.

All methods raise FreshsalesError. An empty list always comes from a successful answer that says so; an answer of
another shape is BadAnswer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fsseg.freshsales import bulk_job
from fsseg.freshsales.bulk_job import Job
from fsseg.freshsales.errors import BadAnswer, Forbidden, ForbiddenRecord, Refused
from fsseg.freshsales.includes import LINKS, revealing
from fsseg.freshsales.names import FILTERED_SEARCH, PLURAL, SINGULAR, Entity
from fsseg.freshsales.responses import Answer, Page, Row
from fsseg.freshsales.sizes import PAGE_SIZE

if TYPE_CHECKING:
    from fsseg.freshsales.http import Http

__all__ = ["Job", "Page", "Reader", "Row"]


LAG_S = 30.0
"""Seconds after which a look-up is believed that finds nothing: lags of up to 20 were seen."""


SINCE_EVER = "1970-01-01T00:00:00Z"


class Reader:
    """Reads one account. Thread-safe."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._views: dict[Entity, list[Row]] = {}
        self._revealing: dict[Entity, tuple[str, ...]] = {}
        self._without: set[str] = set()
        self._lag_is_over = False
        self.known_views: dict[Entity, int | None] = {}
        """The view of all records of each entity: as the settings name it, or as it was found."""

    def by_their_clock(self, moment: datetime) -> datetime:
        """A moment of this machine's clock by that of Freshsales, where this one is ahead."""
        return self._http.by_their_clock(moment)

    def reveal(self, entity: Entity, fields: Iterable[str]) -> None:
        """Have all records of the entity tell these fields from now on, where that takes an `include`."""
        self._revealing[entity] = revealing(entity, fields)

    def wait_out_lag(self) -> bool:
        """Wait, once, until look-ups find all that was made before; whether there was need to. Raises `Halted`."""
        waits, self._lag_is_over = not self._lag_is_over, True
        if waits:
            self._http.pacer.pause(LAG_S, "look-ups lag")
        return waits

    def whole(self, most: int) -> AbstractContextManager[None]:
        """What is read inside is of use only as a whole; see `Pacer.whole`."""
        return self._http.pacer.whole(most)

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
        links = LINKS["contact"] if "contact" in entities else ()
        answer = self._get_including("/api/lookup", params, entities, (), optional=links)
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
        answer = self._get_including(f"/api/{PLURAL[entity]}/{{id}}", {}, (entity,), include, id=id)
        key = SINGULAR[entity]
        return answer.record(key), {name: value for name, value in answer.object().items() if name != key}

    def views(self, entity: Entity) -> list[Row]:
        """The saved views of an entity. Asked for once."""
        if entity not in self._views:
            self._views[entity] = self._get(f"/api/{PLURAL[entity]}/filters").rows("filters")
        return self._views[entity]

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
        params: dict[str, str | int] = {"page": page, "per_page": PAGE_SIZE, "sort": sort, "sort_type": sort_type}
        pattern = f"/api/{PLURAL[entity]}/view/{{id}}"
        return self._get_including(pattern, params, (entity,), include, id=view_id).page(PLURAL[entity])

    def total(self, entity: Entity) -> int | None:
        """How many records there are, as the filtered search tells it."""
        return self.filtered(entity, "created_at", "is_after", SINCE_EVER).total

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

    def deals_of_account(self, account_id: int) -> list[Row]:
        """The deals of an account, as far as it tells them."""
        answer = self._get("/api/sales_accounts/{id}", {"include": "deals"}, id=account_id)
        record = answer.record("sales_account")
        deals = answer.object().get("deals", record.get("deals"))
        return answer.rows_of(deals or [], "deals")

    def deals_by(self, field: str, value: str) -> list[Row]:
        """The deals with this value in a field, where this account looks deals up by that."""
        try:
            return self.lookup(value, field, ("deal",))["deal"]
        except (Refused, BadAnswer):
            return []

    def _get_including(
        self,
        pattern: str,
        params: Mapping[str, str | int],
        entities: Sequence[Entity],
        include: Iterable[str],
        *,
        optional: Iterable[str] = (),
        id: int | None = None,
    ) -> Answer:
        """Get with what must be included, and with what may be: an account that won't have that is asked without it."""
        needed = tuple(include)
        revealed = (name for entity in entities for name in self._revealing.get(entity, ()))
        wanted = tuple(dict.fromkeys((*needed, *optional, *revealed)))
        if wanted == needed or pattern in self._without:
            return self._get(pattern, {**params, **_included(needed)}, id=id)
        try:
            return self._get(pattern, {**params, **_included(wanted)}, id=id)
        except Refused as error:
            if error.status != 400:
                raise
        answer = self._get(pattern, {**params, **_included(needed)}, id=id)
        self._without.add(pattern)
        return answer

    def _get(self, pattern: str, params: Mapping[str, str | int] | None = None, id: int | str | None = None) -> Answer:
        path = pattern if id is None else pattern.replace("{id}", quote(str(id), safe=""))
        try:
            body = self._http.send("GET", path, params=params, idempotent=True, pattern=pattern)
        except Forbidden as error:
            if id is None or "/view/" in pattern:
                raise
            raise ForbiddenRecord(error.message, method="GET", path=pattern, status=403) from None
        return Answer(body, "GET", pattern)


def _included(include: Iterable[str]) -> dict[str, str | int]:
    names = ",".join(include)
    return {"include": names} if names else {}
