"""Sending deals: tied to their contact and account, never doubled though Freshsales lets two have one name."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

from fsseg.mapping.names import fold_name
from fsseg.match.deal_finder import contacts_of, deal_name, is_it
from fsseg.match.finders import fetch
from fsseg.match.remote_record import Existing
from fsseg.push.accepted import write
from fsseg.push.context import PushContext
from fsseg.push.deal_bulk import DealBulk
from fsseg.push.journal import send_once
from fsseg.push.made import MadeRecords
from fsseg.push.outcome import Outcome
from fsseg.push.payload import body
from fsseg.push.updates import update
from fsseg.state.actions import Code, Status
from fsseg.state.plan_store import Record


class DealPusher:
    """Sends deals, each of which hangs on its contact and fails with it."""

    def __init__(self, context: PushContext) -> None:
        self._context = context
        self._made = MadeRecords(context, "deal")
        self.bulk = DealBulk(context, "deal", "name", self._attributes, self.send, self.recover, self._made.settled)

    def can_bulk(self, record: Record) -> bool:
        """Whether the deal may go in bulk: an update that ties nobody to it, or a create that `DealBulk` takes."""
        takes_creates = self.bulk.takes_creates  # asked first: deals made later must not pass for those of others
        contact = self._contact(record)
        if contact.remote_id is None or contact.converts is not None:
            return False
        if record.remote_id is not None:
            ties = {"contacts", "sales_account"} & record.fields.keys()
            return not ties and self._context.custom_fields.may_bulk(record)
        return takes_creates and deal_name(record) in self.bulk.unique_names

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
            id = self._find_created(record, contact_id, self._made.sent_at(record))
        elif id is None and contact.converts is not None:  # whose conversion may have made the lead's deal a record
            id = self._among_deals_of(record, contact_id)
        if id is not None:
            write(self._context, record, attributes, partial(update, self._context, record, id))
            return Outcome(Status.DONE, id)
        began = datetime.now(UTC)
        return send_once(
            lambda: int(write(self._context, record, attributes, partial(writer.create, "deal"))["id"]),
            lambda: self._find_created(record, contact_id, began, just_sent=True),
            self._context.pause,
        )

    def recover(self, record: Record) -> Outcome:
        """Plan it to be sent again: as an update of the record, if an earlier try has made it."""
        contact = self._contact(record)
        if record.remote_id is not None or contact.remote_id is None:
            return Outcome(Status.PLANNED)
        return Outcome(Status.PLANNED, self._find_created(record, contact.remote_id, self._made.sent_at(record)))

    def _contact(self, record: Record) -> Record:
        return self._context.store.record(int(record.parent or 0))

    def _attributes(self, record: Record) -> dict[str, Any]:
        """The body of a deal, its contact and account as ids."""
        contact = self._contact(record)
        attributes = body(self._context.catalog, record)
        if "contacts" in record.fields and contact.remote_id:
            is_tied = bool(record.fields["contacts"][1])  # an undo takes away what its run has tied
            attributes["contacts_added_list" if is_tied else "contacts_removed_list"] = [contact.remote_id]
        if "sales_account" in record.fields and record.account:
            account = self._context.store.record(record.account)
            if account.remote_id:
                attributes["sales_account_id"] = account.remote_id
        return attributes

    def _find_created(self, record: Record, contact_id: int, since: datetime, *, just_sent: bool = False) -> int | None:
        """The id of this deal; when the run began its contact had none of its name.

        It is among those of its contact, or, where that was lost, among the newest as one of nobody.
        """
        found = self._among_deals_of(record, contact_id)
        if found is not None:
            return found
        name = deal_name(record)
        newest = self._made.find(since, lambda row: fold_name(row.get("name")) == name, just_sent=just_sent)
        return next((int(row["id"]) for row in newest if self._is_nobodys(row) and self._is_it(record, row)), None)

    def _among_deals_of(self, record: Record, contact_id: int) -> int | None:
        deals = self._context.reader.deals_of(contact_id)
        named = (deal for deal in deals if fold_name(deal.get("name")) == deal_name(record))
        return next((int(deal["id"]) for deal in named if self._is_it(record, deal)), None)

    def _is_it(self, record: Record, row: Existing) -> bool:
        """Whether a deal of its name is this one, as far as it has an id of its own."""
        id_field = self._context.deal_id_field
        wanted = record.desired.get(id_field) if id_field else None
        if id_field is None or wanted is None:
            return True
        return is_it(fetch(self._context.reader, "deal", int(row["id"])) or row, id_field, wanted)

    def _is_nobodys(self, row: Existing) -> bool:
        if contacts_of(row):
            return False
        return contacts_of(fetch(self._context.reader, "deal", int(row["id"])) or row) == []
