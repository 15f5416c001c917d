"""Suppression holds for people: whichever of their ids and addresses the list, an event or an earlier run names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fsseg.mapping.suppression_list import identity_text
from fsseg.segment.email_key import email_key
from fsseg.state.known_ties import Identity, known_ties
from fsseg.state.ledger import Ledger
from fsseg.state.ledger_format import hashed
from fsseg.state.plan_store import Store
from fsseg.state.run_meta import SuppressionCount
from fsseg.state.suppressed_rows import (
    loose_identities,
    person_rows,
    suppress_loose,
    suppress_people,
    ties_of,
)


class _Groups:
    """Ids and addresses that are of one person, together with whatever entries of the list name it."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._leaders: dict[Identity, Identity] = {}
        self.fresh: list[Identity] = []
        """What has come in since somebody took it."""
        for entry in entries:
            self._admit(entry)
            self.tie((entry, identity_text(entry)))

    def _admit(self, one: Identity) -> None:
        if one not in self._leaders:
            self._leaders[one] = one
            self.fresh.append(one)

    def __contains__(self, one: Identity) -> bool:
        return one in self._leaders

    def leader(self, one: Identity) -> Identity:
        """What stands for all that are tied to it."""
        while (above := self._leaders[one]) != one:
            self._leaders[one] = one = self._leaders[above]
        return one

    def tie(self, identities: Sequence[Identity]) -> bool:
        """Let all of them be of one person, if any of them is suppressed; whether it is."""
        known = next((one for one in identities if one in self), None)
        if known is None:
            return False
        for one in identities:
            self._admit(one)
            self._leaders[self.leader(one)] = self.leader(known)
        return True


def suppress(store: Store, ledger: Ledger, entries: frozenset[str]) -> None:
    """Leave out of the plan, as far as it is still open, all that is about people on the list.

    How many entries the list has, and how many of them are of somebody in this run, is noted.
    """
    groups = _Groups(entries)
    while _grow(groups, store, ledger):
        pass
    met = {groups.leader(one) for one, _, suppressed in ties_of(store) if suppressed and one in groups}
    people = []
    for row in person_rows(store):
        if found := next((one for one in _identities(row.keys, row.match_key, row.emails) if one in groups), None):
            people.append(row.id)
            met.add(groups.leader(found))
    loose = []
    for key, email in loose_identities(store):
        if found := next((one for one in _identities([key], email or "", ()) if one in groups), None):
            loose.append((key, email))
            met.add(groups.leader(found))
    with store.transaction():
        suppress_people(store, people)
        suppress_loose(store, loose)
        texts = {identity_text(entry) for entry in entries}
        store.meta.suppression = SuppressionCount(len(texts), sum(groups.leader(text) in met for text in texts))


def _grow(groups: _Groups, store: Store, ledger: Ledger) -> bool:
    """Take in what is tied to those that came in last; whether there was any."""
    fresh, groups.fresh = groups.fresh, []
    if not fresh:
        return False
    for tie in known_ties(ledger, fresh):
        groups.tie(tie)
    for one, other, _ in ties_of(store):
        groups.tie((one, other))
    for row in person_rows(store):
        groups.tie(_identities(row.keys, row.match_key, row.emails))
    return True


def _identities(keys: Iterable[str], match_key: str, emails: Iterable[str]) -> list[Identity]:
    """By what a person may be known, to the list and to the ledger."""
    found: list[Identity] = []
    for key in (*keys, *([f"@{match_key}"] if "@" in match_key else [])):
        found += (identity_text(key[1:]), hashed(key))
    return found + [email_key(email) for email in emails]
