"""Undo: a plan that puts back what a run changed, where nobody has changed it since."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from fsseg.freshsales.reader import LAG_S, Reader
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.equality import is_empty
from fsseg.mapping.field_types import wire
from fsseg.mapping.names import fold_name
from fsseg.match.deal_finder import contacts_of, deal_name
from fsseg.match.finders import LookupFinder, fetch
from fsseg.match.newest import MadeUnnamed
from fsseg.match.remote_record import EARLIEST, FOLLOWS, Existing, addresses, instant, silent
from fsseg.plan.diff import LINK_FIELDS, field_of, rounded, same
from fsseg.segment.email_key import email_key
from fsseg.state.actions import Action, Code, Status
from fsseg.state.deliveries import Delivery
from fsseg.state.fingerprint import fingerprint_keys, value_fingerprint
from fsseg.state.ledger import History, Ledger
from fsseg.state.ledger_update import delivered_since
from fsseg.state.plan_store import Entry, Record, Store
from fsseg.state.row_status import fields_warned_of
from fsseg.state.undo_rows import (
    WayBack,
    add_entry,
    add_record,
    add_reference,
    forget_planned,
    generation_of,
    ids_of_entries,
    ids_of_records,
    records_to_compare,
    unnamed_records,
    updated_records,
    written_entries,
)

CONFLICT = WayBack(Action.CONFLICT, Status.FAILED, Code.CONFLICT)
"""It isn't any more what the run has left, so it is left alone."""

UNREADABLE = WayBack(
    Action.CONFLICT, Status.FAILED, Code.REFUSED, message="this key may not read the record", http_status=403
)
"""What it holds can't be told, so it is left alone until a retry may read it."""

LEFT_THERE = WayBack(Action.UNCHANGED, Status.DONE, Code.CREATED, (Code.CREATED,))
"""The run has made it, and nobody has asked for it to be deleted."""

NOTHING_LEFT = WayBack(Action.UNCHANGED, Status.DONE)
"""It is as it was before the run."""

CLOCKS = timedelta(days=1)
"""By how much this machine's clock and Freshsales' may differ, at the most."""

DeliveriesOf = Callable[[set[int]], dict[int, list[Delivery]]]
"""What other runs have delivered of the records with these fingerprint keys."""


class Since(NamedTuple):
    """What other runs have done since the run to undo has written a record."""

    is_used: bool
    """Another run has put something onto it, or onto what hangs on it."""
    is_overtaken: bool
    """A later run has delivered one of its fields with a later time, or by an event of the same time."""
    account_id: int | None
    """The id in Freshsales of the account that a deal was linked to."""
    contact_id: int | None = None
    """That of the contact that a deal belongs to."""
    not_stored: frozenset[str] = frozenset()
    """The fields of which it was found by any run that Freshsales doesn't store what the run wrote."""
    account_ids: frozenset[int] = frozenset()
    """The ids in Freshsales of the accounts that a contact was linked to."""


def plan_undo(
    original: Store,
    store: Store,
    reader: Reader,
    catalog: Catalog,
    ledger: Ledger,
    tick: Callable[[int], None],
    deliveries_of: DeliveriesOf,
    *,
    ended: datetime,
    delete_created: bool,
) -> None:
    """Fill `store` with the way back from the run in `original`; what it has done of it already stays.

    `deliveries_of` gives what other runs have delivered, `ended` is when the run to undo did. `tick` is told of each
    record compared. Raises the client's errors.
    """
    with store.transaction():
        forget_planned(store)
    later = deliveries_of(_touched_since(original, ledger))
    done = ids_of_records(store)
    made = MadeUnnamed(reader, unnamed_records(original))
    for record in records_to_compare(original):
        if record.id in done:
            continue
        if not delete_created and _is_made(record):  # it stays as it is, so that it needn't be read
            current: Existing | None = {"id": record.remote_id}
            way = LEFT_THERE
        else:
            current = _current(original, reader, made, record, ended)
            since = _since(original, ledger, later, record, current)
            way = way_back(catalog, record, current, since, delete_created=delete_created)
        with store.transaction():
            if record.parent:
                add_reference(store, original, record.parent)
            add_record(store, record, current, way)
        tick(1)
    done = ids_of_entries(store)
    for entry in written_entries(original):
        if entry.id in done:
            continue
        with store.transaction():
            add_reference(store, original, int(entry.person or 0))
            add_entry(store, entry, _entry_back(entry, delete_created=delete_created))
    store.index()


