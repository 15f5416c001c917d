"""Writing people, one request each: leads, and contacts where bulk isn't worth it or isn't there."""

from __future__ import annotations

from typing import Any

from fsseg.freshsales.errors import Unavailable
from fsseg.match.finders import fetch
from fsseg.push.journal import carefully
from fsseg.push.outcome import Outcome
from fsseg.push.payload import body
from fsseg.push.work import Work
from fsseg.state.actions import Status
from fsseg.state.plan_store import Record, account_named
from fsseg.state.wanted_keys import CONVERT, LINKS


def attributes(work: Work, record: Record) -> dict[str, Any]:
    """The body of a person, accounts of a contact included as ids. Not to be called under the store's lock."""
    found = body(work.catalog, record)
    if "sales_accounts" in record.fields:
        found["sales_accounts"] = account_links(work, record)
    return found


def account_links(work: Work, record: Record) -> list[dict[str, Any]]:
    """All accounts that the contact shall have: the list replaces the links, so those it has are named too."""
    if LINKS in record.desired:
        return list(record.desired[LINKS])
    has = _accounts_of(work, record)
    links = [{"id": one["id"], "is_primary": bool(one.get("is_primary"))} for one in has]
    ids = {link["id"] for link in links}
    with work.lock:
        accounts = [account_named(work.store, name) for name in record.desired.get("$accounts", ())]
    for account in accounts:
        if account and account.remote_id and account.remote_id not in ids:
            links.append({"id": account.remote_id, "is_primary": not any(link["is_primary"] for link in links)})
    return links


def _accounts_of(work: Work, record: Record) -> list[dict[str, Any]]:
    """The accounts that the contact has: as the plan read them, or read now where an earlier try made that old news."""
    if record.claimed_at is None:
        return (record.existing or {}).get("sales_accounts") or []
    id = record.remote_id
    if id is None:
        rows = work.reader.lookup(record.key, "email", ("contact",))["contact"]
        id = int(rows[0]["id"]) if rows else None
    current = fetch(work.reader, "contact", id) if id is not None else None
    return (current or {}).get("sales_accounts") or []


def by_upsert(work: Work, record: Record) -> bool:
    """Whether a create may go as an upsert by e-mail: not where it must not touch others of the same e-mail."""
    return bool(record.by_email) or work.how == "email"


def send(work: Work, record: Record) -> Outcome:
    """Create or update one person."""
    assert record.entity
    entity, wanted = record.entity, attributes(work, record)
    if CONVERT in record.desired:
        contact_id = _convert(work, record)
        work.writer.update("contact", contact_id, wanted)
        return Outcome(Status.DONE, contact_id)
    id, upsert = record.remote_id, by_upsert(work, record)
    if id is None and not upsert and record.claimed_at is not None:
        id = look(work, record)
    if id is not None:
        work.writer.update(entity, id, wanted)
        return Outcome(Status.DONE, id)
    if upsert:
        return Outcome(Status.DONE, int(work.writer.upsert(entity, {"emails": record.key}, wanted)["id"]))
    return carefully(lambda: int(work.writer.create(entity, wanted)["id"]), lambda: look(work, record), work.pause)


def _convert(work: Work, record: Record) -> int:
    """The id of the contact that the lead became. It is looked for first: converting twice would fail."""
    found = work.reader.lookup(record.key, "email", ("contact",))["contact"]
    if not found:
        wanted = {
            "last_name": (record.existing or {}).get("last_name") or record.desired.get("last_name") or record.key
        }
        contact = work.writer.convert(int(record.desired[CONVERT]), wanted | {"email": record.key})
        found = [contact] if contact else work.reader.lookup(record.key, "email", ("contact",))["contact"]
    if not found:
        raise Unavailable("the lead was converted, but no contact of its e-mail can be found")
    return int(found[0]["id"])


def look(work: Work, record: Record) -> int | None:
    """The id of the record that this create made, None if it made none. Raises `Unavailable` where it can't be told."""
    assert record.entity
    entity = record.entity
    id_keys = [key[1:] for key in record.keys if key.startswith("#")]
    if work.id_field and id_keys:
        rows = [row for key in id_keys for row in work.reader.lookup(key, work.id_field, (entity,))[entity]]
    else:
        rows = work.reader.lookup(record.key, "email", (entity,))[entity]
    ids = {int(row["id"]) for row in rows} - set(record.siblings)
    if len(ids) > 1:
        raise Unavailable(f"{len(ids)} new {entity}s have this e-mail: which of them this run made can't be told")
    return ids.pop() if ids else None


def recover(work: Work, record: Record) -> Outcome:
    """A person who was under way when the last push ended is sent again: as an update if found or made by upsert."""
    if record.remote_id is not None or CONVERT in record.desired or by_upsert(work, record):
        return Outcome(Status.PLANNED)
    return Outcome(Status.PLANNED, look(work, record))
