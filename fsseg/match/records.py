"""Match accounts and deals: for each that is planned, what Freshsales holds today."""

from __future__ import annotations

from fsseg.mapping.names import fold_name
from fsseg.match.deal_finder import DealFinder
from fsseg.match.finders import Finder
from fsseg.match.ledger_finder import LedgerDealFinder
from fsseg.match.matching import Matching
from fsseg.match.remote_record import Existing, keep, updated
from fsseg.state.fingerprint import fingerprint_keys
from fsseg.state.matched_rows import remote_ids, undecided_deals, unmatched_accounts
from fsseg.state.plan_store import Record


def match_accounts(work: Matching) -> None:
    """Fill in what there is of every account. Raises as `match_people`."""
    records = unmatched_accounts(work.store)
    finder = work.finder(("account",), len(records))
    if finder.knows_nobody:
        return
    for record in records:
        found = [
            account
            for _, account in finder.find(("account",), record.key)
            if not finder.sees_all or fold_name(account.get("name")) == record.match_key
        ]
        if found:
            _write_existing(work, finder, record, max(found, key=updated), [])


def match_deals(work: Matching) -> None:
    """Fill in what there is of every deal: it is known by its name among the deals of its contact.

    Raises as `match_people`.
    """
    if work.reader is None and work.ledger.is_empty:
        return
    records = undecided_deals(work.store)
    contacts = remote_ids(work.store, (deal.parent for deal in records))
    deals = LedgerDealFinder() if work.reader is None else DealFinder(work.reader, set(contacts.values()), work.say)
    finder = work.finder(("deal",), 0)
    for record in records:
        contact = contacts.get(record.parent or 0)
        found = deals.find(contact, record.match_key, made=_is_delivered(work, record, contact))
        if found:
            _write_existing(work, finder, record, max(found, key=updated), ["sales_account_id"])


def _is_delivered(work: Matching, deal: Record, contact: int | None) -> bool:
    """Whether something was delivered of this deal of a contact."""
    return work.ledger.history(fingerprint_keys("deal", "deal", None, deal.match_key, contact)).generation > 0


def _write_existing(work: Matching, finder: Finder, record: Record, existing: Existing, links: list[str]) -> None:
    wanted = [*record.desired, *links]
    kept = keep(finder.complete(record.entity, existing, wanted), wanted)
    work.store.update("record", record.id, existing=kept, remote_id=existing["id"])
