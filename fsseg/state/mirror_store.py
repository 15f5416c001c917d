"""The file of the mirror, `mirror.db`: copies of an account's records, by id and by what they are found by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from fsseg.freshsales.names import Entity
from fsseg.state.database import connect, is_whole, transaction

VERSION = 2
SCHEMA = """
CREATE TABLE seen (entity TEXT NOT NULL, id INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (entity, id))
    WITHOUT ROWID;
CREATE TABLE name (entity TEXT NOT NULL, name TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (entity, name, id))
    WITHOUT ROWID;
CREATE INDEX name_id ON name (entity, id);
CREATE TABLE state (entity TEXT PRIMARY KEY, newest TEXT NOT NULL, whole INTEGER NOT NULL) WITHOUT ROWID;
"""


class Copy(NamedTuple):
    """A record, and the folded e-mails or names that it is found by."""

    record: dict[str, Any]
    names: set[str]


class MirrorStore:
    """The open `mirror.db`."""

    def __init__(self, path: Path) -> None:
        self.db = connect(path, SCHEMA, VERSION)
        self.db.execute("PRAGMA synchronous=NORMAL")  # what a power cut loses of a cache is read again

    def close(self) -> None:
        self.db.close()

    @property
    def is_whole(self) -> bool:
        """Whether all of the file can be read."""
        return is_whole(self.db)

    def has_all(self, entity: Entity) -> bool:
        """Whether all records of the entity were copied once."""
        return bool(self.db.execute("SELECT 1 FROM state WHERE entity = ? AND whole", (entity,)).fetchone())

    def newest(self, entity: Entity) -> str:
        """The latest time of change among the records when all of them were copied."""
        return str(self.db.execute("SELECT newest FROM state WHERE entity = ?", (entity,)).fetchone()[0])

    def note_all(self, entity: Entity, newest: str) -> None:
        """All records of the entity are copied, up to this time of change; before this is noted, none counts."""
        self.db.execute("INSERT OR REPLACE INTO state VALUES (?, ?, 1)", (entity, newest))

    def forget(self, entity: Entity) -> None:
        """Copy the entity's records anew."""
        with transaction(self.db) as db:
            for table in ("seen", "name", "state"):
                db.execute(f"DELETE FROM {table} WHERE entity = ?", (entity,))

    def keep(self, entity: Entity, copies: Iterable[Copy]) -> bool:
        """Whether any of these records was not here yet just as it is."""
        is_news = False
        with transaction(self.db) as db:
            for record, names in copies:
                id, data = record["id"], orjson.dumps(record)
                same = "SELECT 1 FROM seen WHERE (entity, id, data) = (?, ?, ?)"
                if db.execute(same, (entity, id, data)).fetchone():
                    continue
                is_news = True
                db.execute("DELETE FROM name WHERE entity = ? AND id = ?", (entity, id))
                db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", (entity, id, data))
                db.executemany("INSERT OR IGNORE INTO name VALUES (?, ?, ?)", ((entity, name, id) for name in names))
        return is_news

    def count(self, entity: Entity) -> int:
        """How many records of the entity are copied."""
        return int(self.db.execute("SELECT count(*) FROM seen WHERE entity = ?", (entity,)).fetchone()[0])

    def find(self, entity: Entity, name: str) -> Iterator[dict[str, Any]]:
        """All records of this folded e-mail or name."""
        rows = self.db.execute(
            "SELECT s.data FROM name n JOIN seen s USING (entity, id) WHERE n.entity = ? AND n.name = ?", (entity, name)
        ).fetchall()
        return (orjson.loads(data) for (data,) in rows)

    def get(self, entity: Entity, id: int) -> dict[str, Any] | None:
        """The record with this id."""
        row = self.db.execute("SELECT data FROM seen WHERE entity = ? AND id = ?", (entity, id)).fetchone()
        return orjson.loads(row[0]) if row else None