def way_back(
    catalog: Catalog, record: Record, current: Existing | None, since: Since, *, delete_created: bool
) -> WayBack:
    """What is to be done with a record that the run has written, and that holds `current` now.

    An updated record gets its before-values back; a created one is only listed, or deleted with `delete_created`. What
    no longer holds what the run wrote, or what another run has delivered to since, is left alone.
    """
    if current is None:
        return NOTHING_LEFT if record.action == Action.CREATE else CONFLICT
    if current.keys() == {"id"}:
        return UNREADABLE
    if record.action == Action.UPDATE:
        return CONFLICT if since.is_overtaken else _values_back(catalog, record, current, since)
    if not delete_created:
        return LEFT_THERE
    return CONFLICT if since.is_used or _is_changed(catalog, record, current, since) else WayBack(Action.DELETE)


def _is_made(record: Record) -> bool:
    return record.action == Action.CREATE and record.status == Status.DONE and record.remote_id is not None


def _entry_back(entry: Entry, *, delete_created: bool) -> WayBack:
    if delete_created and entry.remote_id is not None:
        return WayBack(Action.DELETE)
    return WayBack(Action.UNCHANGED, Status.DONE, None if delete_created else Code.CREATED)


def _since(
    original: Store, ledger: Ledger, later: dict[int, list[Delivery]], record: Record, current: Existing | None
) -> Since:
    if current is None:
        return Since(is_used=False, is_overtaken=False, account_id=None)
    id = int(current["id"])
    return Since(
        _is_used(original, ledger, record, id),
        _is_overtaken(original, ledger, later, record, id),
        original.remote_id(record.account),
        original.remote_id(record.parent),
        _not_stored(original, ledger, record, id),
        frozenset(account.remote_id for account in original.accounts(record.companies).values() if account.remote_id),
    )


def _not_stored(original: Store, ledger: Ledger, record: Record, id: int) -> frozenset[str]:
    keys = _fingerprint_keys(original, record, id)
    known = {name: value for values in ledger.not_stored(keys).values() for name, value in values.items()}
    return frozenset(
        name
        for name, (_, after) in record.fields.items()
        if name in known and known[name] == value_fingerprint(record.desired.get(name, after))
    )


def _touched_since(original: Store, ledger: Ledger) -> set[int]:
    """The fingerprint keys of the updated records to which another run has delivered something since."""
    return {
        key
        for record in updated_records(original)
        if _is_used(original, ledger, record, record.remote_id)
        for key in _fingerprint_keys(original, record, record.remote_id)
    }


def _is_overtaken(original: Store, ledger: Ledger, later: dict[int, list[Delivery]], record: Record, id: int) -> bool:
    times = _history(original, ledger, record, id).times
    own, committed = {key for _, key in record.sources}, generation_of(original, record)
    deliveries = [
        delivery
        for key in _fingerprint_keys(original, record, id)
        for delivery in later.get(key, ())
        if delivery.generation > committed and not delivery.events <= own
    ]
    return any(
        times.get(name, 0) > time or any(delivery.times.get(name) == time for delivery in deliveries)
        for name, time in record.times.items()
        if name in record.fields
    )


def _is_used(original: Store, ledger: Ledger, record: Record, remote_id: int | None) -> bool:
    generation = _history(original, ledger, record, remote_id).generation
    return delivered_since(original, generation_of(original, record), generation)


def _fingerprint_keys(original: Store, record: Record, remote_id: int | None) -> list[int]:
    parent = original.remote_id(record.parent)
    return fingerprint_keys(record.kind, record.entity, remote_id, record.match_key, parent)


def _history(original: Store, ledger: Ledger, record: Record, remote_id: int | None) -> History:
    """What any run delivered of it; the id may only be known now, since bulk doesn't tell it."""
    return ledger.history(_fingerprint_keys(original, record, remote_id))


def _current(original: Store, reader: Reader, made: MadeUnnamed, record: Record, ended: datetime) -> Existing | None:
    """What the record holds, None where it is gone; one whose id isn't known is looked for as long as look-ups lag."""
    assert record.entity
    if record.remote_id is not None:
        return fetch(reader, record.entity, record.remote_id)
    contact = original.remote_id(record.parent)
    name = deal_name(record) if record.kind == "deal" else record.match_key
    matches = made.find(record.entity, name, contact) or _looked_up(reader, record)
    if not matches and _is_recent(record) and reader.wait_out_lag():
        matches = _looked_up(reader, record)
    found = fetch(reader, record.entity, int(matches[0]["id"])) if len(matches) == 1 else None
    return None if found is None or _is_anothers(found, contact, ended) else found


