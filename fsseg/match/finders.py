"""Finding people and accounts in Freshsales: by a look-up each, or in the copy of the account.

"Not there" is only ever concluded from a successful answer that lists nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from fsseg.freshsales.errors import ForbiddenRecord, NotFound
from fsseg.freshsales.includes import LINKS
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Reader
from fsseg.mapping.names import fold_name
from fsseg.match.mirror import Mirror
from fsseg.match.remote_record import Existing, flatten, lacks
from fsseg.segment.email_key import email_key
from fsseg.state.ledger import Known

Found = tuple[Entity, Existing]


class Finder(Protocol):
    """Where existing records come from. All of it may raise the client's errors; nothing is guessed.

    `sees_all`: it knows all records there are, and not only those that fsseg has written. `knows_nobody`: there is
    nobody to be found.
    """

    @property
    def sees_all(self) -> bool: ...

    @property
    def knows_nobody(self) -> bool: ...

    def prefetch(self, entities: tuple[Entity, ...], names: Sequence[str]) -> None:
        """Get ready for these people, up to a hundred, who will be asked for next."""

    def find(self, entities: tuple[Entity, ...], name: str) -> Iterator[Found]:
        """Entity and record of everyone with this e-mail, or of the accounts of this name, whatever its case."""

    def recall(self, known: Known) -> list[Found]:
        """The record that an earlier run found or made, if it is still there."""

    def by_field(self, entities: tuple[Entity, ...], field: str, value: str) -> Iterator[Found]:
        """Everyone who holds this value in this field."""

    def complete(self, entity: Entity, existing: Existing, wanted: Iterable[str]) -> Existing:
        """The record with every wanted field, as far as they can be read.

        Rows of views and searches leave some out, which is not the same as empty.
        """


class OnlineFinder:
    """What all finders that may ask Freshsales have in common."""

    sees_all = True
    knows_nobody = False

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def get(self, entity: Entity, id: int) -> Existing | None:
        """The record with this id, or None where there is none (any more)."""
        return fetch(self.reader, entity, id)

    def prefetch(self, entities: tuple[Entity, ...], names: Sequence[str]) -> None:
        """Do nothing: records are asked for one by one, or all are in the copy already."""

    def find(self, entities: tuple[Entity, ...], name: str) -> Iterator[Found]:
        raise NotImplementedError

    def recall(self, known: Known) -> list[Found]:
        if known.remote_id is None:
            found = list(self.find((known.entity,), known.email or ""))[:1]
            if not found and self.reader.wait_out_lag():
                found = list(self.find((known.entity,), known.email or ""))[:1]
            return found
        existing = self.get(known.entity, known.remote_id)
        return [] if existing is None else [(known.entity, existing)]

    def by_field(self, entities: tuple[Entity, ...], field: str, value: str) -> Iterator[Found]:
        for entity, rows in self.reader.lookup(value, field, entities).items():
            yield from ((entity, flatten(entity, row)) for row in rows)

    def complete(self, entity: Entity, existing: Existing, wanted: Iterable[str]) -> Existing:
        if not lacks(existing, wanted):
            return existing
        whole = fetch(self.reader, entity, int(existing["id"]))
        return existing if whole is None else existing | whole


class LookupFinder(OnlineFinder):
    """One request for each question."""

    def find(self, entities: tuple[Entity, ...], name: str) -> Iterator[Found]:
        by = "email" if set(entities) <= {"lead", "contact"} else "name"
        # Whether a look-up minds case or runs of blanks isn't documented, so what has such is asked for twice.
        others = (name.casefold(), email_key(name)) if by == "email" else (" ".join(name.split()),)
        for spelled in dict.fromkeys((name, *others)):
            found = self.reader.lookup(spelled, by, entities)
            if any(found.values()):
                yield from ((entity, flatten(entity, row)) for entity, rows in found.items() for row in rows)
                return


class MirrorFinder(OnlineFinder):
    """Answers from the mirror, which must have been refreshed for these entities."""

    def __init__(self, reader: Reader, mirror: Mirror) -> None:
        super().__init__(reader)
        self._mirror = mirror

    def find(self, entities: tuple[Entity, ...], name: str) -> Iterator[Found]:
        for entity in entities:
            folded = fold_name(name) if entity == "account" else email_key(name)
            for existing in self._mirror.find(entity, folded):
                yield entity, existing

    def get(self, entity: Entity, id: int) -> Existing | None:
        return self._mirror.get(entity, id)


def fetch(reader: Reader, entity: Entity, id: int) -> Existing | None:
    """The whole record, accounts of a contact included, or None where Freshsales says that there is none.

    Of one that this key may not read nothing is known but its id.
    """
    try:
        return flatten(entity, reader.get(entity, id, include=LINKS.get(entity, ()))[0])
    except NotFound:
        return None
    except ForbiddenRecord:
        return {"id": id}
