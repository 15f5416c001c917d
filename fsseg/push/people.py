"""Sending people: leads one by one, contacts also in bulk."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

from fsseg.freshsales.errors import Unavailable
from fsseg.freshsales.names import Entity
from fsseg.match.finders import fetch
from fsseg.match.remote_record import Existing, addresses
from fsseg.push.accepted import write
from fsseg.push.bulk import Bulk
from fsseg.push.context import PushContext
from fsseg.push.journal import send_once
from fsseg.push.made import MadeRecords
from fsseg.push.outcome import Outcome
from fsseg.push.payload import NESTED_FIELDS, body, nested
from fsseg.push.updates import update
from fsseg.push.upserts import find_made, upsert
from fsseg.state.actions import Status
from fsseg.state.plan_store import Record, account_named


class _PersonPusher:
    """What leads and contacts have in common."""

    def __init__(self, context: PushContext, entity: Entity) -> None:
        self._context = context
        self._entity = entity
        self._made = MadeRecords(context, entity)

    def send(self, record: Record) -> Outcome:
        """Create or update one person."""
        writer, attributes = self._context.writer, self._attributes(record)
        id, by_upsert = record.remote_id, self._by_upsert(record)
        if id is None and not by_upsert and record.claimed_at is not None:
            id = self._find_created(record, self._made.sent_at(record))
        if id is not None:
            write(self._context, record, attributes, partial(update, self._context, record, id))
            return Outcome(Status.DONE, id)
        if by_upsert:
            is_it = partial(_is_at, record)
            id = upsert(self._context, self._made, record, attributes, {"emails": record.key}, is_it)
            return Outcome(Status.DONE, id)
        began = datetime.now(UTC)
        return send_once(
            lambda: int(write(self._context, record, attributes, partial(writer.create, self._entity))["id"]),
            lambda: self._find_created(record, began, just_sent=True),
            self._context.pause,
        )

    def recover(self, record: Record) -> Outcome:
        """Plan it to be sent again: as an update if it was made, or as it is where that makes nothing twice."""
        if record.remote_id is not None:
            return Outcome(Status.PLANNED)
        if self._by_upsert(record):
            since, is_it = self._made.sent_at(record), partial(_is_at, record)
            return Outcome(Status.PLANNED, find_made(self._made, since, is_it, just_sent=False))
        return Outcome(Status.PLANNED, self._find_created(record, self._made.sent_at(record)))

    def _attributes(self, record: Record) -> dict[str, Any]:
        return body(self._context.catalog, record)

    def _by_upsert(self, record: Record) -> bool:
        """Whether a create may go as an upsert by e-mail: not where it must not touch others of the same e-mail."""
        return not record.siblings and (bool(record.by_email) or self._context.match_mode == "email")

    def _find_created(self, record: Record, since: datetime, *, just_sent: bool = False) -> int | None:
        """The id of the record that this create has made since, None if it made none.

        Raises `Unavailable` where it can't be told.
        """
        entity, id_field = self._entity, self._context.id_field
        user_ids = [key[1:] for key in record.keys if key.startswith("#")] if id_field else []

        def is_it(row: Existing) -> bool:
            if user_ids and id_field in row:
                return row[id_field] in user_ids
            return _is_at(record, row)

        rows: list[Existing] = self._made.find(since, is_it, just_sent=just_sent)
        if not rows:
            self._made.wait_out_lag(since)
            rows = self._look_up(record, user_ids)
        ids = {int(row["id"]) for row in rows} - set(record.siblings)
        if len(ids) > 1:
            raise Unavailable(f"{len(ids)} new {entity}s have this e-mail: which of them this run made can't be told")
        return ids.pop() if ids else None

    def _look_up(self, record: Record, user_ids: list[str]) -> list[Existing]:
        reader, entity, id_field = self._context.reader, self._entity, self._context.id_field
        if id_field and user_ids:
            return [row for user_id in user_ids for row in reader.lookup(user_id, id_field, (entity,))[entity]]
        return reader.lookup(record.key, "email", (entity,))[entity]


def _is_at(record: Record, row: Existing) -> bool:
    return record.match_key in addresses(row)


class LeadPusher(_PersonPusher):
    """Sends leads, of which Freshsales has no bulk upsert."""

    bulk = None

    def __init__(self, context: PushContext) -> None:
        super().__init__(context, "lead")

    def can_bulk(self, record: Record) -> bool:
        """Never: Freshsales has no bulk upsert of leads."""
        return False


class ContactPusher(_PersonPusher):
    """Sends contacts with the links to their accounts; a lead that is to be a contact is converted first."""

    def __init__(self, context: PushContext) -> None:
        super().__init__(context, "contact")
        self.bulk = Bulk(context, "contact", "emails", self._attributes, self.send, self.recover, self._made.settled)

    def can_bulk(self, record: Record) -> bool:
        """Whether the contact may go in bulk: no lead to convert, and nobody whom bulk might harm."""
        return record.converts is None and self._context.custom_fields.may_bulk(record)

    def send(self, record: Record) -> Outcome:
        """Create or update one contact."""
        if record.converts is None:
            return super().send(record)
        contact_id = self._convert(record)
        attributes = self._attributes(record.known_as(contact_id))
        write(self._context, record, attributes, partial(update, self._context, record, contact_id, anew=True))
        return Outcome(Status.DONE, contact_id)

    def recover(self, record: Record) -> Outcome:
        """Plan it to be sent again: as an update if it was made, or as it is where that makes nothing twice."""
        # Sending a conversion looks for the contact first, so nothing needs to be looked for here.
        return Outcome(Status.PLANNED) if record.converts is not None else super().recover(record)

    def _attributes(self, record: Record) -> dict[str, Any]:
        """The body of a contact, its accounts as ids. Not to be called under the store's lock."""
        attributes = super()._attributes(record)
        if "sales_accounts" in record.fields:
            attributes["sales_accounts"] = self._account_links(record)
        return attributes

    def _account_links(self, record: Record) -> list[dict[str, Any]]:
        """All accounts that the contact shall have: the list replaces the links, so those it has are named too."""
        if record.links is not None:
            return record.links
        linked = self._accounts_of(record)
        links = [{"id": account["id"], "is_primary": bool(account.get("is_primary"))} for account in linked]
        ids = {link["id"] for link in links}
        with self._context.lock:
            accounts = [account_named(self._context.store, name) for name in record.companies]
        for account in accounts:
            if account and account.remote_id and account.remote_id not in ids:
                links.append({"id": account.remote_id, "is_primary": not any(link["is_primary"] for link in links)})
        return links

    def _accounts_of(self, record: Record) -> list[dict[str, Any]]:
        """The accounts that the contact has: as the plan read them, or read anew after a conversion or earlier try."""
        if record.claimed_at is None and record.converts is None:
            return (record.existing or {}).get("sales_accounts") or []
        id = record.remote_id
        if id is None:
            rows = self._context.reader.lookup(record.key, "email", ("contact",))["contact"]
            id = int(rows[0]["id"]) if rows else None
        current = fetch(self._context.reader, "contact", id) if id is not None else None
        return (current or {}).get("sales_accounts") or []

    def _convert(self, record: Record) -> int:
        """The id of the contact that the lead became. It is looked for first: converting twice would fail."""
        reader, writer = self._context.reader, self._context.writer
        contacts = reader.lookup(record.key, "email", ("contact",))["contact"]
        if not contacts:
            name = (record.existing or {}).get("last_name") or record.desired.get("last_name") or record.key
            assert record.converts is not None
            parts = {part: nested(self._context.catalog, record, part) for part in NESTED_FIELDS}
            # Whether those that the lead holds are taken along where they aren't named isn't documented.
            named = {part: values for part, values in parts.items() if values.get("name")}
            contact = writer.convert(record.converts, {"last_name": name, "email": record.key, **named})
            contacts = [contact] if contact else reader.lookup(record.key, "email", ("contact",))["contact"]
        if not contacts:
            raise Unavailable("the lead was converted, but no contact of its e-mail can be found")
        return int(contacts[0]["id"])
