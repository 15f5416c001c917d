"""Which timeline entries Freshsales holds already, told by the messageId that each of ours ends in."""

from __future__ import annotations

from collections.abc import Callable

from fsseg.freshsales.reader import Reader
from fsseg.plan.ledger import signed
from fsseg.plan.store import Store
from fsseg.segment.key import event_key

MARK = "messageId: "
"""Stands before the messageId at the end of an entry's text."""

CONTENT = "content:"


def message_of(text: object) -> str | None:
    """The messageId that an entry's text ends in, if it is one of ours."""
    return text.rpartition(MARK)[2].strip() if isinstance(text, str) and MARK in text else None


def match_entries(store: Store, reader: Reader, say: Callable[[str], None]) -> None:
    """Mark the entries of known people that are there already as `unchanged`.

    People who are new have no timeline yet. Only the list of all sales activities gives their texts, 100 a request;
    where reading it would take more requests than there are known people with entries, it isn't read, and said so.
    """
    people = store.db.execute(
        "SELECT count(DISTINCT person) FROM entry WHERE action IS NULL AND person IN"
        " (SELECT id FROM record WHERE kind = 'person' AND remote_id IS NOT NULL)"
    ).fetchone()[0]
    if not people:
        return
    page = reader.sales_activities(1)
    total = page.total_pages or 1
    if total > max(people, 10):
        say(
            f"not looking for earlier timeline entries: that would take {total:,} requests; "
            "what this state folder delivered is known all the same"
        )
        return
    store.db.execute("CREATE INDEX IF NOT EXISTS entry_hash ON entry (hash)")
    for number in range(1, total + 1):
        rows = page.rows if number == 1 else reader.sales_activities(number).rows
        with store.transaction() as db:
            for row in rows:
                message_id = message_of(row.get("notes"))
                if message_id:
                    db.execute(
                        "UPDATE entry SET action = 'unchanged', remote_id = ? WHERE hash = ? AND action IS NULL",
                        (row["id"], signed(_key(message_id))),
                    )


def _key(message_id: str) -> int:
    if message_id.startswith(CONTENT):
        try:
            return int(message_id.removeprefix(CONTENT), 16)
        except ValueError:
            pass
    return event_key({"messageId": message_id})
