"""What fsseg remembers of an account between runs: who is who, which events were delivered, which files are done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from fsseg.freshsales.names import Entity
from fsseg.plan.database import connect, transaction

VERSION = 1
SCHEMA = """
CREATE TABLE identity (key TEXT PRIMARY KEY, entity TEXT NOT NULL, remote_id INTEGER, email TEXT)
    WITHOUT ROWID;
CREATE TABLE delivered (key INTEGER PRIMARY KEY);
CREATE TABLE file (path TEXT PRIMARY KEY, size INTEGER NOT NULL, run TEXT NOT NULL) WITHOUT ROWID;
"""

BATCH = 1_000_000
"""Keys that are sorted before they are written: in order they take a tenth of the time."""

_WRAP = 1 << 64
_SIGN = 1 << 63


def signed(key: int) -> int:
    """An unsigned 64-bit key as SQLite keeps it."""
    return key - _WRAP if key >= _SIGN else key


def unsigned(key: int) -> int:
    """The key that `signed` was given."""
    return key + _WRAP if key < 0 else key


class Known(NamedTuple):
    """The record that an earlier run made or updated for a userId.

    Bulk doesn't tell the ids of the contacts it makes; those are known by their e-mail alone, which is unique.
    """

    entity: Entity
    remote_id: int | None
    email: str | None


class Ledger:
    """The account's `ledger.db`. A delivered event takes 8 bytes of key, 11 to 16 with SQLite's own."""

    def __init__(self, path: Path) -> None:
        self.db = connect(path, SCHEMA, VERSION)

    def close(self) -> None:
        self.db.close()

    def known(self, key: str) -> Known | None:
        """Who this person key ("#" and the userId, or "@" and the e-mail) was in an earlier run."""
        row = self.db.execute("SELECT entity, remote_id, email FROM identity WHERE key = ?", (key,)).fetchone()
        return Known(*row) if row else None

    def delivered(self) -> Iterator[int]:
        """The keys of all delivered events."""
        return (unsigned(key) for (key,) in self.db.execute("SELECT key FROM delivered"))

    def remember(
        self,
        people: Iterable[tuple[str, str, int | None, str | None]],
        events: Iterable[int],
        files: Iterable[tuple[str, int, str]] = (),
    ) -> None:
        """Add people (key, entity, remote id, e-mail), delivered event keys and finished files, all or nothing."""
        with transaction(self.db) as db:
            db.executemany("INSERT OR REPLACE INTO identity VALUES (?, ?, ?, ?)", people)
            rest = iter(events)
            while batch := sorted(map(signed, islice(rest, BATCH))):
                db.executemany("INSERT OR IGNORE INTO delivered VALUES (?)", zip(batch, strict=True))
            db.executemany("INSERT OR REPLACE INTO file VALUES (?, ?, ?)", files)

    def forget(self, people: Iterable[tuple[str, int]], events: Iterable[int]) -> None:
        """Take back deliveries, after an undo: people by entity and remote id, events by key."""
        with transaction(self.db) as db:
            db.executemany("DELETE FROM identity WHERE entity = ? AND remote_id = ?", people)
            db.executemany("DELETE FROM delivered WHERE key = ?", ((signed(key),) for key in events))
