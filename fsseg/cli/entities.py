"""The kinds of records on the command line, in the singular or the plural, and as Freshsales names them."""

from __future__ import annotations

from collections.abc import Sequence

import typer

ENTITIES = ("lead", "contact", "account", "deal")
WITH_TIMELINE = (*ENTITIES, "timeline")


def kind_of(word: str, kinds: Sequence[str] = WITH_TIMELINE) -> str | None:
    """The kind of records that the word names, None where it names none."""
    name = word.strip().lower().removeprefix("sales_")
    return next((kind for kind in kinds if name in (kind, f"{kind}s")), None)


def entity(word: str) -> str:
    """A lead, contact, account or deal. Raises `typer.BadParameter`."""
    return _named(word, ENTITIES)


def entity_or_timeline(word: str) -> str:
    """As `entity`, or the timeline. Raises `typer.BadParameter`."""
    return _named(word, WITH_TIMELINE)


def _named(word: str, kinds: Sequence[str]) -> str:
    if found := kind_of(word, kinds):
        return found
    raise typer.BadParameter(f"{word!r} is none of {', '.join(kinds)}")
