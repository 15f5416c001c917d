"""How the custom fields of single records are written in a run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

from msgspec import Struct

from fsseg.plan.forecast import FRESH_S
from fsseg.state.behaviour import note_bulk_replaces, seen_behaviour
from fsseg.state.plan_store import Record

How = Literal["whole", "changed"]


class CustomFields(Struct):
    """How custom fields are written by single requests in this run; learnt on the way.

    `whole`: all that the record holds go along with those that change. `changed`: these alone, once the account has
    shown that it keeps the others.
    """

    how: How = "whole"
    bulk_merges: bool = True
    """Whether bulk keeps the custom fields that it doesn't name."""
    merges: bool = False
    """Whether the account has been seen to keep the custom fields that a single write doesn't name."""
    read_at: datetime | None = None
    """When the plan began to read what the records hold."""

    remember: Callable[[], None] = lambda: None
    """Keeps for later runs that bulk empties the custom fields that it doesn't name."""

    @classmethod
    def of(cls, account_folder: Path, given: How, read_at: datetime | None) -> CustomFields:
        """As the account was seen to treat them, else as `given`; what is seen in this run is kept for later ones."""
        found = seen_behaviour(account_folder)
        # Accounts change: one that was found to merge is still watched, which costs one request a run.
        hows: dict[str | None, How] = {"merge": "changed", "replace": "whole"}
        return cls(
            hows.get(found.custom_fields, given), found.bulk_custom_fields != "replace", read_at=read_at,
            remember=partial(note_bulk_replaces, account_folder),
        )  # fmt: skip

    def note_bulk_replaces(self) -> None:
        """Bulk was seen to empty custom fields."""
        self.bulk_merges = False
        self.remember()

    def may_bulk(self, record: Record) -> bool:
        """Whether bulk keeps what this record holds beside what is written of it."""
        is_new = record.existing is None and record.remote_id is None
        return is_new or self.bulk_merges or not any(name.startswith("cf_") for name in record.fields)

    @property
    def is_fresh(self) -> bool:
        """Whether what the plan has read may still be taken for what the records hold."""
        if self.read_at is None:
            return False
        return 0 <= (datetime.now(UTC) - self.read_at).total_seconds() < FRESH_S
