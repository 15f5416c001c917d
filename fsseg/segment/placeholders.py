"""Ids that software writes where it has none: `undefined`, `null`, `0`, and what a user adds to these."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

KNOWN = (
    "undefined", "null", "nil", "none", "nan", "unknown", "anonymous", "guest", "-1",
    "(null)", "<null>", "<nil>", "(not set)", "not set", "[object object]", "false", "n/a", "#n/a",
    "''", '""', "[]", "{}",
)  # fmt: skip
NOTHING = "0- "
"""An id of only these characters is none, the zero UUID among them."""

_AROUND = 4
"""Blanks that may stand around one of them."""


class PlaceholderIds:
    """The ids that identify nobody, in any case."""

    def __init__(self, more: Iterable[str] = ()) -> None:
        self.folded: Final = frozenset(id.strip().lower() for id in (*KNOWN, *more))
        self.longest: Final = max(map(len, self.folded)) + _AROUND
        """Characters that none of them exceeds, so that few ids need to be looked up."""

    def __contains__(self, id: str) -> bool:
        folded = id.strip().lower()
        return folded in self.folded or not folded.strip(NOTHING)


PLACEHOLDER_IDS: Final = PlaceholderIds()
