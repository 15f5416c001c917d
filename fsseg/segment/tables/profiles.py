"""Tables of people, a row each, such as profile and subscription uploads: identifiers and traits in columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fsseg.segment.event import Original
from fsseg.segment.hints import Hints
from fsseg.segment.tables.table import Table, free_columns, id_of, identify, places, refuse_hashed, values, with_traits

_USER = ("userid", "user_id")
_ANONYMOUS = ("anonymousid", "anonymous_id")
_TIMES = ("timestamp",)
_MESSAGE = ("messageid", "message_id")
IDS = frozenset((*_USER, *_ANONYMOUS, "email"))
_OF_A_REPORT = ("row_number", "error_message", "error_code")
"""Columns that Segment adds to the rows it gives back as faulty."""


def profile_table(columns: Sequence[str], hints: Hints) -> Table:
    """People by their userId, else by their e-mail."""
    at = places(columns)

    def first(names: Sequence[str]) -> int | None:
        return next((at[name] for name in names if name in at), None)

    user_at, anonymous_at, email_at, time_at, message_at = map(first, (_USER, _ANONYMOUS, ("email",), _TIMES, _MESSAGE))
    taken = {*_USER, *_ANONYMOUS, *_TIMES, *_MESSAGE, *_OF_A_REPORT, "email"}
    free = free_columns(columns, taken.__contains__)
    given = dict(hints.traits)

    def cell(row: Sequence[Any], place: int | None) -> Any:
        return "" if place is None else row[place]

    def message(row: Sequence[Any]) -> Original:
        email = cell(row, email_at)
        refuse_hashed(email)
        traits = values(row, free)
        if email:
            traits["email"] = email
        return identify(
            cell(row, user_at) or email, cell(row, anonymous_at), with_traits(traits, given, True),
            timestamp=cell(row, time_at), messageId=id_of(cell(row, message_at)),
        )  # fmt: skip

    return Table("profiles", columns, message)
