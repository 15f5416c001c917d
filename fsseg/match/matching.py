"""What matching needs, and how it comes to a finder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Reader
from fsseg.mapping.catalog import Catalog
from fsseg.match.finders import Finder
from fsseg.match.ledger_finder import LedgerFinder
from fsseg.match.mirror import Mirror
from fsseg.match.strategy import choose
from fsseg.state.ledger import Ledger
from fsseg.state.plan_store import Store

Tick = Callable[[int], None]


class Matching(Struct, frozen=True):
    """What matching needs. `reader` is None offline: then who and what is there is taken from the ledger."""

    store: Store
    catalog: Catalog
    reader: Reader | None
    ledger: Ledger
    mirror: Mirror | None
    match_mode: Literal["segment", "email"]
    id_field: str | None = None
    deal_id_field: str | None = None
    convert_leads: bool = False
    say: Callable[[str], None] = lambda text: None
    tick: Tick = lambda people: None
    anew: bool = False
    """Whether some were matched before: then their deals may be there already."""
    needed: tuple[str, ...] = ()
    """What must be known of every record that is there, beside what is wanted of it."""

    @property
    def people(self) -> tuple[Entity, ...]:
        """What a person may be in this account."""
        return ("lead", "contact") if self.catalog.edition == "classic" else ("contact",)

    def wait_out_lag(self) -> bool:
        """Wait, once, until look-ups find all that was made before; whether there was need to. Raises `Halted`."""
        return self.reader is not None and self.reader.wait_out_lag()

    def finder(self, entities: tuple[Entity, ...], questions: int) -> Finder:
        """The cheapest way to find so many records."""
        if self.reader is None:
            return LedgerFinder(self.ledger)
        return choose(self.reader, self.mirror, entities, questions, self.say)
