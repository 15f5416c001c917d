"""Match: for every planned person, account and deal, what Freshsales holds today, and which kind of record it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import orjson

from fsseg.fold.desired import Shaped, fields_for, latest_company, shape, wants_contact
from fsseg.fold.merge import PERSON, State, dump, restore
from fsseg.fold.people import COMPANY
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Reader
from fsseg.freshsales.sizes import PAGE_SIZE
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

AT_ONCE = 500
"""People that are written together where nobody is asked; else as many as a filtered search takes."""


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


@dataclass
class _Found:
    entity: Entity
    existing: Existing | None
    warnings: list[str]
    siblings: list[int]
    conflict: bool = False
    convert: bool = False
    """`existing` is a lead that becomes a contact."""


def match_people(work: Matching) -> None:
    """Fill in entity, desired, existing, remote id and warnings of every person; make the records of their deals.

    What they say of companies is kept as parts (see `fold.companies`). Raises the client's errors; what was matched
    before stays in the store, so that matching again goes on.
    """
    todo = "kind = 'person' AND entity IS NULL"
    questions = work.store.count("record", todo)
    entities: tuple[Entity, ...] = ("lead", "contact") if work.catalog.edition == "classic" else ("contact",)
    finder = choose(work.reader, work.mirror, entities, questions, work.say) if work.reader else None
    for page in work.store.pages(todo, size=PAGE_SIZE if finder else AT_ONCE):
        _match_page(work, finder, entities, page)


def _match_page(work: Matching, finder: Finder | None, entities: tuple[Entity, ...], page: list[Record]) -> None:
    """Ask first, write afterwards: no transaction stays open while the network is waited for."""
    if finder is not None:
        finder.prefetch(entities, [record.key for record in page if "@" in record.key])
    store = work.store
    states = store.states([record.id for record in page])
    people = [
        _planned(record, state, _find_person(work, finder, entities, record, state))
        for record in page
        for state in (restore(orjson.loads(states.get(record.id, b"{}"))),)
    ]
    with store.transaction():
        store.update_all("record", _MATCHED, (person.columns for person in people))
        store.add_parts((name, name.removeprefix(COMPANY), orjson.dumps(dump(state)))
                        for person in people for name, state in person.companies)  # fmt: skip
        _write_deals(work, [person for person in people if person.deals or work.anew])
    work.tick(len(page))


def _find_person(
    work: Matching, finder: Finder | None, entities: tuple[Entity, ...], record: Record, state: State
) -> _Found:
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
    return person


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
                if not found and work.reader and work.reader.wait_out_lag():
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
    return existing if whole is None else existing | whole


_MATCHED = (
    "entity", "times", "sources", "desired", "existing", "remote_id", "warnings", "siblings", "action", "code"
)  # fmt: skip


class _Planned(NamedTuple):
    """What is to be written of a matched person: `_MATCHED` and the id, the companies, and the deals."""

    id: int
    entity: str
    columns: tuple[Any, ...]
    companies: list[tuple[str, State]]
    deals: list[tuple[Any, ...]]


def _planned(record: Record, state: State, person: _Found) -> _Planned:
    shaped = shape(person.entity, state)
    desired: dict[str, Any] = dict(shaped.desired)
    extra = []
    if shaped.companies:
        desired["$accounts"] = [name.removeprefix(COMPANY) for name in shaped.companies]
        extra = ["sales_accounts"]
    if person.convert and person.existing:
        desired[CONVERT] = person.existing["id"]
    create_stage = None if person.existing or record.action == REFERENCE else wants_contact(state)
    if create_stage is not None:
        desired["$contact"] = create_stage
    columns = (
        person.entity,
        encode(shaped.times),
        encode(_sources(state, person.entity)),
        encode(desired),
        None if person.existing is None else encode(keep(person.existing, [*shaped.desired, *extra])),
        person.existing["id"] if person.existing and not person.convert else None,
        encode(record.warnings + person.warnings),
        encode(person.siblings),
        "conflict" if person.conflict else record.action,
        "email_exists" if person.conflict else None,
        record.id,
    )
    companies = [(name, {name: state[name]}) for name in shaped.companies]
    return _Planned(record.id, person.entity, columns, companies, _deals(record, state, person.entity, shaped))


def _sources(state: State, entity: str) -> list[tuple[int, int]]:
    """The events that say something of the record; what a contact's companies and deals have are their own."""
    names = [PERSON] if entity == "contact" else list(state)
    parts = [state[name].sources for name in names if name in state]
    return parts[0] if len(parts) == 1 else sorted({source for part in parts for source in part})


