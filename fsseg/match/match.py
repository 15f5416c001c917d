"""Match: for every planned person, account and deal, what Freshsales holds today, and which kind of record it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

import orjson

from fsseg.fold.desired import Shaped, fields_for, latest_company, shape, times_for, wants_contact
from fsseg.fold.merge import PERSON, State, dump, merge, restore
from fsseg.fold.people import COMPANY
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Reader
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.intents import OF_COMPANY
from fsseg.mapping.names import fold_name
from fsseg.match.deals import DealFinder
from fsseg.match.finders import Finder, fetch
from fsseg.match.mirror import Mirror
from fsseg.match.remote_record import Existing, flatten, keep, lacks, updated
from fsseg.match.strategy import choose
from fsseg.state.fingerprint import places
from fsseg.state.ledger import Ledger
from fsseg.state.plan_store import REFERENCE, Record, Store, encode
from fsseg.state.wanted_keys import CONVERT

Tick = Callable[[int], None]


@dataclass(frozen=True)
class Matching:
    """What matching needs. `reader` is None offline: then who and what is there is taken from the ledger."""

    store: Store
    catalog: Catalog
    reader: Reader | None
    ledger: Ledger | None
    mirror: Mirror | None
    how: Literal["segment", "email"]
    id_field: str | None = None
    convert_leads: bool = False
    say: Callable[[str], None] = lambda text: None
    tick: Tick = lambda people: None
    anew: bool = False
    """Whether some were matched before: then their deals may be there already."""


def match(work: Matching) -> None:
    """Fill in entity, desired, existing, remote id and warnings of all records; make those of accounts and deals.

    Raises the client's errors; what was matched before stays in the store, so that matching again goes on.
    """
    _match_people(work)
    _settle_accounts(work)
    _match_accounts(work)
    _match_deals(work)


@dataclass
class _Found:
    entity: Entity
    existing: Existing | None
    warnings: list[str]
    siblings: list[int]
    conflict: bool = False
    convert: bool = False
    """`existing` is a lead that becomes a contact."""


def _match_people(work: Matching) -> None:
    todo = "kind = 'person' AND entity IS NULL"
    questions = work.store.count("record", todo)
    entities: tuple[Entity, ...] = ("lead", "contact") if work.catalog.edition == "classic" else ("contact",)
    finder = choose(work.reader, work.mirror, entities, questions, work.say) if work.reader else None
    page: list[Record] = []
    for record in work.store.records(todo):
        page.append(record)
        if len(page) == 100:
            _match_page(work, finder, entities, page)
            page = []
    _match_page(work, finder, entities, page)


def _match_page(work: Matching, finder: Finder | None, entities: tuple[Entity, ...], page: list[Record]) -> None:
    """Ask first, write afterwards: no transaction stays open while the network is waited for."""
    if finder is not None:
        finder.prefetch(entities, [record.key for record in page if "@" in record.key])
    found = [(record, *_find_person(work, finder, entities, record)) for record in page]
    with work.store.transaction():
        for record, state, person in found:
            _write_person(work, record, state, person)
    work.tick(len(page))


def _find_person(
    work: Matching, finder: Finder | None, entities: tuple[Entity, ...], record: Record
) -> tuple[State, _Found]:
    state = restore(record.state)
    new: Entity = "contact" if work.catalog.edition == "suite" or wants_contact(state) else "lead"
    if finder is None:
        person = _remembered(work, entities, record, new)
    elif _by_id(work, record):
        person = _segment(work, finder, entities, record, new)
    else:
        person = _email(work, finder, entities, record, new)
    if person.existing is not None:
        stays_lead = person.entity == "lead" and wants_contact(state)
        person.convert = stays_lead and work.convert_leads
        if stays_lead and not person.convert:
            person.warnings.append("is_lead")
        shaped = shape("contact" if person.convert else person.entity, state)
        wanted = [*shaped.desired, *(["sales_accounts"] if shaped.companies and not person.convert else [])]
        person.existing = _complete(work, person.entity, person.existing, wanted)
        person.entity = "contact" if person.convert else person.entity
    return state, person


def _by_id(work: Matching, record: Record) -> bool:
    return work.how == "segment" and not record.by_email


def _remembered(work: Matching, entities: tuple[Entity, ...], record: Record, new: Entity) -> _Found:
    """Who an earlier run found or made; of what that record holds nothing but the e-mail is known."""
    by_email = None if work.ledger is None or _by_id(work, record) else work.ledger.known_by_email(record.match_key)
    for known in (by_email, *map(work.ledger.known, record.keys)) if work.ledger else ():
        if known is not None and known.entity in entities:
            email = {"email": known.email, "emails": [known.email]} if known.email else {}
            return _Found(known.entity, {"id": known.remote_id, **email}, [], [])
    return _Found(new, None, [], [])


def _segment(work: Matching, finder: Finder, entities: tuple[Entity, ...], record: Record, new: Entity) -> _Found:
    """A database id: the record made for that id before, else a new one beside whoever has the same e-mail."""
    for entity, existing in _known(work, finder, entities, record):
        return _Found(entity, existing, [], [])
    siblings = [] if record.action == REFERENCE else list(finder.find(entities, record.key))
    taken = new == "contact" and any(entity == "contact" for entity, _ in siblings)
    warnings = ["email_exists"] if siblings else []
    return _Found(new, None, warnings, [int(existing["id"]) for _, existing in siblings], conflict=taken)


def _email(work: Matching, finder: Finder, entities: tuple[Entity, ...], record: Record, new: Entity) -> _Found:
    """The e-mail says who it is; failing that, the record that an earlier run made for the same id."""
    found = list(finder.find(entities, record.key)) or list(_known(work, finder, entities, record))
    if not found:
        return _Found(new, None, [], [])
    if len(found) > 1:
        found = [(entity, _complete(work, entity, existing, ["updated_at"])) for entity, existing in found]
        found.sort(key=lambda one: (one[0] == "contact", updated(one[1])), reverse=True)
    entity, existing = found[0]
    return _Found(
        entity, existing, ["duplicate_person"] if len(found) > 1 else [], [int(e["id"]) for _, e in found[1:]]
    )


def _known(
    work: Matching, finder: Finder, entities: tuple[Entity, ...], record: Record
) -> list[tuple[Entity, Existing]]:
    for key in record.keys:
        known = work.ledger.known(key) if work.ledger else None
        if known is not None and known.entity in entities:
            if known.remote_id is not None:
                existing = finder.get(known.entity, known.remote_id)
                found = [] if existing is None else [(known.entity, existing)]
            else:
                found = list(finder.find((known.entity,), known.email or ""))[:1]
            if found:
                return found
        if work.id_field and work.reader and key.startswith("#"):
            for entity, rows in work.reader.lookup(key[1:], work.id_field, entities).items():
                for row in rows:
                    return [(entity, flatten(entity, row))]
    return []


def _complete(work: Matching, entity: Entity, existing: Existing, wanted: list[str]) -> Existing:
    """`existing` with every wanted field: rows of views and searches leave some out, which is not the same as empty."""
    if work.reader is None or not lacks(existing, wanted):
        return existing
    whole = fetch(work.reader, entity, int(existing["id"]))
    return existing if whole is None else whole


def _write_person(work: Matching, record: Record, state: State, person: _Found) -> None:
    shaped = shape(person.entity, state)
    desired: dict[str, Any] = dict(shaped.desired)
    if shaped.companies:
        desired["$accounts"] = [name.removeprefix(COMPANY) for name in shaped.companies]
    _write_companies(work, state, shaped)
    _write_deals(work, record, state, person.entity, shaped)
    nested = [] if person.entity == "contact" else [name for name in state if name != PERSON]
    sources = sorted({tuple(source) for name in (PERSON, *nested) if name in state for source in state[name].sources})
    extra = ["sales_accounts"] if shaped.companies else []
    if person.convert and person.existing:
        desired[CONVERT] = person.existing["id"]
    create_stage = None if person.existing or record.action == REFERENCE else wants_contact(state)
    work.store.update(
        "record",
        record.id,
        entity=person.entity,
        times=shaped.times,
        sources=[list(source) for source in sources],
        desired=desired if create_stage is None else {**desired, "$contact": create_stage},
        existing=None if person.existing is None else keep(person.existing, [*shaped.desired, *extra]),
        remote_id=person.existing["id"] if person.existing and not person.convert else None,
        warnings=record.warnings + person.warnings,
        siblings=person.siblings,
        action="conflict" if person.conflict else record.action,
        code="email_exists" if person.conflict else None,
    )


def _write_companies(work: Matching, state: State, shaped: Shaped) -> None:
    """What is said of the contact's companies is put to what others say of them, unless they are planned already."""
    work.store.db.executemany(
        "INSERT INTO fragment SELECT ?, ? WHERE NOT EXISTS"
        " (SELECT 1 FROM record WHERE kind = 'account' AND match_key = ?)",
        ((name, orjson.dumps(dump({name: state[name]})), name.removeprefix(COMPANY)) for name in shaped.companies),
    )


