"""Finding offline: who and what is there is what earlier runs found or made; what they hold now nobody knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from fsseg.freshsales.names import Entity
from fsseg.mapping.names import fold_name
from fsseg.match.remote_record import Existing
from fsseg.segment.email_key import email_key
from fsseg.state.fingerprint import fingerprint_keys
from fsseg.state.ledger import Known, Ledger


class LedgerFinder:
    """Answers from the ledger (see `Finder`)."""

    sees_all = False

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @property
    def knows_nobody(self) -> bool:
        return self._ledger.is_empty

    def prefetch(self, entities: tuple[Entity, ...], names: Sequence[str]) -> None:
        """Do nothing: the ledger is on this machine."""

    def find(self, entities: tuple[Entity, ...], name: str) -> Iterator[tuple[Entity, Existing]]:
        if entities == ("account",):
            if self._ledger.history(fingerprint_keys("account", "account", None, fold_name(name), None)).generation:
                yield "account", {"id": None}
            return
        known = self._ledger.known_by_email(email_key(name))
        if known is not None and known.entity in entities:
            yield from self.recall(known)

    def recall(self, known: Known) -> list[tuple[Entity, Existing]]:
        email = {"email": known.email, "emails": [known.email]} if known.email else {}
        return [(known.entity, {"id": known.remote_id, **email})]

    def by_field(self, entities: tuple[Entity, ...], field: str, value: str) -> Iterator[tuple[Entity, Existing]]:
        """Find nobody, as the ledger doesn't know what fields hold."""
        return iter(())

    def complete(self, entity: Entity, existing: Existing, wanted: Iterable[str]) -> Existing:
        """Give the record as it is, as nothing more can be known offline."""
        return existing


class LedgerDealFinder:
    """The deals of which something was delivered are there (see `DealFinder`)."""

    def find(self, contact: int | None, name: str, *, made: bool, account: int | None = None) -> list[Existing]:
        return [{"id": None}] if made else []

    def find_own(self, id_field: str, wanted: Any, *, made: bool) -> list[Existing]:
        return [{"id": None}] if made else []

    def read(self, id: int) -> Existing | None:
        return None
