"""Writing people, one request each: leads, and contacts where bulk isn't worth it or isn't there."""

from __future__ import annotations

from typing import Any

from fsseg.freshsales.errors import Unavailable
from fsseg.match.finders import fetch
from fsseg.push.context import PushContext
from fsseg.push.journal import send_once
from fsseg.push.outcome import Outcome
from fsseg.push.payload import body
from fsseg.state.actions import Status
from fsseg.state.plan_store import Record, account_named
from fsseg.state.wanted_keys import CONVERT, LINKS


def attributes(context: PushContext, record: Record) -> dict[str, Any]:
    """The body of a person, accounts of a contact included as ids. Not to be called under the store's lock."""
    found = body(context.catalog, record)
    if "sales_accounts" in record.fields:
        found["sales_accounts"] = account_links(context, record)
    return found


def account_links(context: PushContext, record: Record) -> list[dict[str, Any]]:
    """All accounts that the contact shall have: the list replaces the links, so those it has are named too."""
    if LINKS in record.desired:
        return list(record.desired[LINKS])
    has = _accounts_of(context, record)
    links = [{"id": one["id"], "is_primary": bool(one.get("is_primary"))} for one in has]
    ids = {link["id"] for link in links}
    with context.lock:
        accounts = [account_named(context.store, name) for name in record.desired.get("$accounts", ())]
    for account in accounts:
        if account and account.remote_id and account.remote_id not in ids:
            links.append({"id": account.remote_id, "is_primary": not any(link["is_primary"] for link in links)})
    return links


def _accounts_of(context: PushContext, record: Record) -> list[dict[str, Any]]:
    """The accounts that the contact has: as the plan read them, or read now where an earlier try made that old news."""
    if record.claimed_at is None:
        return (record.existing or {}).get("sales_accounts") or []
    id = record.remote_id
    if id is None:
        rows = context.reader.lookup(record.key, "email", ("contact",))["contact"]
        id = int(rows[0]["id"]) if rows else None
    current = fetch(context.reader, "contact", id) if id is not None else None
    return (current or {}).get("sales_accounts") or []


def by_upsert(context: PushContext, record: Record) -> bool:
    """Whether a create may go as an upsert by e-mail: not where it must not touch others of the same e-mail."""
    return bool(record.by_email) or context.match_mode == "email"


def send(context: PushContext, record: Record) -> Outcome:
    """Create or update one person."""
    assert record.entity
    entity, wanted = record.entity, attributes(context, record)
    if CONVERT in record.desired:
        contact_id = _convert(context, record)
        context.writer.update("contact", contact_id, wanted)
        return Outcome(Status.DONE, contact_id)
    id, upsert = record.remote_id, by_upsert(context, record)
    if id is None and not upsert and record.claimed_at is not None:
        id = find_created(context, record)
    if id is not None:
        context.writer.update(entity, id, wanted)
        return Outcome(Status.DONE, id)
    if upsert:
        return Outcome(Status.DONE, int(context.writer.upsert(entity, {"emails": record.key}, wanted)["id"]))
    return send_once(
        lambda: int(context.writer.create(entity, wanted)["id"]), lambda: find_created(context, record), context.pause
    )


def _convert(context: PushContext, record: Record) -> int:
    """The id of the contact that the lead became. It is looked for first: converting twice would fail."""
    found = context.reader.lookup(record.key, "email", ("contact",))["contact"]
    if not found:
        wanted = {
            "last_name": (record.existing or {}).get("last_name") or record.desired.get("last_name") or record.key
        }
        contact = context.writer.convert(int(record.desired[CONVERT]), wanted | {"email": record.key})
        found = [contact] if contact else context.reader.lookup(record.key, "email", ("contact",))["contact"]
    if not found:
        raise Unavailable("the lead was converted, but no contact of its e-mail can be found")
    return int(found[0]["id"])


def find_created(context: PushContext, record: Record) -> int | None:
    """The id of the record that this create made, None if it made none. Raises `Unavailable` where it can't be told."""
    assert record.entity
    entity = record.entity
    id_keys = [key[1:] for key in record.keys if key.startswith("#")]
    if context.id_field and id_keys:
        rows = [row for key in id_keys for row in context.reader.lookup(key, context.id_field, (entity,))[entity]]
    else:
        rows = context.reader.lookup(record.key, "email", (entity,))[entity]
    ids = {int(row["id"]) for row in rows} - set(record.siblings)
    if len(ids) > 1:
        raise Unavailable(f"{len(ids)} new {entity}s have this e-mail: which of them this run made can't be told")
    return ids.pop() if ids else None


def recover(context: PushContext, record: Record) -> Outcome:
    """A person who was under way when the last push ended is sent again: as an update if found or made by upsert."""
    if record.remote_id is not None or CONVERT in record.desired or by_upsert(context, record):
        return Outcome(Status.PLANNED)
    return Outcome(Status.PLANNED, find_created(context, record))
