"""Match accounts and deals: for each that is planned, what Freshsales holds today."""

from __future__ import annotations

from fsseg.mapping.names import fold_name
from fsseg.match.deal_finder import DealFinder
from fsseg.match.finders import Finder
from fsseg.match.ledger_finder import LedgerDealFinder
from fsseg.match.matching import Matching
from fsseg.match.remote_record import Existing, keep, updated
from fsseg.state.fingerprint import fingerprint_keys
from fsseg.state.match_queue import (
    contacts_of_undecided_deals,
    count_unmatched_accounts,
    undecided_deals,
    unmatched_accounts,
)
from fsseg.state.plan_store import Record


def match_accounts(work: Matching) -> None:
    """Fill in what there is of every account. Raises as `match_people`."""
    finder = work.finder(("account",), count_unmatched_accounts(work.store))
    if finder.knows_nobody:
        return
    for record in unmatched_accounts(work.store):
        found = _named(finder, record)
        if not found and _is_delivered(work, record, None) and work.wait_out_lag():
            found = _named(finder, record)
        if found:
            _write_existing(work, finder, record, max(found, key=updated), [])


def _named(finder: Finder, record: Record) -> list[Existing]:
    return [
        account
        for _, account in finder.find(("account",), record.key)
        if not finder.sees_all or fold_name(account.get("name")) == record.match_key
    ]


def match_deals(work: Matching) -> None:
    """Fill in what there is of every deal: it is known by its name among the deals of its contact.

    Raises as `match_people`.
    """
    if work.reader is None and work.ledger.is_empty:
        return
    contacts = contacts_of_undecided_deals(work.store)
    deals = LedgerDealFinder() if work.reader is None else DealFinder(work.reader, set(contacts.values()), work.say)
    finder = work.finder(("deal",), 0)
    for record in undecided_deals(work.store):
        contact = contacts.get(record.parent or 0)
        found = deals.find(
            contact,
            record.match_key,
            made=_is_delivered(work, record, contact),
            account=next(filter(None, map(work.store.account_id, record.companies)), None),
        )
        if found:
            _write_existing(work, finder, record, max(found, key=updated), ["sales_account_id"])


def _is_delivered(work: Matching, record: Record, contact: int | None) -> bool:
    """Whether something was delivered of this account, or of this deal of a contact."""
    keys = fingerprint_keys(record.kind, record.kind, None, record.match_key, contact)
    return work.ledger.history(keys).generation > 0


def _write_existing(work: Matching, finder: Finder, record: Record, existing: Existing, links: list[str]) -> None:
    wanted = [*record.desired, *links]
    kept = keep(finder.complete(record.entity, existing, wanted), wanted)
    work.store.update("record", record.id, existing=kept, remote_id=existing["id"])
