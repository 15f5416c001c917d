"""The list of people who are never to be written to: which ids and addresses stand in it, whatever wrote it."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import NamedTuple

from fsseg.mapping.identity import address
from fsseg.segment.email_key import email_key

_DELIMITERS = ",;\t"
_HEADINGS = frozenset({"email", "emailaddress", "mail", "userid", "id", "user"})
_NO_PART_OF_AN_ID = frozenset("\"',;<>\t")


class Doubtful(NamedTuple):
    """An entry that can be neither an address nor an id, and the line that it stands in."""

    line: int
    text: str


class SuppressionList(NamedTuple):
    """The ids and addresses as the list has them, and its entries that are neither."""

    entries: frozenset[str] = frozenset()
    doubtful: tuple[Doubtful, ...] = ()


def read_list(text: str) -> SuppressionList:
    """The first cell of each line, and every other one that is an address; a line of headings counts for nothing."""
    lines = text.splitlines()
    delimiter = max(_DELIMITERS, key=lambda sign: sum(sign in line for line in lines))
    entries: set[str] = set()
    doubtful: list[Doubtful] = []
    for number, line in enumerate(lines, 1):
        # Line by line, so that a quote that nobody closes swallows no other entry.
        cells = [cell.strip(" \t'\u200b\ufeff\xa0") for row in csv.reader([line], delimiter=delimiter) for cell in row]
        first, *others = [*cells, ""]
        if number == 1 and _is_heading(first):
            continue
        found = [cell for cell in others if address(cell)]
        if first and (address(first) or _NO_PART_OF_AN_ID.isdisjoint(first)):
            found.append(first)
        elif first or (not found and any(cells)):
            doubtful.append(Doubtful(number, line.strip()))
        entries.update(found)
    return SuppressionList(frozenset(entries), tuple(doubtful))


def _is_heading(cell: str) -> bool:
    return "".join(filter(str.isalpha, cell.casefold())) in _HEADINGS


def identity_text(text: str) -> str:
    """An id or address as it is compared with others."""
    found = address(text) if "@" in text else None
    return email_key(found) if found else text.strip().casefold()


def identity_texts(texts: Iterable[object]) -> list[str]:
    """The values that are ids or addresses, as they are compared."""
    return [identity_text(text) for text in texts if isinstance(text, str) and text.strip()]
