"""What is done with a record or timeline entry, and how far that has come: the words of the plan's columns."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

Table = Literal["record", "entry"]
"""The tables of the plan whose rows are pushed: records, and entries of timelines."""


class Action(StrEnum):
    """What the plan does with a record or timeline entry."""

    CREATE = "create"
    """Freshsales has no such record, so one is made."""

    UPDATE = "update"
    """The record is there and some of its fields change."""

    DELETE = "delete"
    """An undo deletes what its run had made."""

    UNCHANGED = "unchanged"
    """Freshsales holds all of it already, so nothing is sent."""

    SKIPPED = "skipped"
    """It is not to be sent, for the reason that its code names."""

    CONFLICT = "conflict"
    """It can't be sent without a guess, such as which of two records is meant, so it is left alone."""

    REFERENCE = "reference"
    """A person whom timeline entries point at: looked up, and never written."""


class Status(StrEnum):
    """How far an action has come."""

    PLANNED = "planned"
    """Nothing was sent yet, or what was sent has provably had no effect."""

    SENT = "sent"
    """Written down as sent before the request leaves; what came of it is not known yet."""

    DONE = "done"
    """Freshsales has taken it, or there was nothing to send."""

    FAILED = "failed"
    """It was not written, for the reason that its code and message tell."""

    UNKNOWN = "unknown"
    """It may have been written: its answer was lost, and looking for it could not tell."""

    UNDONE = "undone"
    """It was done, and an undo has taken it back."""


def is_any(column: str, *values: Action | Status) -> str:
    """The SQL condition that a column holds one of these values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({listed})"


TABLES: tuple[Table, ...] = ("record", "entry")

NOT_SETTLED = is_any("status", Status.PLANNED, Status.SENT)
"""Still to be sent, or in flight when the push ended."""

IS_SENT = is_any("action", Action.CREATE, Action.UPDATE)
"""Sent with values of its own."""

WRITES = is_any("action", Action.CREATE, Action.UPDATE, Action.DELETE)
"""Whatever changes something in Freshsales."""
