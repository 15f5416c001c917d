"""Sending accounts, which are unique by name."""

from __future__ import annotations

from functools import partial

from fsseg.push.accepted import write
from fsseg.push.bulk import Bulk
from fsseg.push.context import PushContext
from fsseg.push.outcome import Outcome
from fsseg.push.payload import body
from fsseg.push.updates import update
from fsseg.state.actions import Status
from fsseg.state.plan_store import Record


class AccountPusher:
    """Sends accounts: creating is an upsert by name, so that everything may be repeated."""

    def __init__(self, context: PushContext) -> None:
        self._context = context
        self.bulk = Bulk(context, "account", "name", partial(body, context.catalog), self.send, self.recover)

    def can_bulk(self, record: Record) -> bool:
        """Every account may, but where bulk would empty custom fields."""
        return self._context.custom_fields.may_bulk(record)

    def send(self, record: Record) -> Outcome:
        """Create or update one account."""
        writer, attributes = self._context.writer, body(self._context.catalog, record)
        if record.remote_id:
            write(self._context, record, attributes, partial(update, self._context, record, record.remote_id))
            return Outcome(Status.DONE, record.remote_id)
        answer = write(self._context, record, attributes, partial(writer.upsert, "account", {"name": record.key}))
        return Outcome(Status.DONE, int(answer["id"]))

    def recover(self, record: Record) -> Outcome:
        """It may be sent again as it is."""
        return Outcome(Status.PLANNED)