def _write_deals(work: Matching, record: Record, state: State, entity: str, shaped: Shaped) -> None:
    """One record per deal of the contact; those that are planned already stay."""
    latest = latest_company(state) if shaped.deals else None
    db = work.store.db
    known: set[str] = set()
    if work.anew:
        if entity == "lead":  # which holds its own
            db.execute("DELETE FROM record WHERE parent = ? AND status = 'planned'", (record.id,))
        known = {key for (key,) in db.execute("SELECT match_key FROM record WHERE parent = ?", (record.id,))}
    for name in shaped.deals:
        match_key = name.partition(":")[2]
        if match_key in known:
            continue
        deal = fields_for(entity, state[name])
        if company := state[name].cell(OF_COMPANY) or latest:
            deal["$account"] = company.removeprefix(COMPANY)
        db.execute(
            "INSERT INTO record (kind, entity, key, match_key, parent, desired, times, sources)"
            " VALUES ('deal', 'deal', ?, ?, ?, ?, ?, ?)",
            (deal.get("name") or "", match_key, record.id, encode(deal), encode(times_for(entity, state[name])),
             encode(state[name].sources)),
        )  # fmt: skip


def _settle_accounts(work: Matching) -> None:
    """One record per company name, whoever spoke of it."""
    with work.store.transaction() as db:
        rows = db.execute("SELECT key, state FROM fragment WHERE key >= 'company:' AND key < 'company;' ORDER BY key")
        for key, group in groupby(rows, key=lambda row: row[0]):
            state: State = {}
            for _, plain in group:
                state = merge(state, restore(orjson.loads(plain)))
            part = state[key]
            desired = fields_for("contact", part)
            db.execute(
                "INSERT INTO record (kind, entity, key, match_key, desired, times, sources)"
                " VALUES ('account', 'account', ?, ?, ?, ?, ?)",
                (desired.get("name") or "", key.removeprefix(COMPANY), encode(desired),
                 encode(times_for("contact", part)), encode(part.sources)),
            )  # fmt: skip
        db.execute("DELETE FROM fragment WHERE key >= 'company:' AND key < 'company;'")