def _deals(record: Record, state: State, entity: str, shaped: Shaped) -> list[tuple[Any, ...]]:
    """The rows of the contact's deals."""
    latest = latest_company(state) if shaped.deals else None
    rows = []
    for name in shaped.deals:
        deal, times = fields_for(entity, state[name])
        if company := state[name].cell(OF_COMPANY) or latest:
            deal["$account"] = company.removeprefix(COMPANY)
        rows.append((
            deal.get("name") or "", name.partition(":")[2], record.id, encode(deal), encode(times),
            encode(state[name].sources),
        ))  # fmt: skip
    return rows


def _write_deals(work: Matching, people: list[_Planned]) -> None:
    """One record per deal of each contact; those that are planned already stay."""
    known: set[tuple[int, str]] = set()
    if work.anew:
        work.store.forget_deals([person.id for person in people if person.entity == "lead"])  # which holds its own
        known = work.store.deals_of([person.id for person in people])
    rows = (row for person in people for row in person.deals if (person.id, row[1]) not in known)
    work.store.add_records("deal", ("key", "match_key", "parent", "desired", "times", "sources"), rows)


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


def match_accounts(work: Matching) -> None:
    """Fill in what there is of every account. Raises as `match_people`."""
    if work.reader is None:
        _recall(work, "account")
        return
    todo = "kind = 'account' AND action IS NULL AND existing IS NULL"
    finder = choose(work.reader, work.mirror, ("account",), work.store.count("record", todo), work.say)
    for record in list(work.store.records(todo)):
        found = [
            one for _, one in finder.find(("account",), record.key) if fold_name(one.get("name")) == record.match_key
        ]
        if not found and _delivered(work, record, None) and work.reader.wait_out_lag():
            found = [one for _, one in finder.find(("account",), record.key)
                     if fold_name(one.get("name")) == record.match_key]  # fmt: skip
        if found:
            existing = _complete(work, "account", max(found, key=updated), list(record.desired))
            _write_existing(work, record, existing)


def match_deals(work: Matching) -> None:
    """Fill in what there is of every deal: it is known by its name among the deals of its contact.

    Raises as `match_people`.
    """
    if work.reader is None:
        _recall(work, "deal")
        return
    contacts = "SELECT id FROM record WHERE entity = 'contact' AND remote_id IS NOT NULL"
    todo = f"kind = 'deal' AND action IS NULL AND parent IN ({contacts})"
    finder = DealFinder(work.reader, work.store.parents(todo), work.say)
    for record in list(work.store.records(todo, order="parent, id")):
        contact = int(work.store.record(int(record.parent or 0)).remote_id or 0)
        found = finder.find(
            contact,
            record.match_key,
            made=_delivered(work, record, contact),
            account=work.store.account_id(record.desired.get("$account")),
        )
        if found:
            wanted = [name for name in record.desired if not name.startswith("$")]
            existing = _complete(work, "deal", max(found, key=updated), [*wanted, "sales_account_id"])
            _write_existing(work, record, existing)


def _write_existing(work: Matching, record: Record, existing: Existing) -> None:
    wanted = [name for name in record.desired if not name.startswith("$")]
    extra = ["sales_account_id"] if record.kind == "deal" else []
    work.store.update("record", record.id, existing=keep(existing, [*wanted, *extra]), remote_id=existing["id"])
