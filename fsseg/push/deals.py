"""Writing deals: tied to their contact and account, never doubled though Freshsales lets two have one name."""

from __future__ import annotations

from typing import Any

from fsseg.plan.mirror import fold_name
from fsseg.plan.store import Record
from fsseg.push.journal import carefully
from fsseg.push.outcome import DONE, FAILED, PLANNED, Outcome
from fsseg.push.payload import body
from fsseg.push.work import Work


def attributes(work: Work, record: Record, contact: Record) -> dict[str, Any]:
    """The body of a deal, its contact and account as ids."""
    found = body(work.catalog, record)
    if "contacts" in record.fields and contact.remote_id:
        found["contacts_added_list"] = [contact.remote_id]
    if "sales_account" in record.fields and record.account:
        account = work.store.record(record.account)
        if account.remote_id:
            found["sales_account_id"] = account.remote_id
    return found


def send(work: Work, record: Record) -> Outcome:
    """Create or update one deal; one whose contact could not be written fails with it."""
    with work.lock:
        contact = work.store.record(int(record.parent or 0))
        wanted = attributes(work, record, contact)
    if contact.remote_id is None:
        return Outcome(FAILED, code=contact.code or "unavailable", message="its contact was not written")
    if record.action == "update":
        assert record.remote_id
        work.writer.update("deal", record.remote_id, wanted)
        return Outcome(DONE, record.remote_id)
    contact_id = contact.remote_id
    return carefully(lambda: int(work.writer.create("deal", wanted)["id"]), lambda: look(work, record, contact_id))


def look(work: Work, record: Record, contact_id: int) -> int | None:
    """The id of this deal among those of its contact; when the run began there was none of its name."""
    found = [row for row in work.reader.deals_of(contact_id) if fold_name(row.get("name")) == record.match_key]
    return int(found[0]["id"]) if found else None


def recover(work: Work, record: Record) -> Outcome:
    """What became of a deal that was under way when the last push ended."""
    contact = work.store.record(int(record.parent or 0))
    if record.action == "update" or contact.remote_id is None:
        return Outcome(PLANNED)
    found = look(work, record, contact.remote_id)
    return Outcome(PLANNED) if found is None else Outcome(DONE, found)
