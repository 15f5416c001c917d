"""Numbers as people read them, with the noun that fits."""

from __future__ import annotations


def number(count: float) -> str:
    """A number with its thousands apart, of fractions one digit: `12,400`."""
    return f"{count:,}" if isinstance(count, int) else f"{count:,.1f}".removesuffix(".0")


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """A number and its noun, singular or plural: `1 request`, `1,204 requests`."""
    return f"{number(count)} {singular if count == 1 else plural or singular + 's'}"
