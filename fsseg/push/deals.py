"""Sending deals: tied to their contact and account, never doubled though Freshsales lets two have one name."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import Any

from fsseg.freshsales.reader import Reader
from fsseg.freshsales.sizes import MIN_BULK
from fsseg.freshsales.views import first_page, pages, read_all, view_of_all
from fsseg.mapping.names import fold_name
from fsseg.push.bulk import Bulk
from fsseg.push.context import PushContext
from fsseg.push.journal import send_once
from fsseg.push.outcome import Outcome
from fsseg.push.payload import body
from fsseg.state.actions import Code, Status
from fsseg.state.plan_store import Record
from fsseg.state.push_queue import planned_deal_names


class DealPusher:
    """Sends deals, each of which hangs on its contact and fails with it."""

    def __init__(self, context: PushContext) -> None:
        self._context = context
        self.bulk = Bulk(context, "deal", "name", self._attributes, self.send, self.recover)

    def can_bulk(self, record: Record) -> bool:
        """Updates, by their ids, and creates whose name no other deal has.

        Bulk knows a new deal by its name only, and would change whichever has it already.
        """
        unique_names = self._unique_names
        if self._contact(record).remote_id is None:
            return False
        return record.remote_id is not None or record.match_key in unique_names

    @cached_property
    def _unique_names(self) -> set[str]:
        """The folded names of planned creates that no other deal has; none where it isn't worth it to find out."""
        # Read once, at the first question: what is created later must not pass for a deal that was there before.
        planned_names = planned_deal_names(self._context.store)
        if len(planned_names) < MIN_BULK:
            return set()
        existing_names = _all_names(self._context.reader, max_pages=len(planned_names))
        if existing_names is None:
            return set()
        return {name for name, count in Counter(planned_names).items() if count == 1} - existing_names

    def send(self, record: Record) -> Outcome:
        """Create or update one deal; one whose contact could not be written fails with it."""
        writer = self._context.writer
        with self._context.lock:
            contact, attributes = self._contact(record), self._attributes(record)
        if contact.remote_id is None:
            return Outcome(
                Status.FAILED, code=Code(contact.code or Code.UNAVAILABLE), message="its contact was not written"
            )
        contact_id, id = contact.remote_id, record.remote_id
        if id is None and record.claimed_at is not None:
            id = self._find_created(record, contact_id)
        if id is not None:
            writer.update("deal", id, attributes)
            return Outcome(Status.DONE, id)
        return send_once(
            lambda: int(writer.create("deal", attributes)["id"]),
            lambda: self._find_created(record, contact_id),
            self._context.pause,
        )

    def recover(self, record: Record) -> Outcome:
        """It is sent again: as an update if it is found."""
        contact = self._contact(record)
        if record.remote_id is not None or contact.remote_id is None:
            return Outcome(Status.PLANNED)
        return Outcome(Status.PLANNED, self._find_created(record, contact.remote_id))

    def _contact(self, record: Record) -> Record:
        return self._context.store.record(int(record.parent or 0))

    def _attributes(self, record: Record) -> dict[str, Any]:
        """The body of a deal, its contact and account as ids."""
        contact = self._contact(record)
        attributes = body(self._context.catalog, record)
        if "contacts" in record.fields and contact.remote_id:
            attributes["contacts_added_list"] = [contact.remote_id]
        if "sales_account" in record.fields and record.account:
            account = self._context.store.record(record.account)
            if account.remote_id:
                attributes["sales_account_id"] = account.remote_id
        return attributes

    def _find_created(self, record: Record, contact_id: int) -> int | None:
        """The id of this deal among those of its contact; when the run began there was none of its name."""
        deals = self._context.reader.deals_of(contact_id)
        return next((int(deal["id"]) for deal in deals if fold_name(deal.get("name")) == record.match_key), None)


def _all_names(reader: Reader, max_pages: int) -> set[str] | None:
    """The folded names of all deals, or None where that takes as many requests as allowed, or can't be whole."""
    view = view_of_all(reader, "deal")
    if view is None:
        return None
    first = first_page(reader, "deal", view)
    if first.total is None or pages(first.total) >= max_pages:
        return None
    names: dict[int, str] = {}

    def keep(rows: list[dict[str, Any]]) -> int:
        names.update((row["id"], fold_name(row.get("name"))) for row in rows)
        return len(names)

    return set(names.values()) if read_all(reader, "deal", view, first, keep) else None
