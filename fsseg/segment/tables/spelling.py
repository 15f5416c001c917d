"""The columns of an import as messages spell their members, however a header does."""

from __future__ import annotations

from collections.abc import Sequence

from fsseg.segment.destination import destination_name
from fsseg.segment.tables.table import folded

_NAMES = {
    name.lower(): name for name in (
        "type", "event", "name", "category", "email", "traits", "properties", "context", "integrations", "userId",
        "anonymousId", "groupId", "previousId", "messageId", "timestamp", "originalTimestamp", "sentAt", "receivedAt",
    )
}  # fmt: skip
_OF_CONTEXT = ("traits", "page", "consent", "email", "name", "title", "url")
"""Members of a context, and of its members, that anything depends on."""


def as_spelled(columns: Sequence[str]) -> list[str]:
    """The columns as messages spell them: `USER ID` is `userId`, and `Traits.plan` is `traits.plan`."""
    given = {*columns}
    return [name if own in given else own for name, own in zip(columns, map(_as_spelled, columns), strict=True)]


def _as_spelled(column: str) -> str:
    outer, *inner = column.split(".")
    outer = _NAMES.get(folded(outer).replace("_", ""), outer)
    if outer == "integrations":
        return ".".join((outer, *map(destination_name, inner)))
    plain = _OF_CONTEXT if outer == "context" else ("email",)
    return ".".join((outer, *(name.lower() if name.lower() in plain else name for name in inner)))
