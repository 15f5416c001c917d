"""Everything fsseg writes to Freshsales.

All methods raise FreshsalesError. Creating records, activities and notes, converting and tracking are not idempotent:
`Unavailable` with `sent` leaves open whether it happened. Bodies are plain dicts of Freshsales' internal names; the
wrapper is put around here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fsseg.freshsales.errors import BulkBusy, Forbidden, ForbiddenRecord, NoBulk, NotFound, Refused
from fsseg.freshsales.names import PLURAL, SINGULAR, Entity
from fsseg.freshsales.responses import Answer, Row

if TYPE_CHECKING:
    from fsseg.freshsales.http import Http


MAX_FORBIDDEN = 5
"""Records in a row that are forbidden until it is taken to be the entity as a whole."""


class Writer:
    """Writes to one account. Thread-safe."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._forbidden: dict[str, int] = {}

    def create(self, entity: Entity, body: Row) -> Row:
        """The record created, with its id. Not idempotent."""
        key = SINGULAR[entity]
        return self._send("POST", f"/api/{PLURAL[entity]}", {key: body}, idempotent=False).record(key)

    def update(self, entity: Entity, id: int, body: Row) -> Row:
        """The record after changing the attributes in `body`. Raises NotFound."""
        key = SINGULAR[entity]
        return self._send("PUT", f"/api/{PLURAL[entity]}/{{id}}", {key: body}, idempotent=True, id=id).record(key)

    def upsert(self, entity: Entity, identifier: Mapping[str, Any], body: Row, *, repeat: bool = True) -> Row:
        """The record that `identifier` matched, updated, or the one created.

        `{"emails": …}` for leads and contacts, `{"name": …}` for accounts. `body` should hold the identifier too.
        `repeat`: where its answer is lost it is sent again.
        """
        key = SINGULAR[entity]
        wrapped = {"unique_identifier": dict(identifier), key: body}
        return self._send("POST", f"/api/{PLURAL[entity]}/upsert", wrapped, idempotent=repeat).record(key)

    def bulk_upsert(self, entity: Entity, items: Sequence[Row]) -> str:
        """Start a job over up to `PAGE_SIZE` items `{"emails" | "name" | "id": …, "data": {…}}`; the job's id.

        Raises NoBulk where there is no bulk upsert, and BulkBusy while others have as many jobs as there may be.
        """
        path = f"/api/{PLURAL[entity]}/bulk_upsert"
        try:
            return _job_id(self._send("POST", path, {PLURAL[entity]: list(items)}, idempotent=True))
        except NotFound as error:
            raise NoBulk(error.message, method="POST", path=path, status=404) from None
        except Refused as error:
            if error.status != 405:
                raise
            raise BulkBusy(error.message, method="POST", path=path, status=405) from None

    def delete(self, entity: Entity, id: int) -> None:
        """Delete a record softly. NotFound may mean that a first attempt, its answer lost, did it."""
        self._send("DELETE", f"/api/{PLURAL[entity]}/{{id}}", None, idempotent=True, id=id)

    def convert(self, lead_id: int, body: Row) -> Row | None:
        """Make a contact of a lead; the contact, None if the answer doesn't show it. Not idempotent."""
        answer = self._send("POST", "/api/leads/{id}/convert", {"lead": body}, idempotent=False, id=lead_id)
        has_contact = isinstance(answer.body, dict) and "contact" in answer.body
        return answer.record("contact") if has_contact else None

    def create_activity(self, body: Row) -> int:
        """The id of the sales activity created. Not idempotent."""
        return self._id(self._send("POST", "/api/sales_activities", {"sales_activity": body}, idempotent=False))

    def delete_activity(self, id: int) -> None:
        self._send("DELETE", "/api/sales_activities/{id}", None, idempotent=True, id=id)

    def create_note(self, body: Row) -> int:
        """The id of the note created. Not idempotent."""
        return self._id(self._send("POST", "/api/notes", {"note": body}, idempotent=False))

    def delete_note(self, id: int) -> None:
        self._send("DELETE", "/api/notes/{id}", None, idempotent=True, id=id)

    def track_event(self, identifier: str, name: str, properties: Mapping[str, Any]) -> None:
        """Track an event of the person `identifier` (the e-mail); stamped by Freshsales at receipt. Not idempotent.

        The properties stand flat beside the name, so one called `name` gives way. Raises ConfigError without an
        application token.
        """
        self._http.track("events", {"identifier": identifier, "event": {**properties, "name": name}})

    def track_page_view(self, identifier: str, url: str) -> None:
        """Track a page view; the vendor's libraries send nothing but the URL. Otherwise as `track_event`."""
        self._http.track("page_views", {"identifier": identifier, "page_view": {"url": url}})

    def _send(self, method: str, pattern: str, body: Any, *, idempotent: bool, id: int | None = None) -> Answer:
        path = pattern if id is None else pattern.replace("{id}", str(int(id)))
        try:
            answer = self._http.send(method, path, json=body, idempotent=idempotent, kind="write", pattern=pattern)
        except Forbidden as error:
            call = f"{method} {pattern}"
            self._forbidden[call] = self._forbidden.get(call, 0) + 1
            if id is None or self._forbidden[call] >= MAX_FORBIDDEN:
                raise
            raise ForbiddenRecord(
                error.message, method=method, path=pattern, status=403, request_id=error.request_id
            ) from None
        self._forbidden.pop(f"{method} {pattern}", None)
        return Answer(answer, method, pattern)

    @staticmethod
    def _id(answer: Answer) -> int:
        key = "sales_activity" if answer.path.endswith("sales_activities") else "note"
        return int(answer.record(key)["id"])


def _job_id(answer: Answer) -> str:
    """The last segment of `job_status_url`."""
    url = answer.object().get("job_status_url")
    id = urlsplit(url).path.rstrip("/").rpartition("/")[2] if isinstance(url, str) else ""
    if not re.fullmatch(r"[\w-]+", id):
        raise answer.bad("job_status_url")
    return id
