"""Which timeline entries Freshsales holds already, told by the messageId that each of ours ends in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fsseg.freshsales.reader import Reader
from fsseg.segment.key import event_key
from fsseg.state.decided_rows import index_entries, keys_of_readable_entries, known_with_entries, mark_entries
from fsseg.state.ledger import Ledger
from fsseg.state.ledger_format import signed, unsigned
from fsseg.state.plan_store import Store

MARK = "messageId: "
"""Stands before the messageId at the end of an entry's text."""


def message_of(text: object) -> str | None:
    """The messageId that an entry's text ends in, if it is one of ours."""
    return text.rpartition(MARK)[2].strip() if isinstance(text, str) and MARK in text else None


def match_entries(store: Store, reader: Reader, say: Callable[[str], None]) -> None:
    """Mark the entries of known people that are there already as `unchanged`.

    People who are new have no timeline yet, and tracked events can't be read back. Only the list of all sales
    activities gives their texts, 100 a request; where reading it would take more requests than there are known people
    with entries, it isn't read, and said so.
    """
    index_entries(store)
    _match_activities(store, reader, say)
    for entity, remote_id in known_with_entries(store, "note"):
        _mark(store, reader.notes(entity, remote_id), "description")


def recall_entries(store: Store, ledger: Ledger) -> None:
    """Mark the entries that were delivered before as `unchanged`, where nobody can be asked.

    Not those that go by tracking: they can't be read back, so whoever wants them again has them sent again.
    """
    index_entries(store)
    delivered = ledger.delivered()
    for keys in keys_of_readable_entries(store):
        mark_entries(store, [(None, signed(key)) for key in delivered.among(map(unsigned, keys))])


def _match_activities(store: Store, reader: Reader, say: Callable[[str], None]) -> None:
    people = len(known_with_entries(store, "sales_activity"))
    if not people:
        return
    page, number = reader.sales_activities(1), 1
    total = page.total_pages
    if total is not None and total > max(people, 10):
        say(
            f"not looking for earlier timeline entries: that would take {total:,} requests; "
            "what this state folder delivered is known all the same"
        )
        return
    while page.rows:
        _mark(store, page.rows, "notes")
        number += 1
        if total is not None and number > total:
            return
        page = reader.sales_activities(number)


def _mark(store: Store, rows: list[dict[str, Any]], text: str) -> None:
    told = ((row["id"], message_of(row.get(text))) for row in rows)
    mark_entries(store, [(id, signed(event_key(message.encode()))) for id, message in told if message])
