"""What Segment calls the destination whose work this is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

NAMES: Final = {"classic": "Freshsales", "suite": "Freshsales Suite - CRM"}
"""The destination's names in `integrations` (Segment's catalog), by edition."""

_FOLDED = {re.sub(r"[^a-z]", "", name.lower()): name for name in NAMES.values()}


def destination_name(column: str) -> str:
    """The name of a destination that a table's column is called after: this one's as the catalog has it."""
    return _FOLDED.get(re.sub(r"[^a-z]", "", column.lower()), column)


def integrations_of_another(integrations: Mapping[str, Any]) -> dict[str, Any]:
    """What `integrations` says here where another destination wrote it down: nothing, unless it names Freshsales."""
    return dict(integrations) if any(name in integrations for name in NAMES.values()) else {}
