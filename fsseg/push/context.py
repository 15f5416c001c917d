"""What every step of the push shares."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from msgspec import Struct, field

from fsseg.freshsales.reader import Reader
from fsseg.freshsales.writer import Writer
from fsseg.mapping.catalog import Catalog
from fsseg.push.custom_fields import CustomFields
from fsseg.push.refusals import Refusals
from fsseg.state.behaviour import note_deal_contacts, seen_behaviour
from fsseg.state.plan_store import Record, Store


class DealLinks(Struct):
    """What this account was seen to do with the contacts of deals made in bulk; `remember` keeps it for later runs."""

    seen: Literal["kept", "lost"] | None = None
    remember: Callable[[Literal["kept", "lost"]], None] = lambda seen: None

    @classmethod
    def of(cls, account_folder: Path) -> DealLinks:
        """As earlier runs and probes have seen the account treat them."""
        found = seen_behaviour(account_folder)
        return cls(found.deal_contacts, partial(note_deal_contacts, account_folder))

    def note(self, seen: Literal["kept", "lost"]) -> None:
        """Note what it was just seen to do, and keep it for later runs where that is new."""
        if seen != self.seen:
            self.seen = seen
            self.remember(seen)


class EmailShape(Struct):
    """How this account takes the address of a new contact: as an object, or as text alone; learnt on the way."""

    is_text: bool = False
    is_known: bool = False


class PushContext(Struct, frozen=True):
    """The open plan, the account, and how this run sends.

    `lock` guards the store, which the workers of one chunk share; `owner_id` owns the sales activities written.
    `pause` waits so many seconds, and raises `Halted` where the run may not go on. `note_requests` writes down how many
    requests were spent so far, so that they count even if the process is killed. `was_delivered` tells whether just
    what is wanted of one of these records was delivered before. `may_write` is false in a dry run, which only looks for
    what earlier pushes have sent.
    """

    store: Store
    catalog: Catalog
    reader: Reader
    writer: Writer
    pause: Callable[[float], None]
    match_mode: Literal["segment", "email"]
    id_field: str | None = None
    owner_id: int | None = None
    workers: int = 1
    custom_fields: CustomFields = field(default_factory=CustomFields)
    note_requests: Callable[[], None] = lambda: None
    say: Callable[[str], None] = lambda text: None
    strict: bool = False
    refusals: Refusals | None = None
    deal_links: DealLinks = field(default_factory=DealLinks)
    note_lacks_bulk: Callable[[bool], None] = lambda lacks: None
    """Keeps for later runs whether the account has no bulk."""
    deal_id_field: str | None = None
    emails: EmailShape = field(default_factory=EmailShape)
    was_delivered: Callable[[Sequence[Record]], bool] = lambda records: False
    may_write: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)
