"""Writing deals: tied to their contact and account, never doubled though Freshsales lets two have one name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from fsseg.freshsales.views import first_page, pages, read_all, view_of_all
from fsseg.mapping.names import fold_name
from fsseg.push.bulk import MIN_BULK
from fsseg.push.context import PushContext
from fsseg.push.journal import send_once
from fsseg.push.outcome import Outcome
from fsseg.push.payload import body
from fsseg.state.actions import Action, Status
from fsseg.state.plan_store import Record


def nameable(context: PushContext) -> Callable[[Record], bool]:
    """Which deals may go in bulk: updates, by their ids, and creates whose name no other deal has.

    Bulk knows a new deal by its name only, and would change whichever has it already. Reading all names pays off where
    it takes fewer requests than the creates themselves.
    """
    planned = f"entity = 'deal' AND action = '{Action.CREATE}' AND status = '{Status.PLANNED}'"
    creates = list(context.store.records(planned))
    counted = Counter(row.match_key for row in creates)
    taken = _all_names(context, len(creates)) if len(creates) >= MIN_BULK else None

    def suits(record: Record) -> bool:
        contact = context.store.record(int(record.parent or 0))
        if contact.remote_id is None:
            return False
        if record.remote_id is not None:
            return True
        return taken is not None and counted[record.match_key] == 1 and record.match_key not in taken

    return suits


def _all_names(context: PushContext, max_pages: int) -> set[str] | None:
    """The folded names of all deals, or None where reading them isn't worth that many requests, or can't be whole."""
    view = view_of_all(context.reader, "deal")
    if view is None:
        return None
    first = first_page(context.reader, "deal", view)
    if first.total is None or pages(first.total) >= max_pages:
        return None
    found: dict[int, str] = {}

    def keep(rows: list[dict[str, Any]]) -> int:
        found.update((row["id"], fold_name(row.get("name"))) for row in rows)
        return len(found)

    return set(found.values()) if read_all(context.reader, "deal", view, first, keep) else None


def attributes(context: PushContext, record: Record) -> dict[str, Any]:
    """The body of a deal, its contact and account as ids."""
    contact = context.store.record(int(record.parent or 0))
    found = body(context.catalog, record)
    if "contacts" in record.fields and contact.remote_id:
        found["contacts_added_list"] = [contact.remote_id]
    if "sales_account" in record.fields and record.account:
        account = context.store.record(record.account)
        if account.remote_id:
            found["sales_account_id"] = account.remote_id
    return found


def send(context: PushContext, record: Record) -> Outcome:
    """Create or update one deal; one whose contact could not be written fails with it."""
    with context.lock:
        contact = context.store.record(int(record.parent or 0))
        wanted = attributes(context, record)
    if contact.remote_id is None:
        return Outcome(Status.FAILED, code=contact.code or "unavailable", message="its contact was not written")
    contact_id, id = contact.remote_id, record.remote_id
    if id is None and record.claimed_at is not None:
        id = find_created(context, record, contact_id)
    if id is not None:
        context.writer.update("deal", id, wanted)
        return Outcome(Status.DONE, id)
    return send_once(
        lambda: int(context.writer.create("deal", wanted)["id"]),
        lambda: find_created(context, record, contact_id),
        context.pause,
    )


def find_created(context: PushContext, record: Record, contact_id: int) -> int | None:
    """The id of this deal among those of its contact; when the run began there was none of its name."""
    found = [row for row in context.reader.deals_of(contact_id) if fold_name(row.get("name")) == record.match_key]
    return int(found[0]["id"]) if found else None


def recover(context: PushContext, record: Record) -> Outcome:
    """A deal that was under way when the last push ended is sent again: as an update if it can be found."""
    contact = context.store.record(int(record.parent or 0))
    if record.remote_id is not None or contact.remote_id is None:
        return Outcome(Status.PLANNED)
    return Outcome(Status.PLANNED, find_created(context, record, contact.remote_id))
