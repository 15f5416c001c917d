"""What the user says of inputs that don't say it themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class Hints(Struct, frozen=True):
    """Which table the inputs are, and traits by their names; a trait without a value has that of the table.

    `endpoint` is where an S3-compatible store is; `identifiers` are those of the inputs that say who profiles are.
    """

    table: str | None = None
    traits: tuple[tuple[str, str | None], ...] = ()
    endpoint: str | None = None
    identifiers: tuple[str, ...] = ()


NO_HINTS = Hints()


def hints_of(settings: Mapping[str, Any] | None, identifiers: tuple[str, ...] = ()) -> Hints:
    """The hints among the settings of a run."""
    given = settings or {}
    named = [text.partition("=") for text in given.get("trait") or ()]
    traits = tuple((name, value if sign else None) for name, sign, value in named)
    return Hints(given.get("table"), traits, given.get("endpoint"), identifiers)
