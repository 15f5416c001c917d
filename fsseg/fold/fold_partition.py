"""A partition's rows become planned people, with their deals, companies and timeline entries. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from fsseg.fold.desired import COMPANY, DesiredPerson, asks_contact, desired_person
from fsseg.fold.group import WHEN, Emails, RefusedCall, by_key, contributions
from fsseg.fold.merge import PERSON, State, dump, fold, merge
from fsseg.fold.partitions import Row
from fsseg.fold.shared_ids import entries_by_email, shared_ids, states_by_email
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.timeline import entry_email
from fsseg.mapping.warning_counter import MappingWarning, WarningCounter
from fsseg.segment.email_key import email_key
from fsseg.segment.json_codec import compact
from fsseg.state.actions import Action
from fsseg.state.ledger_format import signed
from fsseg.state.plan_store import PERSON_COLUMNS, encode

Columns = tuple[Any, ...]


class FoldedPartition(NamedTuple):
    """What a partition amounts to, as plain values, which are soon carried from process to process.

    Rows are as `state.fold_store` takes them: each begins with the index of the person whom it is about, or None.
    `people` come by e-mail and key; `loose` are entries of those who aren't among them. `unnamed` are those of whom no
    event tells an e-mail: key and state. `warnings` are code, name, hint and how often. `ties` are an id, or e-mail,
    and another one of the same person.
    """

    people: list[Columns]
    states: list[tuple[int, bytes]]
    deals: list[Columns]
    companies: list[tuple[int | None, str, bytes]]
    unnamed: list[tuple[str, bytes]]
    entries: list[Columns]
    loose: list[Columns]
    refused: list[RefusedCall]
    warnings: list[tuple[tuple[str, str, str], int]]
    ties: list[tuple[str, str]]


class Merged(NamedTuple):
    """What the calls of a partition say of each person and company, by key, and what came up as they were mapped.

    `shared` are the ids that several people have; what is told with one is theirs by e-mail. `emails` are those of who
    had several.
    """

    states: dict[str, State]
    shared: set[str]
    emails: Emails
    refused: list[RefusedCall]
    warnings: WarningCounter


class PartitionFold:
    """Folds partition after partition; one for each process."""

    def __init__(self, catalog: Catalog, mapper: Mapper) -> None:
        self._edition = catalog.edition
        self._mapper = mapper

    def merged(self, people: Iterable[list[Row]]) -> Merged:
        """The states of those whom these rows are about; they may be gone through twice."""
        states: dict[str, State] = {}
        counter, refused, told = WarningCounter(), list[RefusedCall](), Emails()
        for rows_by_key in by_key(people):
            for key, rows in rows_by_key.items():
                if state := fold(contributions(rows, self._mapper, counter, refused, told)):
                    if key in states:
                        _note_emails(told, key, states[key], state)
                        state = merge(states[key], state)
                    states[key] = state
        shared = shared_ids(told)
        if shared:
            for key in sorted(shared):
                del states[key]
                counter.add([MappingWarning("many_emails", key[1:])])
            for key, state in states_by_email(people, shared, self._mapper).items():
                states[key] = merge(states[key], state) if key in states else state
        return Merged(states, shared, told, refused, counter)

    def fold(self, people: Iterable[list[Row]], entries: Iterable[list[Row]]) -> FoldedPartition:
        """All that these rows of a partition, or of several, amount to; those of people may be gone through twice."""
        states, shared, told, refused, counter = self.merged(people)
        if shared:
            entries = entries_by_email(entries, shared)
        companies = [(key, states.pop(key)) for key in [key for key in states if key.startswith(COMPANY)]]
        emails = {key: email for key, state in states.items() if (email := email_of(key, state))}
        named = sorted((email, key) for key, email in emails.items())
        unnamed = [(key, _dumped(state)) for key, state in states.items() if key not in emails]
        indexes = {key: index for index, (_, key) in enumerate(named)}
        folded = FoldedPartition(
            [], [], [], [(None, key, _dumped(state)) for key, state in companies], unnamed,
            *_entries(entries, indexes), refused, counter.items(), _ties(told, shared),
        )  # fmt: skip
        for index, (email, key) in enumerate(named):
            person = plan_person(self._edition, email, [key], states[key])
            folded.people.append((index, *person.columns))
            folded.states.append((index, person.state))
            folded.deals.extend((index, *columns) for columns in person.deals)
            folded.companies.extend((index, *company) for company in person.companies)
        return folded


class PlannedPerson(NamedTuple):
    """The columns of a person's record and of its deals, its state, and what it says of its companies."""

    columns: Columns
    state: bytes
    deals: list[Columns]
    companies: list[tuple[str, bytes]]


