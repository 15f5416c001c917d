"""What fsseg remembers of an account between runs: who is who, what was delivered, which files are done."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import orjson

from fsseg.freshsales.names import Entity
from fsseg.plan import delivered
from fsseg.plan.database import connect, transaction
from fsseg.plan.delivered import Delivered

VERSION = 2
SCHEMA = f"""
CREATE TABLE identity (key TEXT PRIMARY KEY, entity TEXT NOT NULL, remote_id INTEGER, email TEXT)
    WITHOUT ROWID;
CREATE INDEX identity_email ON identity (email COLLATE NOCASE);
CREATE TABLE content (place INTEGER PRIMARY KEY, hash INTEGER NOT NULL);
{delivered.SCHEMA}
CREATE TABLE file (path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, events INTEGER NOT NULL,
    run TEXT NOT NULL) WITHOUT ROWID;
"""

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


class File(NamedTuple):
    """A file every event of which came to its end in `run`, as it was then. `path` is absolute."""

    path: str
    size: int
    mtime_ns: int
    events: int
    run: str


Person = tuple[str, str, int | None, str | None]
"""Person key, entity, remote id, e-mail."""


class Ledger:
    """The account's `ledger.db`."""

    def __init__(self, path: Path) -> None:
        self.db = connect(path, SCHEMA, VERSION)

    def close(self) -> None:
        self.db.close()

    def known(self, key: str) -> Known | None:
        """Who this person key ("#" and the userId, or "@" and the e-mail) was in an earlier run."""
        row = self.db.execute("SELECT entity, remote_id, email FROM identity WHERE key = ?", (key,)).fetchone()
        return Known(*row) if row else None

    def known_by_email(self, email: str) -> Known | None:
        """Who had this e-mail in an earlier run, whatever the userId; a contact rather than a lead."""
        row = self.db.execute(
            "SELECT entity, remote_id, email FROM identity WHERE email = ? COLLATE NOCASE ORDER BY entity LIMIT 1",
            (email,),
        ).fetchone()
        return Known(*row) if row else None

    def delivered(self) -> Delivered:
        """The keys of delivered events, to be asked."""
        return Delivered(self.db)

    def content(self, places: Iterable[int]) -> int | None:
        """What was last delivered of the record that is noted at one of these (see `plan.content`)."""
        for place in places:
            row = self.db.execute("SELECT hash FROM content WHERE place = ?", (signed(place),)).fetchone()
            if row:
                return unsigned(row[0])
        return None

    def file(self, path: str) -> File | None:
        """The file of this absolute path as it was when the last of its events came to its end."""
        row = self.db.execute("SELECT * FROM file WHERE path = ?", (path,)).fetchone()
        return File(*row) if row else None

    def remember(
        self,
        people: Iterable[Person] = (),
        events: Iterable[int] = (),
        contents: Iterable[tuple[int, int]] = (),
        files: Iterable[File] = (),
    ) -> None:
        """Add people, delivered event keys, contents (place, hash) and finished files, all or nothing."""
        with transaction(self.db) as db:
            db.executemany("INSERT OR REPLACE INTO identity VALUES (?, ?, ?, ?)", people)
            self.delivered().add(events)
            rows = ((signed(place), signed(hash)) for place, hash in contents)
            db.executemany("INSERT OR REPLACE INTO content VALUES (?, ?)", rows)
            db.executemany("INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?)", files)

    def forget(self, people: Iterable[tuple[str, int]], events: Iterable[int], run: str) -> None:
        """Take back people (entity, remote id), event keys and the files that `run` finished."""
        with transaction(self.db) as db:
            db.execute(
                "DELETE FROM identity WHERE (entity, remote_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))",
                (orjson.dumps(list(people)).decode(),),
            )
            self.delivered().drop(events)
            db.execute("DELETE FROM file WHERE run = ?", (run,))

    def forget_contents(self, places: Iterable[int]) -> None:
        """What was delivered of these records doesn't tell any more what they hold."""
        with transaction(self.db) as db:
            db.executemany("DELETE FROM content WHERE place = ?", ((signed(place),) for place in places))
