"""What the push asks of each kind of record."""

from __future__ import annotations

from typing import Protocol

from fsseg.push.bulk import Bulk
from fsseg.push.outcome import Outcome
from fsseg.state.plan_store import Record


class EntityPusher(Protocol):
    """How the records of one entity are sent, and looked for after a lost answer."""

    @property
    def bulk(self) -> Bulk | None:
        """Sends many records in one request; None where Freshsales has no such request for the entity."""

    def can_bulk(self, record: Record) -> bool:
        """Whether this record may be sent in bulk; not asked before it is known what became of all in flight."""

    def send(self, record: Record) -> Outcome:
        """Send one record by itself. Raises `FreshsalesError` and `InFlight`."""

    def recover(self, record: Record) -> Outcome:
        """What became of a record that was in flight when the last push ended; nothing is sent."""
