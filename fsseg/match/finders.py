"""Finding people and accounts in Freshsales: by a look-up each, or in the copy of the account.

"Not there" is only ever concluded from a successful answer that lists nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from fsseg.freshsales.errors import NotFound
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Reader
from fsseg.freshsales.views import INCLUDE
from fsseg.mapping.names import fold_name
from fsseg.match.mirror import Mirror
from fsseg.match.remote_record import Existing, flatten
from fsseg.segment.email_key import email_key


class Finder(Protocol):
    """Where existing records come from. All of it may raise the client's errors; nothing is guessed."""

    def prefetch(self, entities: tuple[Entity, ...], names: Sequence[str]) -> None:
        """Told which people will be asked for next, up to a hundred."""

    def find(self, entities: tuple[Entity, ...], name: str) -> Iterator[tuple[Entity, Existing]]:
        """Entity and record of everyone with this e-mail, or of the accounts of this name, whatever its case."""

    def get(self, entity: Entity, id: int) -> Existing | None:
        """The record with this id, or None where there is none (any more)."""


class LookupFinder:
    """One request for each question."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def prefetch(self, entities: tuple[Entity, ...], names: Sequence[str]) -> None:
        """There is nothing to be had but one by one."""

    def find(self, entities: tuple[Entity, ...], name: str) -> Iterator[tuple[Entity, Existing]]:
        by = "email" if set(entities) <= {"lead", "contact"} else "name"
        # Whether a look-up minds the case isn't documented, so an address that has capitals is asked for twice.
        for spelled in dict.fromkeys((name, name.casefold(), email_key(name)) if by == "email" else (name,)):
            found = self._reader.lookup(spelled, by, entities)
            if any(found.values()):
                yield from ((entity, flatten(entity, row)) for entity, rows in found.items() for row in rows)
                return

    def get(self, entity: Entity, id: int) -> Existing | None:
        return fetch(self._reader, entity, id)


class MirrorFinder:
    """Answers from the mirror, which must have been refreshed for these entities."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror

    def prefetch(self, entities: tuple[Entity, ...], names: Sequence[str]) -> None:
        """All is here already."""

    def find(self, entities: tuple[Entity, ...], name: str) -> Iterator[tuple[Entity, Existing]]:
        for entity in entities:
            folded = fold_name(name) if entity == "account" else email_key(name)
            for existing in self._mirror.find(entity, folded):
                yield entity, existing

    def get(self, entity: Entity, id: int) -> Existing | None:
        return self._mirror.get(entity, id)


def fetch(reader: Reader, entity: Entity, id: int) -> Existing | None:
    """The whole record, accounts of a contact included, or None where Freshsales says that there is none."""
    try:
        return flatten(entity, reader.get(entity, id, include=INCLUDE.get(entity, ()))[0])
    except NotFound:
        return None
