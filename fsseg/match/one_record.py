"""Whose a record is that several people were found to be, or that somebody has left for another address."""

from __future__ import annotations

from fsseg.freshsales.names import Entity
from fsseg.match.finders import Finder, Found
from fsseg.match.matching import Matching
from fsseg.match.remote_record import Existing, addresses
from fsseg.segment.email_key import email_key
from fsseg.state.fingerprint import fingerprint_keys
from fsseg.state.known_ties import emails_known_of
from fsseg.state.ledger import Known, Ledger
from fsseg.state.plan_store import Record


def whose_it_is(work: Matching, people: list[Record]) -> list[Record]:
    """Those of these people who are the one person that their record is of, so that nobody's values are mixed.

    A lead is of whoever moves from its address, as it was made for them; a contact, which keeps former addresses, of
    those who have one of its own.
    """
    moving = [record for record in people if _moves(work, record)]
    staying = [record for record in people if record not in moving]
    return moving[:1] if moving and (people[0].entity == "lead" or not staying) else staying


def sibling(record: Record) -> list[int]:
    """The record that is another one's now, if it still has this person's address."""
    id = record.remote_id or record.converts
    return [id] if id and record.match_key in addresses(record.existing or {}) else []


def since_moved(work: Matching, finder: Finder, record: Record) -> list[Found]:
    """The record of a database id that has got another address since; this one may be somebody else's by now.

    Where others tell of that address, too, its time may be theirs.
    """
    if record.times.get("email") and all(key.startswith("#") for key in record.keys):
        for known in filter(None, map(work.ledger.known, record.keys)):
            email = email_key(known.email or "")
            is_own = email not in ("", record.match_key) and not work.ledger.is_shared(email)
            if is_own and known.entity in work.people and _has_later(work, record, known):
                return finder.recall(known)
    return []


def comes_back(ledger: Ledger, record: Record, existing: Existing) -> bool:
    """Whether a contact's primary address is to be one again that it had before.

    Only where earlier runs know both as addresses of one id: which of a contact's addresses is the primary one is
    otherwise not for events to say.
    """
    if record.entity != "contact" or record.match_key not in addresses(existing):
        return False
    both = {email_key(str(existing.get("email"))), record.match_key}
    return len(both) > 1 and any(both <= emails_known_of(ledger, key) for key in record.keys if key.startswith("#"))


def _moves(work: Matching, record: Record) -> bool:
    """Whether the person gets another address than the record has."""
    emails = addresses(record.existing or {})
    entity: Entity = "lead" if record.converts else record.entity
    id = record.remote_id or record.converts
    return record.match_key not in emails and not any(
        _has_later(work, record, Known(entity, id, email, 0)) for email in emails
    )


def _has_later(work: Matching, record: Record, known: Known) -> bool:
    """Whether a later address than the person's was delivered of a record."""
    keys = fingerprint_keys("person", known.entity, known.remote_id, email_key(known.email or ""), None)
    return work.ledger.history(keys).times.get("email", 0) > record.times.get("email", 0)