def _recall(work: Matching, kind: str) -> None:
    """Offline: the accounts, or deals, of which something was delivered are there; what they hold isn't known."""
    for record in work.store.records("kind = ? AND action IS NULL", (kind,)):
        parent = work.store.record(record.parent).remote_id if record.parent else None
        if _delivered(work, record, parent):
            _write_existing(work, record, {"id": None})


def _delivered(work: Matching, record: Record, parent: int | None) -> bool:
    """Whether something was delivered of this account, or of this deal of a contact."""
    known = places(record.kind, record.kind, None, record.match_key, parent)
    return work.ledger is not None and work.ledger.history(known).generation > 0


def _match_accounts(work: Matching) -> None:
    if work.reader is None:
        _recall(work, "account")
        return
    todo = "kind = 'account' AND action IS NULL AND existing IS NULL"
    finder = choose(work.reader, work.mirror, ("account",), work.store.count("record", todo), work.say)
    for record in list(work.store.records(todo)):
        found = [
            one for _, one in finder.find(("account",), record.key) if fold_name(one.get("name")) == record.match_key
        ]
        if found:
            existing = _complete(work, "account", max(found, key=updated), list(record.desired))
            _write_existing(work, record, existing)


def _match_deals(work: Matching) -> None:
    """A deal is known by its name among the deals of its contact; a new contact has none."""
    if work.reader is None:
        _recall(work, "deal")
        return
    contacts = "SELECT id FROM record WHERE entity = 'contact' AND remote_id IS NOT NULL"
    todo = f"kind = 'deal' AND action IS NULL AND parent IN ({contacts})"
    finder = DealFinder(work.reader, work.store.parents(todo), work.say)
    for record in list(work.store.records(todo, order="parent, id")):
        contact = int(work.store.record(int(record.parent or 0)).remote_id or 0)
        found = finder.find(contact, record.match_key, made=_delivered(work, record, contact))
        if found:
            wanted = [name for name in record.desired if not name.startswith("$")]
            existing = _complete(work, "deal", max(found, key=updated), [*wanted, "sales_account_id"])
            _write_existing(work, record, existing)


def _write_existing(work: Matching, record: Record, existing: Existing) -> None:
    wanted = [name for name in record.desired if not name.startswith("$")]
    extra = ["sales_account_id"] if record.kind == "deal" else []
    work.store.update("record", record.id, existing=keep(existing, [*wanted, *extra]), remote_id=existing["id"])
