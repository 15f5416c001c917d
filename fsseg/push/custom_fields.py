"""How the custom fields of single records are written in a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

FRESH_S = 60.0
"""Seconds for which what the plan has read of a record is taken for what it holds."""


@dataclass
class CustomFields:
    """How custom fields are written by single requests in this run; learnt on the way.

    `whole`: all that the record holds go along with those that change. `changed`: these alone, once the account has
    shown that it keeps the others.
    """

    how: Literal["whole", "changed"] = "whole"
    merges: bool = False
    """Whether the account has been seen to keep the custom fields that a single write doesn't name."""
    read_at: datetime | None = None
    """When the plan began to read what the records hold."""

    @property
    def is_fresh(self) -> bool:
        """Whether what the plan has read may still be taken for what the records hold."""
        if self.read_at is None:
            return False
        return 0 <= (datetime.now(UTC) - self.read_at).total_seconds() < FRESH_S