def plan_person(edition: str, match_key: str, keys: list[str], state: State) -> PlannedPerson:
    """What is planned for a person as long as nobody knows what Freshsales holds of it."""
    wants_contact = asks_contact(state)
    entity = "contact" if wants_contact or edition == "suite" else "lead"
    person = desired_person(entity, state)
    part = state.get(PERSON)
    email = (part.cell("email") if part else None) or match_key
    by_email = any(key.startswith("@") for key in keys)
    columns = (
        entity, email, match_key, by_email, encode(keys), wants_contact, _action(state), *desired_columns(person),
        encode(person.misfits),
    )  # fmt: skip
    assert len(columns) == len(PERSON_COLUMNS)
    return PlannedPerson(columns, _dumped(state), deal_columns(person), company_parts(person, state))


def _action(state: State) -> str | None:
    """The action of a person: who is only told of by group calls is looked up, like whom only entries point at."""
    return None if not state or PERSON in state else Action.REFERENCE


def desired_columns(person: DesiredPerson) -> Columns:
    """Desired, times, sources and companies."""
    return encode(person.desired), encode(person.times), encode(person.sources), encode(person.companies)


def deal_columns(person: DesiredPerson) -> list[Columns]:
    """Key, match_key, companies, desired, times, sources and warnings of each deal."""
    return [
        (deal.name, deal.match_key, encode([deal.company] if deal.company else []), encode(deal.desired),
         encode(deal.times), encode(deal.sources), encode(deal.misfits))
        for deal in person.deals
    ]  # fmt: skip


def company_parts(person: DesiredPerson, state: State) -> list[tuple[str, bytes]]:
    """What is said of each of a contact's companies."""
    names = [f"{COMPANY}{name}" for name in person.companies]
    return [(name, _dumped({name: state[name]})) for name in names]


def _note_emails(emails: Emails, key: str, earlier: State, later: State) -> None:
    """Note the e-mails of somebody whose calls came in several goes, where each had another."""
    told = {email for email in (email_of(key, earlier), email_of(key, later)) if email}
    if len(told) > 1:
        emails.setdefault(key, set()).update(told)


def email_of(key: str, state: State) -> str:
    """The e-mail that says who this is, folded, or nothing."""
    if key.startswith("@"):
        return key[1:]
    email = state[PERSON].cell("email") if PERSON in state else None
    return email_key(str(email)) if email else ""


def _entries(blocks: Iterable[list[Row]], indexes: dict[str, int]) -> tuple[list[Columns], list[Columns]]:
    """The entries of some partitions, each person's by time; then those of whom nothing is known here.

    Key and e-mail matter only until it is known whose an entry is.
    """
    entries, loose = list[Columns](), list[Columns]()
    for rows_by_key in by_key(blocks):
        for index, key in sorted((indexes[key], key) for key in rows_by_key if key in indexes):
            entries += (
                (index, time, position, signed(event), payload)
                for _, position, time, event, _, payload in sorted(rows_by_key[key], key=WHEN)
            )
        for key in sorted(rows_by_key.keys() - indexes.keys()):
            loose += (
                (key, entry_email(traits, payload), time, position, signed(event), payload)
                for _, position, time, event, traits, payload in sorted(rows_by_key[key], key=WHEN)
            )
    return entries, loose


def _ties(emails: Emails, shared: set[str]) -> list[tuple[str, str]]:
    persons = ((key, told) for key, told in emails.items() if key not in shared)
    return [(key[1:].casefold(), email) for key, told in persons for email in sorted(told)]


def _dumped(state: State) -> bytes:
    return compact(orjson.dumps(dump(state)))
