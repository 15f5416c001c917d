"""Match people: for each, what Freshsales holds today, and so whether it is a lead or a contact."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import orjson
from msgspec import Struct, field

from fsseg.fold.desired import COMPANY, DesiredPerson, desired_person
from fsseg.fold.fold_partition import company_parts, deal_columns, desired_columns
from fsseg.fold.merge import State, restore
from fsseg.fold.records import join_people
from fsseg.freshsales.names import Entity
from fsseg.freshsales.sizes import PAGE_SIZE
from fsseg.match.finders import Finder, Found
from fsseg.match.matching import Matching
from fsseg.match.one_record import sibling, since_moved, whose_it_is
from fsseg.match.remote_record import Existing, keep, updated
from fsseg.match.strategy import TO_CHOOSE
from fsseg.state.actions import Action, Code, Status
from fsseg.state.company_rows import add_companies, add_records, deals_of, forget_deals
from fsseg.state.match_queue import (
    TO_MATCH,
    count_unmatched_people,
    match_everybody,
    people_of_one_record,
    unmatched_people,
)
from fsseg.state.plan_store import Record, encode

AT_ONCE = 500
"""People that are written together where nobody is asked; else as many as a filtered search takes."""


class _Match(Struct):
    """Who a person is. `existing` may be a lead that becomes a contact: then it `converts`."""

    entity: Entity
    existing: Existing | None = None
    warnings: list[Code] = field(default_factory=list)
    siblings: list[int] = field(default_factory=list)
    conflict: bool = False
    converts: bool = False


def match_people(work: Matching) -> None:
    """Fill in entity, existing, remote id and warnings of every person; what is wanted of it as that kind of record.

    Raises the client's errors; what was matched before stays in the store, so that matching again goes on.
    """
    questions = count_unmatched_people(work.store)
    finder = work.finder(work.people, questions)
    if finder.knows_nobody and not work.anew:
        match_everybody(work.store)
        work.tick(questions)
        return
    size = PAGE_SIZE if finder.sees_all else AT_ONCE
    for page in unmatched_people(work.store, size):
        _match_page(work, finder, page)
    if not work.anew:
        with work.store.transaction():
            for people in people_of_one_record(work.store):
                _part(work, people)
        for page in unmatched_people(work.store, size):
            _match_page(work, finder, page)


def _part(work: Matching, people: list[Record]) -> None:
    """Leave the record to one person, which several of these may be, and plan the others as new."""
    same = whose_it_is(work, people)
    others = [(record, _Match(_new(work, record), siblings=sibling(record))) for record in people if record not in same]
    reshaped = _reshaped(work, others)
    work.store.update_records(_COLUMNS, (_columns(record, match, reshaped) for record, match in others))
    _write_reshaped(work, reshaped)
    if len(same) > 1:
        join_people(work.store, work.catalog.edition, [record.id for record in same])


def _match_page(work: Matching, finder: Finder, page: list[Record]) -> None:
    """Ask first, write afterwards: no transaction stays open while the network is waited for."""
    with nullcontext() if work.reader is None else work.reader.whole(TO_MATCH * len(page) + TO_CHOOSE):
        finder.prefetch(work.people, [record.key for record in page if "@" in record.key])
        matches = [(record, _find_person(work, finder, record)) for record in page]
        reshaped = _reshaped(work, matches)
        for record, match in matches:
            _complete(work, finder, record, match, reshaped)
    store = work.store
    with store.transaction():
        store.update_records(_COLUMNS, (_columns(record, match, reshaped) for record, match in matches))
        _write_reshaped(work, reshaped)
    work.tick(len(page))


def _new(work: Matching, record: Record) -> Entity:
    """What kind of record is made of a person."""
    return "contact" if work.catalog.edition == "suite" or record.asks_contact else "lead"


def _find_person(work: Matching, finder: Finder, record: Record) -> _Match:
    new = _new(work, record)
    by_id = work.match_mode == "segment" and not record.by_email
    match = (_by_id if by_id else _by_email)(work, finder, record, new)
    if match.existing is not None and match.entity == "lead" and record.asks_contact:
        if work.convert_leads:
            match.entity, match.converts = "contact", True
        else:
            match.warnings.append(Code.IS_LEAD)
    return match


def _by_id(work: Matching, finder: Finder, record: Record, new: Entity) -> _Match:
    """A database id: the record made for that id before, else a new one beside whoever has the same e-mail."""
    for entity, existing in _known(work, finder, record):
        return _Match(entity, existing)
    siblings = (
        list(finder.find(work.people, record.key)) if finder.sees_all and record.action != Action.REFERENCE else []
    )
    taken = new == "contact" and any(entity == "contact" for entity, _ in siblings)
    warnings = [Code.EMAIL_EXISTS] if siblings else []
    return _Match(new, None, warnings, [int(existing["id"]) for _, existing in siblings], conflict=taken)


def _by_email(work: Matching, finder: Finder, record: Record, new: Entity) -> _Match:
    """The e-mail says who it is; failing that, the record that an earlier run made for the same id.

    Entries by an address that nobody has are of who had it before.
    """
    found = since_moved(work, finder, record)
    found = found or list(finder.find(work.people, record.key)) or _known(work, finder, record)
    if not found and record.action == Action.REFERENCE and (known := work.ledger.formerly(record.match_key)):
        found = finder.recall(known)
    if not found:
        return _Match(new)
    if len(found) > 1:
        found = [(entity, finder.complete(entity, existing, ["updated_at"])) for entity, existing in found]
        found.sort(key=lambda one: (one[0] == "contact", updated(one[1])), reverse=True)
    (entity, existing), *others = found
    return _Match(
        entity, existing, [Code.DUPLICATE_PERSON] if others else [], [int(other["id"]) for _, other in others]
    )


def _known(work: Matching, finder: Finder, record: Record) -> list[Found]:
    for key in record.keys:
        known = work.ledger.known(key)
        if known is not None and known.entity in work.people and (found := finder.recall(known)):
            return found
        if work.id_field and key.startswith("#"):
            for one in finder.by_field(work.people, work.id_field, key[1:]):
                return [one]
    return []


Reshaped = dict[int, tuple[State, DesiredPerson]]
"""By record id, what is wanted of people who are the other kind of record than the events ask for."""


def _reshaped(work: Matching, matches: list[tuple[Record, _Match]]) -> Reshaped:
    entities = {record.id: match.entity for record, match in matches if match.entity != record.entity}
    states = work.store.states(list(entities)) if entities else {}
    restored = {id: restore(orjson.loads(states.get(id, b"{}"))) for id in entities}
    return {id: (state, desired_person(entities[id], state)) for id, state in restored.items()}


def _complete(work: Matching, finder: Finder, record: Record, match: _Match, reshaped: Reshaped) -> None:
    """Read what is wanted of who is there."""
    if match.existing is None:
        return
    desired, companies = record.desired, record.companies
    if record.id in reshaped:
        desired, companies = reshaped[record.id][1].desired, reshaped[record.id][1].companies
    wanted = [*desired, *work.needed, *(["sales_accounts"] if companies and not match.converts else [])]
    entity: Entity = "lead" if match.converts else match.entity
    existing = finder.complete(entity, match.existing, wanted)
    kept = keep(existing, [*desired, *(["sales_accounts"] if companies else [])])
    match.existing = kept


_COLUMNS = (
    "entity", "matched", "existing", "remote_id", "converts", "warnings", "siblings", "action", "status", "code"
)  # fmt: skip


def _columns(record: Record, match: _Match, reshaped: Reshaped) -> tuple[Any, ...]:
    existing, warnings = match.existing, record.warnings
    if record.id in reshaped:  # the other kind of record takes other values
        warnings = [warning for warning in warnings if isinstance(warning, str)] + reshaped[record.id][1].misfits
    id = existing["id"] if existing else None
    return (
        match.entity,
        True,
        None if existing is None else encode(existing),
        None if match.converts else id,
        id if match.converts else None,
        encode(warnings + match.warnings),
        encode(match.siblings),
        Action.CONFLICT if match.conflict else record.action,
        Status.FAILED if match.conflict else record.status,
        Code.EMAIL_EXISTS if match.conflict else None,
        record.id,
    )


def _write_reshaped(work: Matching, reshaped: Reshaped) -> None:
    """Write what is wanted of them now: a contact's deals and companies are records, a lead holds its own."""
    if not reshaped:
        return
    store = work.store
    rows = ((*desired_columns(person), id) for id, (_, person) in reshaped.items())
    store.update_records(("desired", "times", "sources", "companies"), rows)
    forget_deals(store, list(reshaped))
    planned = deals_of(store, list(reshaped))
    add_records(
        store,
        "deal",
        ("parent", "key", "match_key", "companies", "desired", "times", "sources", "warnings"),
        (
            (id, *columns)
            for id, (_, person) in reshaped.items()
            for columns in deal_columns(person)
            if (id, columns[1]) not in planned
        ),
    )
    told = (
        (name, name.removeprefix(COMPANY), id, part)
        for id, (state, person) in reshaped.items()
        for name, part in company_parts(person, state)
    )
    add_companies(store, told)
