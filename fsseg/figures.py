"""Numbers as people read them, with the noun that fits."""

from __future__ import annotations


def number(count: float) -> str:
    """`12,400`; fractions keep one digit."""
    return f"{count:,}" if isinstance(count, int) else f"{count:,.1f}".removesuffix(".0")


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """`1 request`, `1,204 requests`."""
    return f"{number(count)} {singular if count == 1 else plural or singular + 's'}"
