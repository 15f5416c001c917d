"""Writing people, one request each: leads, and contacts where bulk isn't worth it or isn't there."""

from __future__ import annotations

from typing import Any

from fsseg.freshsales.errors import Unavailable
from fsseg.plan.decide import account_named
from fsseg.plan.mirror import fold_name
from fsseg.plan.reverse import LINKS
from fsseg.plan.store import Record
from fsseg.push.journal import carefully
from fsseg.push.outcome import DONE, PLANNED, Outcome
from fsseg.push.payload import body
from fsseg.push.work import Work


def attributes(work: Work, record: Record) -> dict[str, Any]:
    """The body of a person, accounts of a contact included as ids."""
    found = body(work.catalog, record)
    if "sales_accounts" in record.fields:
        found["sales_accounts"] = account_links(work, record)
    return found


def account_links(work: Work, record: Record) -> list[dict[str, Any]]:
    """All accounts that the contact shall have: the list replaces the links, so those it has are named too."""
    if LINKS in record.desired:
        return list(record.desired[LINKS])
    has = (record.existing or {}).get("sales_accounts") or []
    links = [{"id": one["id"], "is_primary": bool(one.get("is_primary"))} for one in has]
    ids = {link["id"] for link in links}
    names = {fold_name(one.get("name")) for one in has}
    for name in record.desired.get("$accounts", ()):
        account = account_named(work.store, name)
        if account and account.remote_id and account.remote_id not in ids and name not in names:
            links.append({"id": account.remote_id, "is_primary": not any(link["is_primary"] for link in links)})
    return links


def by_upsert(work: Work, record: Record) -> bool:
    """Whether a create may go as an upsert by e-mail: not where it must not touch others of the same e-mail."""
    return bool(record.by_email) or work.how == "email"


def send(work: Work, record: Record) -> Outcome:
    """Create or update one person."""
    assert record.entity
    with work.lock:
        wanted = attributes(work, record)
    if record.action == "update":
        assert record.remote_id
        work.writer.update(record.entity, record.remote_id, wanted)
        return Outcome(DONE, record.remote_id)
    if by_upsert(work, record):
        return Outcome(DONE, int(work.writer.upsert(record.entity, {"emails": record.key}, wanted)["id"]))
    entity = record.entity
    return carefully(lambda: int(work.writer.create(entity, wanted)["id"]), lambda: look(work, record))


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
    """What became of a person that was under way when the last push ended."""
    if record.action == "update" or by_upsert(work, record):
        return Outcome(PLANNED)
    found = look(work, record)
    return Outcome(PLANNED) if found is None else Outcome(DONE, found)
