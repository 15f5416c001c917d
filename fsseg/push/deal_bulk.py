"""Deals in bulk, which some accounts make without their contacts: that is looked at, and mended at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fsseg.freshsales.errors import Forbidden, Refused
from fsseg.freshsales.reader import Reader
from fsseg.freshsales.sizes import DEALS_TRIED, MIN_BULK
from fsseg.freshsales.views import first_page, pages, read_all, view_of_all
from fsseg.mapping.names import fold_name
from fsseg.match.deal_finder import deal_name
from fsseg.push.bulk import Bulk
from fsseg.push.outcome import Outcome
from fsseg.state.actions import Status
from fsseg.state.plan_store import Record
from fsseg.state.push_queue import planned_deal_names

LOST = "this account loses the contacts of deals made in bulk: they were tied again, and deals are made one by one"


@dataclass
class DealBulk(Bulk):
    """Bulk upsert of deals. `keeps_contacts` is None until this push has seen that of the account."""

    keeps_contacts: bool | None = None

    def __post_init__(self) -> None:
        # Where it lost them once, that isn't tried again; where it kept them, it may have changed since.
        if self.context.deal_links.seen == "lost":
            self.keeps_contacts = False

    def await_earlier(self) -> list[tuple[Record, Outcome]]:
        """Wait for the job to end; as it doesn't tell whether deals have their contacts, none counts as done."""
        super().await_earlier()
        return []

    @property
    def takes_creates(self) -> bool:
        """Whether new deals may be made in bulk."""
        return self.keeps_contacts is not False and bool(self.unique_names)

    @cached_property
    def unique_names(self) -> set[str]:
        """The folded names of planned creates that no other deal has; none where it isn't worth it to find out.

        Bulk knows a new deal by its name only, and would change whichever has it already.
        """
        # Read once, at the first question: what is created later must not pass for a deal that was there before.
        planned_names = [fold_name(name) for name in planned_deal_names(self.context.store)]
        if len(planned_names) < MIN_BULK:
            return set()
        try:
            existing_names = _all_names(self.context.reader, max_pages=len(planned_names))
        except (Forbidden, Refused):
            return set()
        if existing_names is None:
            return set()
        return {name for name, count in Counter(planned_names).items() if count == 1} - existing_names

    def push(self, records: Sequence[Record]) -> list[Outcome]:
        """The outcomes of `records`, in order: the first that are new are read back before others follow."""
        new = [record for record in records if record.remote_id is None]
        if not new or self.keeps_contacts:
            return super().push(records)
        outcomes: dict[int, Outcome] = {}
        if self.keeps_contacts is None and len(new) >= MIN_BULK:
            tried = new if self.context.deal_links.seen == "kept" else new[:DEALS_TRIED]
            outcomes = {record.id: outcome for record, outcome in zip(tried, self._try(tried), strict=True)}
        with self._patiently():
            return self._push_rest(records, [one for one in records if one.id not in outcomes], outcomes)

    def _push_rest(self, records: Sequence[Record], rest: list[Record], outcomes: dict[int, Outcome]) -> list[Outcome]:
        if not self.keeps_contacts:
            for record in [record for record in rest if record.remote_id is None]:
                outcomes[record.id] = self._send_alone(record)
            rest = [record for record in rest if record.id not in outcomes]
        outcomes |= {record.id: outcome for record, outcome in zip(rest, super().push(rest), strict=True)}
        return [outcomes[record.id] for record in records]

    def _try(self, records: Sequence[Record]) -> list[Outcome]:
        outcomes = super().push(records)
        made = [record for record, outcome in zip(records, outcomes, strict=True) if outcome == Outcome(Status.DONE)]
        if not made:
            return outcomes
        contact = self.context.store.record(int(made[0].parent or 0)).remote_id
        linked = self.context.reader.deals_of(int(contact or 0))
        self.keeps_contacts = any(fold_name(deal.get("name")) == deal_name(made[0]) for deal in linked)
        self.context.deal_links.note("kept" if self.keeps_contacts else "lost")
        if self.keeps_contacts:
            return outcomes
        self.context.say(LOST)
        # Each is found as one that belongs to nobody, and tied to its contact by an update.
        return [
            self._resend(record) if outcome == Outcome(Status.DONE) else outcome
            for record, outcome in zip(records, outcomes, strict=True)
        ]


def _all_names(reader: Reader, max_pages: int) -> set[str] | None:
    """The folded names of all deals, or None where that takes as many requests as allowed, or can't be whole."""
    view = view_of_all(reader, "deal")
    if view is None:
        return None
    first = first_page(reader, "deal", view)
    if first.total is None or pages(first.total) >= max_pages:
        return None
    names: dict[int, str] = {}

    def keep(rows: list[dict[str, Any]]) -> int:
        names.update((row["id"], fold_name(row.get("name"))) for row in rows)
        return len(names)

    return set(names.values()) if read_all(reader, "deal", view, first, keep) else None