def _is_anothers(found: Existing, contact: int | None, ended: datetime) -> bool:
    """Whether somebody else has made what has the e-mail or name of a record: for another contact, or later."""
    owners = contacts_of(found)
    is_of_another = bool(contact and owners and contact not in owners)
    return is_of_another or instant(found, "created_at") > ended + CLOCKS


def _looked_up(reader: Reader, record: Record) -> list[Existing]:
    return [match for _, match in LookupFinder(reader).find((record.entity,), record.key)]


def _is_recent(record: Record) -> bool:
    """Whether look-ups may not find it yet."""
    sent_at = datetime.fromisoformat(record.claimed_at) if record.claimed_at else EARLIEST
    return abs((datetime.now(UTC) - sent_at).total_seconds()) < LAG_S


def _values_back(catalog: Catalog, record: Record, current: Existing, since: Since) -> WayBack:
    assert record.entity
    fields: dict[str, list[Any]] = {}
    links: list[dict[str, Any]] | None = None
    dropped: str | None = None
    not_taken = _not_taken(record, since)
    for name, (before, after) in record.fields.items():
        if name == "entity":
            continue
        if name == "sales_accounts":
            has, kept = _kept_links(record, current, set(after) - set(before), since.account_ids)
            if len(kept) < len(has):
                fields[name] = [[account.get("name") for account in has], [account.get("name") for account in kept]]
                links = [{"id": account["id"], "is_primary": bool(account.get("is_primary"))} for account in kept]
        elif name == "sales_account":
            linked = current.get("sales_account_id")
            if linked and linked == since.account_id:
                fields["sales_account_id"] = [linked, before]
        elif name == "contacts":
            if since.contact_id in (contacts_of(current) or ()):
                fields[name] = [after, before]
        else:
            field = field_of(catalog, record.entity, name)
            was_read = not silent(record.existing or {}, name)
            if was_read and same(current.get(name), before, field):
                continue
            was_dropped = name in not_taken and is_empty(current.get(name))
            if not was_read or not (was_dropped or _holds(name, current, after, field)):
                return CONFLICT
            fields[name] = [current.get(name), wire(field, before)]  # money is read as text
            if name == "email" and email_key(str(after)) not in addresses(record.existing or {}):
                dropped = after
            fields |= _followers_back(record, current, name)
    warnings = (Code.CONVERTED,) if "entity" in record.fields else ()
    if not fields:
        return WayBack(Action.UNCHANGED, Status.DONE, warnings=warnings)
    return WayBack(Action.UPDATE, fields=fields, links=links, dropped=dropped, warnings=warnings)


def _followers_back(record: Record, current: Existing, name: str) -> dict[str, list[Any]]:
    """What Freshsales has set anew as the run wrote this field, though the run didn't name it."""
    follower, had = FOLLOWS.get(name), record.existing or {}
    if follower is None or follower in record.fields or follower not in had or current.get(follower) == had[follower]:
        return {}
    return {follower: [current.get(follower), had[follower]]}


def _kept_links(
    record: Record, current: Existing, added: set[str], ids: frozenset[int]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The accounts that a contact has, and those of them that the run did not add: by their ids, where they are known.

    An account may be called otherwise than the events, or the run, had it.
    """
    had = {account["id"] for account in (record.existing or {}).get("sales_accounts") or []}
    has, names = current.get("sales_accounts") or [], {fold_name(name) for name in added}
    return has, [
        account
        for account in has
        if account["id"] in had or not (account["id"] in ids or fold_name(account.get("name")) in names)
    ]


def _holds(name: str, current: Existing, after: Any, field: Any) -> bool:
    if name == "email":
        return email_key(str(after)) == email_key(str(current.get(name)))
    return same(current.get(name), after, field) or rounded(current.get(name), after, field)


def _is_changed(catalog: Catalog, record: Record, current: Existing, since: Since) -> bool:
    """Whether a record that the run has made doesn't hold any more what it was made with."""
    assert record.entity
    made_at = current.get("created_at")
    is_as_made = bool(made_at) and made_at == current.get("updated_at")
    if is_as_made and record.remote_id is not None:
        return False
    apart = {*LINK_FIELDS, *_not_taken(record, since)}
    return any(
        not _holds(name, current, after, field_of(catalog, record.entity, name))
        for name, (_, after) in record.fields.items()
        # Where nobody has changed it, what is empty was not stored; but somebody else may have made it.
        if name not in apart and name in current and not (is_as_made and is_empty(current[name]))
    )


def _not_taken(record: Record, since: Since) -> set[str]:
    """The fields that Freshsales didn't take as they were sent, so that they never held what was wanted."""
    return set(since.not_stored) | fields_warned_of(record.warnings, Code.NOT_STORED, Code.LEFT_OUT)
