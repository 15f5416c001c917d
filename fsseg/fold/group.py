"""What the events of one partition say, person by person: the rows of each, and the calls among them mapped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from operator import itemgetter

from fsseg.fold.merge import Contribution
from fsseg.fold.partitions import Row
from fsseg.mapping.intents import PersonIntent, Refused
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.warning_counter import WarningCounter
from fsseg.segment import json_codec
from fsseg.segment.email_key import email_key

WHEN = itemgetter(2, 1)
"""Time and position of a row."""

AT_ONCE = 50_000
"""Rows that are sorted by person at a time."""

RefusedCall = tuple[int, str, str, int]
"""Position, code, detail and event key of a call that cannot be mapped."""


def by_key(blocks: Iterable[list[Row]]) -> Iterator[dict[str, list[Row]]]:
    """The rows of each key; in several goes where they are too many."""
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    room = AT_ONCE
    for block in blocks:
        # Where the rows are cut must not depend on the blocks they come in, which differ from engine to engine.
        while len(block) >= room:
            _sort_in(rows, block[:room])
            yield rows
            rows.clear()
            block, room = block[room:], AT_ONCE
        _sort_in(rows, block)
        room -= len(block)
    yield rows


def _sort_in(rows: defaultdict[str, list[Row]], block: list[Row]) -> None:
    for row in block:
        rows[row[0]].append(row)


Emails = dict[str, set[str]]
"""The e-mails that people's calls told, folded, by key, of those who had several."""


def contributions(
    rows: list[Row], mapper: Mapper, counter: WarningCounter, refused: list[RefusedCall], emails: Emails
) -> Iterator[Contribution]:
    """What is said of one person, or of one account by group calls, the latest first.

    Warnings are counted, calls that cannot be mapped added to `refused`, and who had several e-mails to `emails`.
    """
    several = len(rows) > 1
    if several:
        rows.sort(key=WHEN, reverse=True)
    # Most identify calls repeat what a later one says, all of it or but for texts: what was mapped of that is right for
    # them too, since a later text wins over theirs whatever it is.
    mapped_like, latest_traits = None, b""
    mapped: PersonIntent | Refused
    email: str | None = None
    for key, position, time, event, user, traits in rows:
        if user is None:
            yield time, position, event, json_codec.loads(traits)
            continue
        if traits != latest_traits or mapped_like is None:
            values, latest_traits = json_codec.loads(traits), traits
            like = mapper.equivalence_key(values) if several else None
            if like is None or like != mapped_like:
                mapped_like, mapped = like, mapper.person(key, user, values)
                if several and isinstance(mapped, PersonIntent) and (told := mapped.parts[""]["email"]) != email:
                    if email is not None and key.startswith("#"):
                        emails.setdefault(key, set()).update((email_key(email), email_key(told)))
                    email = told
        if isinstance(mapped, Refused):
            refused.append((position, *mapped, event))
        else:
            if mapped.warnings:
                counter.add(mapped.warnings)
            yield time, position, event, mapped.parts
