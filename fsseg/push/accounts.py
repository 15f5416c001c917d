"""Sending accounts, which are unique by name."""

from __future__ import annotations

from functools import partial

from fsseg.mapping.names import fold_name
from fsseg.match.remote_record import Existing
from fsseg.push.accepted import write
from fsseg.push.bulk import Bulk
from fsseg.push.context import PushContext
from fsseg.push.made import MadeRecords
from fsseg.push.outcome import Outcome
from fsseg.push.payload import body
from fsseg.push.updates import update
from fsseg.push.upserts import find_made, upsert
from fsseg.state.actions import Status
from fsseg.state.plan_store import Record


class AccountPusher:
    """Sends accounts: creating is an upsert by name, so that everything may be repeated."""

    def __init__(self, context: PushContext) -> None:
        self._context = context
        self._made = MadeRecords(context, "account")
        self.bulk = Bulk(
            context, "account", "name", partial(body, context.catalog), self.send, self.recover, self._made.settled
        )

    def can_bulk(self, record: Record) -> bool:
        """Whether the account may go in bulk: always, but where bulk would empty custom fields."""
        return self._context.custom_fields.may_bulk(record)

    def send(self, record: Record) -> Outcome:
        """Create or update one account."""
        attributes = body(self._context.catalog, record)
        if record.remote_id:
            write(self._context, record, attributes, partial(update, self._context, record, record.remote_id))
            return Outcome(Status.DONE, record.remote_id)
        is_it = partial(_is_named, record)
        id = upsert(self._context, self._made, record, attributes, {"name": record.key}, is_it)
        return Outcome(Status.DONE, id)

    def recover(self, record: Record) -> Outcome:
        """Plan it to be sent again: as an update of the record, if an earlier try has made it."""
        if record.remote_id is not None:
            return Outcome(Status.PLANNED)
        since, is_it = self._made.sent_at(record), partial(_is_named, record)
        return Outcome(Status.PLANNED, find_made(self._made, since, is_it, just_sent=False))


def _is_named(record: Record, row: Existing) -> bool:
    return bool(fold_name(row.get("name")) == record.match_key)
