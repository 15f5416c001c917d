"""Match accounts and deals: for each that is planned, what Freshsales holds today."""

from __future__ import annotations

from fsseg.mapping.intents import BY_ID
from fsseg.mapping.names import fold_name
from fsseg.match.deal_finder import DealFinder, deal_name, is_it
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
    deals: DealFinder | LedgerDealFinder = LedgerDealFinder()
    if work.reader is not None:
        undecided = undecided_deals(work.store)
        there = sum(_is_delivered(work, record, contacts.get(record.parent or 0)) for record in undecided)
        deals = DealFinder(work.reader, set(contacts.values()), work.say, there=there)
    finder, taken = work.finder(("deal",), 0), set[int]()
    for record in undecided_deals(work.store):
        contact = contacts.get(record.parent or 0)
        found = found_deals(work, deals, record, contact, made=_is_delivered(work, record, contact))
        if record.match_key.startswith(BY_ID):  # one that has no id yet can be given one only
            found = [deal for deal in found if deal["id"] not in taken or deal["id"] is None]
        if found:
            existing = max(found, key=updated)
            taken.add(existing["id"])
            _write_existing(work, finder, record, existing, ["sales_account_id"])


def found_deals(
    work: Matching, deals: DealFinder | LedgerDealFinder, record: Record, contact: int | None, *, made: bool
) -> list[Existing]:
    """What there is of a planned deal: by an id of its own, else by its name among the deals of its contact."""
    id_field = work.deal_id_field
    wanted = record.desired.get(id_field) if id_field else None
    if id_field and wanted is not None and (own := deals.find_own(id_field, wanted, made=made)):
        return own
    account = next(filter(None, map(work.store.account_id, record.companies)), None)
    found = deals.find(contact, deal_name(record), made=made, account=account)
    if not id_field or wanted is None or work.reader is None:
        return found
    whole = (row if id_field in row else deals.read(int(row["id"])) for row in found)
    return [row for row in whole if row is not None and is_it(row, id_field, wanted)]


def _is_delivered(work: Matching, record: Record, contact: int | None) -> bool:
    """Whether something was delivered of this account, or of this deal of a contact."""
    keys = fingerprint_keys(record.kind, record.kind, None, record.match_key, contact)
    return work.ledger.history(keys).generation > 0


def _write_existing(work: Matching, finder: Finder, record: Record, existing: Existing, links: list[str]) -> None:
    wanted = [*record.desired, *links, *work.needed]
    kept = keep(finder.complete(record.entity, existing, wanted), wanted)
    work.store.update("record", record.id, existing=kept, remote_id=existing["id"])
