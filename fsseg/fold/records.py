"""What was folded is written down: one record per person, with the timeline entries that belong to it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

import orjson

from fsseg.fold.collect import Collector
from fsseg.fold.fold_partition import FoldedPartition, PlannedPerson, email_of, plan_person
from fsseg.fold.mended import Mended, MendedEntry
from fsseg.fold.merge import Part, State, fold, merge, merge_all, restore
from fsseg.mapping.intents import EVENT_EMAIL, EVENTS
from fsseg.mapping.timeline import entry_email
from fsseg.mapping.warning_counter import MappingWarning
from fsseg.segment.email_key import email_key
from fsseg.state.actions import Code, EventOutcome
from fsseg.state.daily_rollup import aggregate
from fsseg.state.fold_store import FoldStore
from fsseg.state.ledger import Ledger
from fsseg.state.ledger_format import signed
from fsseg.state.plan_store import PERSON_COLUMNS, Store
from fsseg.state.repeats import forget_repeats, keep_repeats, less_duplicates, repeats_of_unknown

AT_ONCE = 16
"""Partitions in one transaction: each costs a wait for the disk."""


def write_records(
    store: Store, collector: Collector, partitions: Iterable[FoldedPartition], edition: str, ledger: Ledger | None,
    mended: Mended | None = None, *, known_new: bool = False,
) -> None:  # fmt: skip
    """Make person records, one per e-mail, so that the input alone creates no duplicates, and tie the entries to them.

    Records come in the order of their e-mails within what was folded together. What is said of companies is kept as
    parts, for `fold.companies`. `known_new`: nobody will be asked which entries are there already.
    """
    writer = _Writer(FoldStore(store, known_new=known_new), edition, ledger)
    refused: set[int] = set()
    rest, more = iter(partitions), True
    while more:
        with store.transaction():
            more = False
            for folded in islice(rest, AT_ONCE):  # one at a time: each may be a good part of memory
                more = True
                writer.write(folded)
                _count(collector, folded)
                refused.update(key for *_, key in folded.refused)
                del folded
    store.index()
    repeats = collector.repeats
    if mended and (wanted := repeats.of(refused)):
        folded, taken = mended.fold(wanted)
        with store.transaction():
            writer.write_late(folded)
            _count(collector, folded)
        collector.counts.reasons[EventOutcome.SKIPPED, Code.DUPLICATE] -= taken
    with store.transaction():
        writer.stitch()
        writer.join_shared()
        unknown = writer.tie_loose()
    if mended and (wanted := repeats.of(unknown)):
        with store.transaction():
            taken = len(writer.write_mended(mended.entries(wanted)))
        collector.counts.reasons[EventOutcome.SKIPPED, Code.DUPLICATE] -= taken
    if repeats and not known_new:
        with store.transaction():
            keep_repeats(store, repeats)


def take_repeats_of_unknown(store: Store, mended: Mended, edition: str, ledger: Ledger, *, daily: bool) -> bool:
    """Plan entries of events that were left out as they repeat those of people whom nobody has, as matching has shown.

    Of each event key it is the first that is of somebody else. Whether there are any: they are to be matched, too.
    """
    wanted = repeats_of_unknown(store)
    if not wanted:
        return False
    with store.transaction():
        taken = _Writer(FoldStore(store), edition, ledger).write_mended(mended.entries(wanted))
        forget_repeats(store, (at for at, key in wanted.items() if key not in taken or at <= taken[key]))
        less_duplicates(store, len(taken))
        if daily:
            aggregate(store)
    return bool(taken)


def join_people(store: Store, edition: str, ids: list[int]) -> None:
    """Make one person of these, who are one in Freshsales: the first, to be looked for once more."""
    _Writer(FoldStore(store), edition, None).join(ids)


def _count(collector: Collector, folded: FoldedPartition) -> None:
    collector.counts.reasons.update((EventOutcome.REJECTED, code) for _, code, *_ in folded.refused)
    for warning, count in folded.warnings:
        collector.warnings.add((MappingWarning._make(warning),), count)


class _Writer:
    def __init__(self, store: FoldStore, edition: str, ledger: Ledger | None) -> None:
        self._store = store
        self._edition = edition
        self._ledger = ledger
        self._stitching = store.has_anonymous()

    def write(self, folded: FoldedPartition) -> None:
        """Write what one partition amounts to."""
        store, first = self._store, self._store.next_id()
        store.add_people(first, folded.people)
        store.add_states(first, folded.states)
        store.add_deals(first, folded.deals)
        store.add_companies(first, folded.companies)
        store.add_entries(first, folded.entries)
        store.add_loose_entries(folded.loose)
        for key, dumped in folded.unnamed:
            state = restore(orjson.loads(dumped))
            if key.startswith("?"):
                self._keep_anonymous(key, state[EVENTS])
            else:
                self._write_known(key, state)
        store.add_refused(call[:3] for call in folded.refused)
        store.add_ties(folded.ties)
        if self._stitching:
            store.add_identities(first, folded.people)

    def write_late(self, folded: FoldedPartition) -> None:
        """Write what came late of people who may have been written before."""
        self._store.index_keys()
        for (_, *columns), (_, dumped) in zip(folded.people, folded.states, strict=True):
            (key,) = orjson.loads(columns[PERSON_COLUMNS.index("keys")])
            state, id = restore(orjson.loads(dumped)), self._store.person_of(key)
            if id is not None:
                state = merge(restore(orjson.loads(self._store.told(id)[-1])), state)
                self._store.replace_people([id])
            else:
                id = self._store.next_id()
            person = plan_person(self._edition, email_of(key, state), [key], state)
            self._write_person(person, id)
            self._store.tie_key(key, id)
            if self._stitching:
                self._store.add_identities(id, [(0, *person.columns)])
        self._store.add_ties(folded.ties)

    def _write_known(self, key: str, state: State) -> None:
        """Write a person of whom no event tells an e-mail, if an earlier run or an entry tells it."""
        known = self._ledger.known(key) if self._ledger is not None else None
        if known is not None and known.email:
            self._write_person(plan_person(self._edition, email_key(known.email), [key], state))
        elif EVENTS in state and (email := state[EVENTS].cell(EVENT_EMAIL)):
            folded = email_key(email)
            self._write_person(plan_person(self._edition, folded, [f"@{folded}"], state))

    def _write_person(self, person: PlannedPerson, id: int | None = None) -> None:
        id = self._store.next_id() if id is None else id
        self._store.add_people(id, [(0, *person.columns)])
        self._store.add_states(id, [(0, person.state)])
        self._store.add_deals(id, [(0, *columns) for columns in person.deals])
        self._store.add_companies(id, [(0, *company) for company in person.companies])

    def stitch(self) -> None:
        """Give anonymous events to the person whom the next identify call with the same anonymousId names."""
        if not self._stitching:
            return
        self._store.stitch()
        for id, match_key, keys, dumped, events in self._store.stitched():
            state = restore(orjson.loads(dumped))
            for layer, source in map(orjson.loads, events):
                said = restore({EVENTS: [[layer], [source], layer[:2]]})
                state = merge(state, said)
            self._rewrite([id], match_key, orjson.loads(keys), state)

    def _keep_anonymous(self, key: str, part: Part) -> None:
        """Keep anonymous events until all identify calls are known, which say whose they are."""
        if self._stitching:
            sources = dict(part.sources)
            events = ((layer[0], orjson.dumps([layer, [layer[1], sources[layer[1]]]])) for layer in part.layers)
            self._store.keep_anonymous(key, events)

    def join_shared(self) -> None:
        """Make one record of those with the same e-mail: the first, with everything that was said of any of them."""
        for match_key, rows in self._store.shared_emails():
            keys = sorted({key for _, keys, _ in rows for key in orjson.loads(keys)})
            self._rewrite([id for id, _, _ in rows], match_key, keys, _merged(dumped for _, _, dumped in rows))

    def join(self, ids: list[int]) -> None:
        """Make one record of these people, with everything that was said of any of them."""
        told = [self._store.told(id) for id in ids]
        match_key, keys = told[0][0], sorted({key for _, keys, *_ in told for key in keys})
        self._replace(ids, match_key, keys, _merged(dumped for *_, dumped in told))
        if any(by_email for *_, by_email, _ in told):
            self._store.mark_by_email(ids[0])

    def _rewrite(self, ids: list[int], match_key: str, keys: list[str], state: State) -> None:
        """Make one record of these, which is the first."""
        self._replace(ids, match_key, keys, state)
        if len(keys) > 1:
            self._store.warn(ids[0], Code.SHARED_EMAIL)

    def _replace(self, ids: list[int], match_key: str, keys: list[str], state: State) -> None:
        self._store.replace_people(ids)
        self._write_person(plan_person(self._edition, match_key, keys, state), ids[0])

    def tie_loose(self) -> set[int]:
        """Tie the other entries to somebody, by the order of the destination's rules; the event keys of what is left.

        An identify of the same userId in an earlier run (the ledger), then the e-mail that came with the event. Who is
        only pointed at gets a record with the action `reference`. What is tied to nobody keeps `person` null.
        """
        unknown: set[int] = set()
        for (key, email), entries in self._store.loose_entries():
            pointer = pointer_of(key, email, self._ledger)
            if pointer is not None:
                self._store.tie([id for id, _ in entries], self._pointed_at(pointer))
            else:
                unknown.update(event for _, event in entries)
        return unknown

    def write_mended(self, entries: Iterable[MendedEntry]) -> dict[int, int]:
        """Write the first entry of each event key of which it is known whose it is; the positions of these, by key."""
        taken: dict[int, int] = {}
        self._store.index_keys()
        for (key, position, time, event, traits, payload), parts in entries:
            if event in taken:
                continue
            person = self._store.person_of(key)
            if person is None and (pointer := pointer_of(key, entry_email(traits, payload), self._ledger)):
                person = self._pointed_at(pointer)
            if person is None or self._store.is_unknown(person):
                continue
            taken[event] = position
            if parts:
                self._tell(person, fold([(time, position, event, parts)]))
            self._store.add_entries(0, [(person, time, position, signed(event), payload)])
        return taken

    def _tell(self, person: int, state: State) -> None:
        """Add this to what is wanted of a person who was written before."""
        match_key, keys, by_email, earlier = self._store.told(person)
        self._rewrite([person], match_key, keys, merge(restore(orjson.loads(earlier)), state))
        if by_email:
            self._store.mark_by_email(person)

    def _pointed_at(self, pointer: Pointer) -> int:
        person = self._store.person(pointer.match_key)
        if person is None and (former := self._store.formerly(pointer.match_key)):
            return former
        if person is None:
            columns = plan_person(self._edition, pointer.match_key, [pointer.key], {}).columns
            return self._store.add_reference(columns, pointer.name, by_email=pointer.by_email)
        if pointer.key.startswith("@"):
            self._store.mark_by_email(person)
        return person


def _merged(dumps: Iterable[bytes]) -> State:
    """Everything that was said in these states."""
    return merge_all(restore(orjson.loads(dumped)) for dumped in dumps)


class Pointer(NamedTuple):
    """Whom an entry points at: the key that it came with, what that person is matched by, and goes by."""

    key: str
    match_key: str
    name: str
    by_email: bool


def pointer_of(key: str, email: str | None, ledger: Ledger | None) -> Pointer | None:
    """Whom an entry with this key and e-mail belongs to, as far as anything tells it."""
    if key.startswith("?"):
        return None
    known = ledger.known(key) if ledger is not None else None
    if key.startswith("@"):
        email = key[1:]
    elif known is not None:
        email = known.email or email
    if not email and known is None:
        return None
    return Pointer(key, email_key(email) if email else key, email or key, bool(email) and known is None)
